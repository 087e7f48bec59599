// Every text that is used exists in all languages, every one that exists is used, and their places ({n}) agree.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const src = new URL('../src', import.meta.url).pathname
const languages = ['en', 'ru', 'zh']

function read(language: string): Record<string, string> {
  const folder = join(src, 'texts', language)
  const areas = readdirSync(folder).filter((name) => name !== 'contracts.json')
  return Object.assign({}, ...areas.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8'))))
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'texts' ? [] : sources(path)
    return /\.(svelte|ts)$/.test(entry.name) && entry.name !== 'schema.d.ts' ? [readFileSync(path, 'utf8')] : []
  })
}

const plural = /_(zero|one|two|few|many|other)$/
const all = Object.fromEntries(languages.map((language) => [language, read(language)]))
// "_one" at the end is a form of a plural when there is "_other" too.
const base = (key: string) => (`${key.replace(plural, '')}_other` in all['en']! ? key.replace(plural, '') : key)
const code = sources(src).join('\n').replace(/^\s*\/\/.*$/gm, '')
const known = new Set(Object.keys(all['en']!).map(base))

test('each key that the code names is there', () => {
  const named = [...code.matchAll(/\bt\(\s*'([\w.-]+)'/g)].map((m) => m[1]!)
  expect(named.filter((key) => !known.has(key))).toEqual([])
})

test('each key is used', () => {
  const prefixes = [...code.matchAll(/\bt\(\s*`([\w.-]+?)\$\{/g)].map((m) => m[1]!)
  const isUsed = (key: string) => code.includes(`'${key}'`) || code.includes(`"${key}"`) || prefixes.some((p) => key.startsWith(p))
  expect([...known].filter((key) => !isUsed(key))).toEqual([])
})

test.each(languages)('%s has every key, with the same places and all forms of its plurals', (language) => {
  const texts = all[language]!
  const keys = new Set(Object.keys(texts).map(base))
  expect([...known].filter((key) => !keys.has(key))).toEqual([])
  expect([...keys].filter((key) => !known.has(key))).toEqual([])
  const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories
  const counted = new Set(Object.keys(all['en']!).filter((key) => base(key) !== key).map(base))
  expect([...counted].flatMap((key) => forms.map((form) => `${key}_${form}`)).filter((key) => texts[key] === undefined)).toEqual([])
  const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join()
  const differs = Object.keys(texts).filter((key) => {
    const english = all['en']![key] ?? all['en']![`${base(key)}_other`]
    return !(base(key) !== key && /_(one|zero)$/.test(key)) && english !== undefined && places(english) !== places(texts[key]!)
  })
  expect(differs).toEqual([])
})
