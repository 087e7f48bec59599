// One description of a parameter, whatever it was read from, and everything a form does with one.
//
//   const params = stepParams(step)                        // a step's or a pipeline's contract
//   const params = await bodyParams('webhooks_create')     // the body of a request, from the server's OpenAPI document
//   check(params, values)                                  // every fault, in the server's own words: none means it will be taken
//   send(params, values)                                   // what to send: only what was given and is not the default anyway
//   changed(params, values, before)                        // what to send to change something: only what differs
//
// `values` holds what the person gave and nothing else: a parameter that is missing has its default. What cannot be read as the
// parameter's type stays in it as it was typed (a text where a number should be, `Unparsed` for JSON), so that nothing typed is lost
// and `check` can name it.
import type { Schemas } from '$lib/api/client'
import { t } from '$lib/i18n/language.svelte'
import english from '../../texts/en/form.json'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export type ParamType = 'int' | 'number' | 'bool' | 'text' | 'choice' | 'list' | 'json' | 'object'
export type Format = 'colour' | 'duration' | 'bytes' | 'date-time' | 'url'

export type Param = {
  name: string
  type: ParamType
  required: boolean
  secret: boolean
  help: string
  unit: string
  examples: Json[]
  default?: Json
  min?: number
  max?: number
  maxLen: number // most bytes of a text, or items of a list
  minLen: number
  choices: { name: string; help: string }[]
  format?: Format
  replacedBy?: string
}

export type Value = Json | Unparsed
export type Values = Record<string, Value>
export type Fault = { param: string; key: string; values: Record<string, string> }

// JSON that is not JSON yet.
export class Unparsed {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
  toJSON() {
    return this.text
  }
}

export const textMax = 1 << 20
export const listMax = 1000

const bytesOf = (text: string) => new TextEncoder().encode(text).length

// The contract of a step.

type StepParam = NonNullable<Schemas['Step']['params']>[number]

export function stepParams(step: Pick<Schemas['Step'], 'params'>): Param[] {
  return (step.params ?? []).map(fromContract)
}

function fromContract(p: StepParam): Param {
  const type = p.type as ParamType
  const param: Param = {
    ...blank(p.name, type),
    required: p.required ?? false,
    secret: p.secret ?? false,
    help: p.help ?? '',
    unit: p.unit ?? '',
    choices: (p.choices ?? []).map((c) => ({ name: c.name, help: c.help ?? '' })),
  }
  if (p.max_len !== undefined) param.maxLen = p.max_len
  if (typeof p.min === 'number') param.min = p.min
  if (typeof p.max === 'number') param.max = p.max
  if (p.default !== undefined) param.default = p.default as Json
  if (p.replaced_by !== undefined) param.replacedBy = p.replaced_by
  if (p.example !== undefined) param.examples = [fromText(param, p.example)].filter((e): e is Json => !(e instanceof Unparsed))
  return finished(param)
}

function blank(name: string, type: ParamType): Param {
  return {
    name, type, required: false, secret: false, help: '', unit: '', examples: [], choices: [],
    maxLen: type === 'list' ? listMax : textMax, minLen: 0,
  }
}

function finished(param: Param): Param {
  if (param.required && (param.type === 'text' || param.type === 'list')) param.minLen = Math.max(1, param.minLen)
  const format = formatOf(param)
  if (format !== undefined) param.format = format
  return param
}

const colour = /^#[0-9a-f]{6}$/i
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d/

function formatOf(p: Param): Format | undefined {
  const known = [p.default, ...p.examples].filter((v): v is string => typeof v === 'string' && v !== '')
  if (p.type === 'int' || p.type === 'number') {
    if (p.unit === 'ms' || p.unit === 's') return 'duration'
    return p.unit === 'B' || p.unit === 'KiB' ? 'bytes' : undefined
  }
  if (p.type !== 'text' || p.secret) return undefined
  if (p.unit === 'URL' || (known.length > 0 && known.every((v) => /^https?:/.test(v)))) return 'url'
  if (known.length > 0 && known.every((v) => colour.test(v))) return 'colour'
  return known.some((v) => moment.test(v)) ? 'date-time' : undefined
}

// JSON Schema: the bodies and queries of the OpenAPI document.

type Schema = { [name: string]: unknown }
export type Document = { paths: Record<string, Record<string, Schema>>; components?: Schema }

let document: Promise<Document> | undefined

