// The server's texts that the app shows by said(): which there are, which have a translation.
//
//   node tools/contracts.mjs               what is missing, by language; exit code 1 when anything is
//   node tools/contracts.mjs --list ru     the English texts that have none in ru, one JSON string per line
//   node tools/contracts.mjs --add ru FILE texts in the order of --list, one JSON string per line, are put in
//   node tools/contracts.mjs --prune       translations of texts that are gone are removed
//
// Texts come from tests/golden: contracts of steps, pipelines that come with platen, bodies and options of requests; and from
// src/base: reasons with their remedies, events.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'

const root = new URL('../../', import.meta.url)
const read = (path) => readFileSync(new URL(path, root), 'utf8')
const folder = (path) => readdirSync(new URL(path, root))
export const languages = ['ru', 'zh']

function collect(value, keys, into) {
  if (Array.isArray(value)) for (const item of value) collect(item, keys, into)
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      if (keys.includes(key) && typeof inner === 'string') into.add(inner)
      else collect(inner, keys, into)
    }
}

// Steps: titles, summaries, help of parameters and choices. Their examples and fields of results are not shown in other words.
function ofSteps(into) {
  for (const step of JSON.parse(read('tests/golden/registry.json')).steps) {
    if (step.name.startsWith('test.')) continue
    for (const key of ['title', 'summary']) if (step[key]) into.add(step[key])
    collect(step.params ?? [], ['help'], into)
  }
}

// Bodies and query options of the requests that the app makes forms for.
export const forms = ['keys_create', 'webhooks_create', 'webhooks_change', 'schedules_create', 'schedules_put', 'queues_set', 'secrets_put',
  'bridges_add', 'steps_run', 'steps_batch', 'pipelines_run', 'pipelines_batch', 'jobs_bulk', 'queues_handler_put']

function ofForms(into) {
  const document = JSON.parse(read('tests/golden/openapi.json'))
  for (const path of Object.values(document.paths))
    for (const operation of Object.values(path)) {
      if (!forms.includes(operation.operationId)) continue
      const schemas = (operation.parameters ?? []).filter((p) => p.in === 'query').map((p) => ({ properties: { [p.name]: { ...p.schema, description: p.description } } }))
      const body = operation.requestBody?.content?.['application/json']?.schema
      for (const schema of [...schemas, body ?? {}])
        for (const of of Object.values(schema.properties ?? {})) {
          if (of.description) into.add(of.description)
          for (const help of Object.values(of['x-choices'] ?? {})) into.add(help)
        }
    }
}

// ERROR(NAME, "reason", status, RETRY, "What it means.", "What to do.")
function ofTable(path, name, into, only = /./) {
  const text = read(path).replace(/\/\*[\s\S]*?\*\//g, '')
  for (const [row] of text.matchAll(new RegExp(`^${name}\\((?:[^"()]|"(?:[^"\\\\]|\\\\.)*")*\\)`, 'gm'))) {
    if (!only.test(row)) continue
    // Neighbouring literals are one text.
    const joined = row.replace(/"\s*\n?\s*"/g, '')
    for (const [, inner] of joined.matchAll(/"((?:[^"\\]|\\.)*)"/g)) if (/ /.test(inner)) into.add(JSON.parse(`"${inner}"`))
  }
}

function ofPipelines(into) {
  for (const file of folder('pipelines').filter((name) => name.endsWith('.yaml')))
    for (const [, quoted, plain] of read(`pipelines/${file}`).matchAll(/\b(?:title|summary|help): *(?:"([^"]*)"|([^"\n{},][^\n,}]*))/g))
      into.add((quoted ?? plain).trim())
}

export function texts() {
  const into = new Set()
  ofSteps(into)
  ofForms(into)
  ofTable('src/base/errors.def', 'ERROR', into)
  ofTable('src/base/events.def', 'EVENT', into, /^EVENT\((?:JOB|STEP|TASK)_/)
  ofPipelines(into)
  return [...into]
}

const file = (language) => new URL(`web/src/texts/${language}/contracts.json`, root)
export function translations(language) {
  try {
    return JSON.parse(readFileSync(file(language), 'utf8'))
  } catch {
    return {}
  }
}
export const missing = (language) => {
  const known = translations(language)
  return texts().filter((text) => !known[`=${text}`])
}
export const gone = (language) => {
  const there = new Set(texts())
  return Object.keys(translations(language)).filter((key) => !there.has(key.slice(1)))
}

function write(language, known) {
  const keys = Object.keys(known).sort()
  writeFileSync(file(language), `${JSON.stringify(Object.fromEntries(keys.map((key) => [key, known[key]])), null, 1)}\n`)
}

const [verb, language, path] = process.argv.slice(2)
if (process.argv[1]?.endsWith('contracts.mjs')) {
  if (verb === '--list') for (const text of missing(language)) console.log(JSON.stringify(text))
  else if (verb === '--prune')
    for (const l of languages) write(l, Object.fromEntries(Object.entries(translations(l)).filter(([key]) => !gone(l).includes(key))))
  else if (verb === '--add') {
    const given = readFileSync(path, 'utf8').trim().split('\n').map((line) => JSON.parse(line))
    const known = translations(language)
    const wanted = missing(language)
    if (given.length > wanted.length) throw new Error(`${given.length} translations for ${wanted.length} texts`)
    given.forEach((text, at) => (known[`=${wanted[at]}`] = text))
    write(language, known)
  } else {
    const all = languages.flatMap((l) => missing(l).map((text) => `${l}: ${text}`))
    for (const line of all) console.log(line)
    process.exitCode = all.length > 0 ? 1 : 0
  }
}
