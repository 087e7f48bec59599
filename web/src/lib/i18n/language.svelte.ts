// The texts of the app: texts/LANGUAGE/AREA.json, flat, keys by area ("jobs.title"). English is part of the app, the others are
// fetched when somebody reads them.
//
//   t('jobs.count', { n: 3 })    // "{n} job" under jobs.count_one, "{n} jobs" under jobs.count_other (Intl.PluralRules)
//   said(step.title)             // a text of the server's contracts, in the reader's language when contracts.json has it
//
// tests/texts.test.ts holds that every key that is used exists in all languages and every one that exists is used.
import { numberFormat, pluralRules } from './intl'

type Texts = Record<string, string>
export type Language = 'en' | 'ru' | 'zh'

export const languages: { id: Language; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'ru', name: 'Русский' },
  { id: 'zh', name: '中文' },
]

const english = merge(import.meta.glob<Texts>('../../texts/en/*.json', { eager: true, import: 'default' }))
const others: Record<Exclude<Language, 'en'>, () => Promise<Texts>> = {
  ru: async () => (await import('../../texts/ru')).default,
  zh: async () => (await import('../../texts/zh')).default,
}

export function merge(areas: Record<string, Texts>): Texts {
  return Object.assign({}, ...Object.values(areas)) as Texts
}

let texts = $state.raw<Texts>(english)
let current = $state<Language>('en')

export const language = () => current

export async function setLanguage(next: Language): Promise<void> {
  texts = next === 'en' ? english : await others[next]()
  current = next
  document.documentElement.lang = next
  localStorage.setItem('language', next)
}

export async function startLanguage(): Promise<void> {
  const wanted = [localStorage.getItem('language'), ...navigator.languages.map((l) => l.slice(0, 2))]
  const found = wanted.find((w) => languages.some((l) => l.id === w))
  await setLanguage((found ?? 'en') as Language).catch(() => setLanguage('en'))
}

export function t(key: string, values: Record<string, string | number> = {}): string {
  const counted = typeof values['n'] === 'number' ? `${key}_${plural(values['n'])}` : key
  const text = texts[counted] ?? texts[`${key}_other`] ?? texts[key] ?? english[counted] ?? english[`${key}_other`] ?? english[key]
  if (text === undefined) return key
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    return value === undefined ? whole : typeof value === 'number' ? number(value) : value
  })
}

export function said(text: string | undefined): string {
  return text === undefined ? '' : (texts[`=${text}`] ?? text)
}

const plural = (n: number) => pluralRules(current).select(n)
export const number = (n: number, options?: Intl.NumberFormatOptions) => numberFormat(current, options).format(n)