function fetchDocument(): Promise<Document> {
  document ??= fetch('/openapi.json', { headers: { 'X-Platen': 'web' } })
    .then((answer) => {
      if (!answer.ok) throw new Error(`/openapi.json: HTTP ${answer.status}`)
      return answer.json() as Promise<Document>
    })
    .catch((cause: unknown) => {
      document = undefined // the next one asks again
      throw cause
    })
  return document
}

export async function bodyParams(operation: string, from: () => Promise<Document> = fetchDocument): Promise<Param[]> {
  const all = await from()
  const body = follow(all, find(all, operation)['requestBody'])
  const content = (body['content'] ?? {}) as Record<string, Schema>
  return schemaParams(content['application/json']?.['schema'], all)
}

export async function queryParams(operation: string, from: () => Promise<Document> = fetchDocument): Promise<Param[]> {
  const all = await from()
  const list = (find(all, operation)['parameters'] ?? []) as Schema[]
  return list
    .map((p) => follow(all, p))
    .filter((p) => p['in'] === 'query')
    .map((p) => schemaParam(String(p['name']), { description: p['description'], ...follow(all, p['schema']) }, p['required'] === true, all))
}

function find(all: Document, operation: string): Schema {
  for (const path of Object.values(all.paths))
    for (const method of Object.values(path)) if (method['operationId'] === operation) return method
  throw new Error(`The server has no operation ${operation}.`)
}

function follow(all: Document, schema: unknown): Schema {
  let at = (schema ?? {}) as Schema
  for (let depth = 0; typeof at['$ref'] === 'string' && depth < 8; depth++) {
    const { $ref, ...beside } = at
    const target = String($ref).split('/').slice(1).reduce<unknown>((o, name) => (o as Schema | undefined)?.[name], all)
    at = { ...((target ?? {}) as Schema), ...beside }
  }
  return at
}

export function schemaParams(schema: unknown, all: Document = { paths: {} }): Param[] {
  const object = follow(all, schema)
  const required = (object['required'] ?? []) as string[]
  return Object.entries((object['properties'] ?? {}) as Record<string, unknown>).map(([name, of]) =>
    schemaParam(name, follow(all, of), required.includes(name), all),
  )
}

function schemaParam(name: string, s: Schema, required: boolean, all: Document): Param {
  const param: Param = {
    ...blank(name, schemaType(s, all)),
    required,
    secret: s['writeOnly'] === true,
    help: String(s['description'] ?? ''),
    unit: String(s['x-unit'] ?? ''),
    examples: (s['examples'] ?? []) as Json[],
  }
  const helps = (s['x-choices'] ?? {}) as Record<string, string>
  if (param.type === 'choice') param.choices = (s['enum'] as string[]).map((c) => ({ name: c, help: helps[c] ?? '' }))
  if (typeof s['minimum'] === 'number') param.min = s['minimum']
  if (typeof s['maximum'] === 'number') param.max = s['maximum']
  if (s['default'] !== undefined) param.default = s['default'] as Json
  const [least, most] = param.type === 'list' ? ['minItems', 'maxItems'] : ['minLength', 'maxLength']
  if (typeof s[least!] === 'number') param.minLen = s[least!] as number
  if (typeof s[most!] === 'number') param.maxLen = s[most!] as number
  return finished(param)
}

function schemaType(s: Schema, all: Document): ParamType {
  const types = ([] as unknown[]).concat(s['type'] ?? []).filter((x) => x !== 'null')
  if (types.length !== 1) return 'json'
  if (types[0] === 'string') return Array.isArray(s['enum']) ? 'choice' : 'text'
  if (types[0] === 'array') return follow(all, s['items'])['type'] === 'string' ? 'list' : 'json'
  const plain: Record<string, ParamType> = { integer: 'int', number: 'number', boolean: 'bool', object: 'object' }
  return plain[String(types[0])] ?? 'json'
}

// A text as a value of the parameter, as the server reads flags and form fields; what it cannot be stays what was typed.

export function fromText(p: Param, text: string): Value {
  const trimmed = text.trim()
  switch (p.type) {
    case 'int':
    case 'number':
      return number(trimmed) ?? text
    case 'bool':
      return /^(|true|1|yes|on)$/i.test(trimmed) ? true : /^(false|0|no|off)$/i.test(trimmed) ? false : text
    case 'list':
      return splitList(text)
    case 'json':
    case 'object':
      try {
        return JSON.parse(text) as Json
      } catch {
        return new Unparsed(text)
      }
    default:
      return text
  }
}

