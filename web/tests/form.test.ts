// Forms are made from contracts alone: here from every contract the server has (tests/golden), and from the bodies of its requests.
import { readFileSync } from 'node:fs'
import { render } from 'svelte/server'
import { describe, expect, test } from 'vitest'
import type { Schemas } from '../src/lib/api/client'
import Form from '../src/lib/form/Form.svelte'
import {
  bodyParams, changed, check, checkOne, defaultOf, faultText, fromText, queryParams, same, send, serverFault, stepParams, Unparsed,
  type Document, type Json, type Param, type Values,
} from '../src/lib/form/param'
import { label, parted, segmented, slides, step } from '../src/lib/form/words'

const golden = (name: string) => JSON.parse(readFileSync(new URL(`../../tests/golden/${name}`, import.meta.url), 'utf8'))
const steps = golden('registry.json').steps as Schemas['Step'][]
const openapi = golden('openapi.json') as Document
const every = steps.flatMap((s) => stepParams(s).map((p) => ({ step: s.name, p })))
const words = (params: Param[], values: Values) => check(params, values).map((f) => `${f.param} ${faultText(f)}`)
const param = (name: string, of: string) => stepParams(steps.find((s) => s.name === of)!).find((p) => p.name === name)!

describe('every contract', () => {
  test('has steps to test with', () => expect(every.length).toBeGreaterThan(200))

  test.each(steps.map((s) => [s.name, s] as const))('%s: each parameter has a control with a name', (_name, contract) => {
    const params = stepParams(contract)
    const html = render(Form, { props: { params, values: {} } }).body
    for (const p of params.filter((q) => q.replacedBy === undefined)) {
      const field = html.split('data-param="').find((part) => part.startsWith(`${p.name}"`)) ?? ''
      expect(field, p.name).toMatch(/<(input|textarea|select)/)
      expect(field, p.name).toContain(label(p))
      expect(field, p.name).toMatch(/<label[^>]* for="|role="radiogroup" aria-labelledby="|<select[^>]* aria-labelledby="|role="combobox"|<textarea[^>]* aria-label="/)
      if (p.required) expect(field).toContain('required')
    }
  })

  test('its defaults are sent as nothing, and are what the server takes', () => {
    for (const { step: of, p } of every) {
      const value = defaultOf(p)
      if (value === undefined) continue
      if (value !== '' || !p.required) expect(checkOne(p, value), `${of} ${p.name}`).toBeUndefined()
      expect(send([p], { [p.name]: value }), `${of} ${p.name}`).toEqual({})
    }
  })

  test('its examples are taken, by parameter and as a whole', () => {
    for (const { step: of, p } of every)
      for (const example of p.examples) expect(checkOne(p, example), `${of} ${p.name}`).toBeUndefined()
    for (const s of steps)
      for (const example of s.examples ?? []) {
        const args = (example.args ?? {}) as Values
        expect(check(stepParams(s), args), `${s.name}: ${example.title}`).toEqual([])
        for (const [name, value] of Object.entries(send(stepParams(s), args))) expect(args[name]).toEqual(value)
      }
  })

  test('its limits refuse what is beyond them', () => {
    for (const { step: of, p } of every) {
      const beyond: Json[] = []
      if (p.min !== undefined) beyond.push(p.min - 1)
      if (p.max !== undefined) beyond.push(p.max + 1)
      if (p.type === 'int') beyond.push(0.5, 'x', true, 2 ** 60)
      if (p.type === 'number') beyond.push('1,2,3', [])
      if (p.type === 'bool') beyond.push('maybe', 1)
      if (p.type === 'text') beyond.push('x'.repeat(p.maxLen + 1), 'é'.repeat(p.maxLen / 2 + 1), 'a\0b', 7)
      if (p.type === 'choice') beyond.push('no-such-choice', 3)
      if (p.type === 'list') beyond.push(Array(p.maxLen + 1).fill('x'), 'x', [1], ['\0'])
      for (const value of beyond) expect(checkOne(p, value), `${of} ${p.name} ${JSON.stringify(value)?.slice(0, 40)}`).toBeDefined()
      if (p.required) expect(checkOne(p, undefined)).toMatchObject({ key: 'required' })
    }
  })

  test('its sliders have steps that reach the ends, its buttons fit', () => {
    for (const { p } of every) {
      if (slides(p) && p.type === 'int') expect(step(p)).toBe(1)
      if (slides(p)) expect(((p.max! - p.min!) / step(p)) % 1 < 1e-6 || p.type === 'number').toBe(true)
      if (p.type === 'choice' && segmented(p)) expect(p.choices.length).toBeLessThanOrEqual(8)
    }
  })

  test('what is folded is neither required nor among the first', () => {
    for (const s of steps) {
      const params = stepParams(s)
      const { first, more } = parted(params, () => false)
      expect([...first, ...more].length).toBe(params.filter((p) => p.replacedBy === undefined).length)
      expect(more.filter((p) => p.required)).toEqual([])
      expect(first.length).toBeGreaterThanOrEqual(Math.min(6, params.length - more.length))
    }
  })
})