// A person writes 0.5 or 0,5.
function number(text: string): number | undefined {
  const plain = /^[+-]?\d+,\d+$/.test(text) ? text.replace(',', '.') : text
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return undefined
  const value = Number(plain)
  return Number.isFinite(value) ? (value === 0 ? 0 : value) : undefined
}

export function splitList(text: string): string[] {
  return text.split(/[,\n]/).map((part) => part.trim()).filter((part) => part !== '')
}

// A value as the text of a field.
export function asText(value: Value | undefined): string {
  if (value === undefined || value === null) return ''
  if (value instanceof Unparsed) return value.text
  if (typeof value === 'string') return value
  return typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value)
}

export function same(a: Value | undefined, b: Value | undefined): boolean {
  if (a instanceof Unparsed || b instanceof Unparsed) return a instanceof Unparsed && b instanceof Unparsed && a.text === b.text
  return canonical(a) === canonical(b)
}

function canonical(v: unknown): string {
  if (Array.isArray(v)) return `[${v.map(canonical).join()}]`
  if (typeof v !== 'object' || v === null) return JSON.stringify(v) ?? ''
  const members = Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, of]) => `${JSON.stringify(name)}:${canonical(of)}`).join()}}`
}

// What holds when nothing is given: false for a switch, the contract's default, or nothing at all.
export function defaultOf(p: Param): Json | undefined {
  return p.default ?? (p.type === 'bool' ? false : undefined)
}

export const isGiven = (p: Param, value: Value | undefined): boolean => value !== undefined && value !== null && !same(value, defaultOf(p))

// Empty texts and lists count as not given, unless there is a default that they replace.
function isNothing(p: Param, value: Value | undefined): boolean {
  if (value === undefined || value === null) return true
  if (p.type === 'list') return Array.isArray(value) && value.length === 0 && p.default === undefined
  return value === '' || (value instanceof Unparsed && value.text.trim() === '')
}

export function send(params: Param[], values: Values): Record<string, Json> {
  const out: Record<string, Json> = {}
  for (const p of params) {
    const value = values[p.name]
    if (isNothing(p, value) || !isGiven(p, value)) continue
    out[p.name] = value instanceof Unparsed ? value.text : (value as Json)
  }
  return out
}

// What lib/copyas is told of the parameters: values, but of secrets only the names.
export function copyParams(params: Param[], values: Values): { params: Record<string, Json>; secrets: string[]; jsonParams: string[] } {
  const sent = send(params, values)
  const named = (which: (p: Param) => boolean) => params.filter(which).map((p) => p.name)
  const secrets = named((p) => p.secret && sent[p.name] !== undefined)
  return {
    params: Object.fromEntries(Object.entries(sent).filter(([name]) => !secrets.includes(name))), secrets,
    jsonParams: named((p) => p.type === 'json' || p.type === 'object'),
  }
}

export function changed(params: Param[], values: Values, before: Values): Record<string, Json> {
  const out: Record<string, Json> = {}
  for (const p of params) {
    const value = values[p.name]
    if (value === undefined || same(value, before[p.name])) continue
    if (p.secret && value === '') continue
    out[p.name] = value instanceof Unparsed ? value.text : (value as Json)
  }
  return out
}

// The checks of the server (src/core/param_check.c), with its words.

export function check(params: Param[], values: Values): Fault[] {
  return params.flatMap((p) => {
    const fault = checkOne(p, values[p.name])
    return fault === undefined ? [] : [fault]
  })
}

export function checkOne(p: Param, value: Value | undefined): Fault | undefined {
  if (isNothing(p, value) || value === undefined || value === null) return p.required ? say(p, 'required') : undefined
  if (value instanceof Unparsed) return say(p, 'json')
  switch (p.type) {
    case 'int':
      if (typeof value !== 'number') return say(p, 'int', { shown: shown(p, value) })
      if (!Number.isSafeInteger(value)) return say(p, 'whole', { shown: shown(p, value) })
      return checkRange(p, value)
    case 'number':
      return typeof value !== 'number' ? say(p, 'number', { shown: shown(p, value) }) : checkRange(p, value)
    case 'bool':
      return typeof value !== 'boolean' ? say(p, 'bool', { shown: shown(p, value) }) : undefined
    case 'text':
      return checkText(p, value)
    case 'choice':
      return p.choices.some((c) => c.name === value) ? undefined : say(p, 'choice', { names: choiceNames(p), shown: shown(p, value) })
    case 'list':
      return checkList(p, value)
    case 'object':
      return typeof value !== 'object' || Array.isArray(value) ? say(p, 'object', { shown: shown(p, value) }) : undefined
    case 'json':
      return undefined
  }
}

function checkRange(p: Param, value: number): Fault | undefined {
  const { min, max } = p
  if ((min === undefined || value >= min) && (max === undefined || value <= max)) return undefined
  const not = { shown: shown(p, value) }
  if (max === undefined) return say(p, 'at_least', { min: String(min), ...not })
  if (min === undefined) return say(p, 'at_most', { max: String(max), ...not })
  return say(p, 'range', { min: String(min), max: String(max), ...not })
}

function checkText(p: Param, value: Json): Fault | undefined {
  if (typeof value !== 'string') return say(p, 'text', { shown: shown(p, value) })
  const bytes = bytesOf(value)
  if (bytes > p.maxLen) return say(p, 'text_long', { max: String(p.maxLen), n: String(bytes) })
  if (value === '' && p.minLen > 0) return say(p, 'empty')
  return value.includes('\0') ? say(p, 'nul') : undefined
}

function checkList(p: Param, value: Json): Fault | undefined {
  if (!Array.isArray(value)) return say(p, 'list', { shown: shown(p, value) })
  if (value.length > p.maxLen) return say(p, 'list_long', { max: String(p.maxLen), n: String(value.length) })
  if (value.length === 0 && p.minLen > 0) return say(p, 'empty')
  for (const [at, item] of value.entries()) {
    const no = String(at + 1)
    if (typeof item !== 'string') return say(p, 'item_text', { no, shown: shown(p, item) })
    if (bytesOf(item) > textMax) return say(p, 'item_long', { no, max: String(textMax) })
    if (item.includes('\0')) return say(p, 'item_nul', { no })
  }
  return undefined
}

function choiceNames(p: Param): string {
  const most = 12
  return p.choices.slice(0, most).map((c) => c.name).join(', ') + (p.choices.length > most ? ' …' : '')
}

function shown(p: Param, value: Json): string {
  if (p.secret) return ''
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  const part = [...value].slice(0, 40).join('')
  return `"${part}${part.length < value.length ? '…' : ''}"`
}

function say(p: Param, key: string, values: Record<string, string> = {}): Fault {
  return { param: p.name, key, values }
}

// ", not 7" is a text of its own: what was given is not always shown.
export function faultText(fault: Fault): string {
  const { shown: given, ...values } = fault.values
  return t(`form.fault_${fault.key}`, { ...values, not: given === undefined || given === '' ? '' : t('form.fault_not', { shown: given }) })
}

// What the server says about a parameter, in the reader's language where it is one of the sentences above.

const apart = ['not', 'said', 'json', 'object']
const templates = Object.entries(english)
  .filter(([key]) => key.startsWith('form.fault_'))
  .map(([key, text]) => [key.slice('form.fault_'.length), text] as const)
  .filter(([key]) => !apart.includes(key))
let patterns: { key: string; pattern: RegExp }[] | undefined

function serverPatterns(): { key: string; pattern: RegExp }[] {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  patterns ??= templates.map(([key, text]) => ({
    key,
    pattern: new RegExp(
      '^' + text.split(/(\{\w+\})/).map((part) =>
        part === '{not}' ? '(?:, not (?<shown>[\\s\\S]*?))?'
        : part === '{names}' ? '(?<names>.+?)'
        : part.startsWith('{') ? `(?<${part.slice(1, -1)}>[-+.\\de]+)`
        : literal(part),
      ).join('') + '$',
    ),
  }))
  return patterns
}

export function serverFault(fault: { param: string; detail: string }): Fault {
  for (const { key, pattern } of serverPatterns()) {
    const found = pattern.exec(fault.detail)
    if (found !== null) {
      const values = Object.entries(found.groups ?? {}).filter((e): e is [string, string] => e[1] !== undefined)
      return { param: fault.param, key, values: Object.fromEntries(values) }
    }
  }
  return { param: fault.param, key: 'said', values: { text: fault.detail } }
}