describe('values', () => {
  const width = param('width', 'image.convert')
  test('a text becomes a value as the server reads it, and stays when it cannot', () => {
    expect(fromText(width, ' 1600 ')).toBe(1600)
    expect(fromText(width, '1.6e3')).toBe(1600)
    expect(fromText(width, '-0')).toBe(0)
    expect(fromText(width, '12 px')).toBe('12 px')
    expect(fromText(param('opacity', 'image.watermark'), '0,5')).toBe(0.5)
    expect(fromText(param('match', 'archive.list'), ' *.pdf, a/* ,,\nb')).toEqual(['*.pdf', 'a/*', 'b'])
    expect(fromText(param('args', 'data.transform'), '{"a": [1]}')).toEqual({ a: [1] })
    const broken = fromText(param('args', 'data.transform'), '{"a": ')
    expect(broken).toEqual(new Unparsed('{"a": '))
    expect(JSON.stringify({ broken })).toBe('{"broken":"{\\"a\\": "}')
  })

  test('what is sent is what was given', () => {
    const params = stepParams(steps.find((s) => s.name === 'text.redact')!)
    expect(send(params, { style: 'label', names: [], kinds: [], text: '' })).toEqual({ kinds: [] })
    expect(send(params, { kinds: ['email', 'phone', 'card', 'iban', 'ip', 'name'], style: 'mask' })).toEqual({ style: 'mask' })
  })

  test('a change sends what differs, emptied texts included', () => {
    const p = (name: string): Param => ({ ...width, name, type: 'text', maxLen: 100, secret: name === 'secret' })
    expect(changed([p('a'), p('b'), p('secret')], { a: '', b: 'x', secret: '' }, { a: 'old', b: 'x' })).toEqual({ a: '' })
  })

  test('values are equal whatever the order of their members', () => {
    expect(same({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true)
    expect(same(undefined, null)).toBe(false)
  })
})

describe('faults', () => {
  test('are said as the server says them', () => {
    const params = stepParams(steps.find((s) => s.name === 'image.convert')!)
    expect(words(params, { width: 0, height: 'x', format: 'bmp', enlarge: 'maybe', quality: 0.5, background: '#1234567' })).toEqual([
      'format must be one of webp, avif, jpeg, png, gif, tiff, keep, not "bmp"',
      'width must be 1 to 16384, not 0',
      'height must be a whole number, not "x"',
      'enlarge must be true or false, not "maybe"',
      'quality must be a whole number of at most 18 digits, not 0.5',
      'background must be at most 7 bytes long, not 8',
    ])
    expect(words([param('password', 'pdf.decrypt')], { password: 'x'.repeat(129) })).toEqual(['password must be at most 128 bytes long, not 129'])
    expect(words([{ ...param('program', 'data.transform') }], {})).toEqual(['program is required'])
  })

  test('of the server become the same sentences', () => {
    for (const [detail, key] of [
      ['must be 1 to 16384, not 0', 'range'],
      ['must be at least 3', 'at_least'],
      ['must be text, not 4 to 5', 'text'],
      ['is required', 'required'],
      ['must be one of a, b, not "c"; did you mean "b"?', 'choice'],
      ['must have at most 4 items, not 5', 'list_long'],
      ['item 2 must be text, not 7', 'item_text'],
      ['is not a parameter; did you mean "width"?', 'said'],
    ]) {
      const fault = serverFault({ param: 'p', detail: detail! })
      expect([detail, fault.key]).toEqual([detail, key])
      expect(faultText(fault)).toBe(detail)
    }
  })
})

describe('bodies of requests', () => {
  const from = () => Promise.resolve(openapi)
  test('a webhook', async () => {
    const params = await bodyParams('webhooks_create', from)
    expect(params.map((p) => [p.name, p.type, p.required, p.secret])).toEqual([
      ['url', 'text', true, false], ['types', 'text', false, false], ['description', 'text', false, false], ['secret', 'text', false, true],
    ])
    expect(params[0]).toMatchObject({ format: 'url', minLen: 1, maxLen: 2048, examples: ['https://example.com/hook'] })
  })
  test('a queue, a schedule, a key', async () => {
    const queue = await bodyParams('queues_set', from)
    expect(queue.find((p) => p.name === 'rate_window_ms')).toMatchObject({ type: 'int', unit: 'ms', format: 'duration', default: 1000, min: 1 })
    const schedule = await bodyParams('schedules_create', from)
    expect(schedule.find((p) => p.name === 'missed')).toMatchObject({ type: 'choice', default: 'skip', choices: [{ name: 'skip' }, {}, {}] })
    expect(schedule.find((p) => p.name === 'params')).toMatchObject({ type: 'json' })
    expect((await bodyParams('keys_create', from)).map((p) => p.name)).toEqual(['name', 'role'])
    expect((await queryParams('documents_list', from)).map((p) => p.name)).toContain('limit')
  })
  test('every JSON body of the document', async () => {
    for (const methods of Object.values(openapi.paths))
      for (const op of Object.values(methods)) {
        const params = await bodyParams(String(op['operationId']), from)
        for (const p of params) {
          expect(p.type).toMatch(/^(int|number|bool|text|choice|list|json|object)$/)
          if (p.default !== undefined) expect(checkOne(p, p.default), `${String(op['operationId'])} ${p.name}`).toBeUndefined()
          for (const example of p.examples) expect(checkOne(p, example), `${String(op['operationId'])} ${p.name}`).toBeUndefined()
        }
      }
  })
})
