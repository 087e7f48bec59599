// What the editor of pipelines offers and explains, with the real contracts of the steps.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { complete, explain, type Language, type Step, type World } from '../src/pages/pipelines/complete'
import { find, plain, readOutline } from '../src/pages/pipelines/outline'

const registry = JSON.parse(readFileSync(new URL('../../tests/golden/registry.json', import.meta.url), 'utf8')) as { steps: Step[] }
const key = (name: string, places: string[], type: string, more: object = {}) => ({ name, in: places, type, help: `About ${name}.`, ...more })
const language = {
  keys: [
    key('name', ['pipeline'], 'text'), key('inputs', ['pipeline'], 'object'), key('steps', ['pipeline'], 'object'), key('outputs', ['pipeline'], 'object'),
    key('uses', ['step'], 'step'), key('call', ['call'], 'pipeline'), key('wait', ['wait'], 'choice', { values: ['approval', 'signal', 'time', 'callback'] }),
    key('with', ['step', 'call'], 'object'), key('needs', ['step', 'call', 'wait'], 'nodes'), key('if', ['step', 'call', 'wait'], 'expression'),
    key('foreach', ['step', 'call'], 'expression'), key('continue-on-error', ['step', 'call', 'wait'], 'bool'),
    key('who', ['wait'], 'choice', { values: ['reviewer', 'viewer'], only: 'approval' }), key('for', ['wait'], 'duration', { only: 'time' }),
    key('attempts', ['retry'], 'int'), key('type', ['input', 'file_input'], 'choice', { values: ['file', 'text'] }), key('accepts', ['file_input'], 'text'),
    key('choices', ['input'], 'list'),
  ],
  triggers: [{ name: 'event', main: 'types', help: 'Something happens.', keys: [{ name: 'types', help: 'Types.' }, { name: 'with', help: 'Inputs.' }] }],
  functions: [{ name: 'length', usage: 'length(x)', help: 'How many.' }, { name: 'join', usage: 'join(list, between?)', help: 'One text.' }],
  roots: ['inputs', 'steps', 'item', 'matrix', 'failure', 'job', 'secrets', 'waits', 'trigger'].map((name) => ({ name, help: `About ${name}.` })),
  members: { step: ['state', 'reason', 'output', 'outputs'], file_types: ['text', 'markdown', 'html', 'json', 'pdf', 'image'], file: ['name', 'type', 'bytes', 'blob'],
    approval: ['approved', 'comment'], time: ['at'], failure: ['step', 'reason'], job: ['id', 'created'] },
} as unknown as Language
const world: World = {
  language,
  steps: registry.steps,
  pipelines: [{ name: 'words', title: 'Words', summary: '' }],
  secrets: ['S3_KEY'],
  called: (name) => (name === 'words' ? { inputs: [{ name: 'source', help: 'The text.', file: true, required: true }], outputs: ['words', 'language'] } : undefined),
  say: (text) => text ?? '',
}

// The text with the caret as ‸.
function at(text: string) {
  const caret = text.indexOf('‸')
  return complete(world, text.replace('‸', ''), caret)
}
const labels = (text: string) => at(text)?.offers.map((offer) => offer.label) ?? []

const head = 'name: read\ninputs:\n  source: {type: file, required: true}\n  tone: {type: text, help: How it sounds.}\nsteps:\n'
const scan = '  scan: {uses: security.scan, with: {file: "${{ inputs.source }}"}}\n'
const text = '  text:\n    uses: document.extract\n    with:\n      file: "${{ inputs.source }}"\n'

describe('keys', () => {
  test('of the pipeline, without those that are there', () => expect(labels('name: x\n‸')).toEqual(['inputs', 'steps', 'outputs']))
  test('of an input, by its type', () => {
    expect(labels('inputs:\n  a: {type: file, ‸}')).toEqual(['accepts'])
    expect(labels('inputs:\n  a: {type: text, ‸}')).toEqual(['choices'])
  })
  test('of a node, by its kind, in a block and in braces', () => {
    expect(labels(`${head}${text}    ‸`)).toEqual(['needs', 'if', 'foreach', 'continue-on-error'])
    expect(labels(`${head}  a:\n    ‸`)).toContain('call')
    expect(labels(`${head}  a: {wait: time, ‸}`)).toEqual(['needs', 'if', 'continue-on-error', 'for'])
    expect(labels(`${head}  a: {uses: document.extract, ‸`)).toEqual(['with', 'needs', 'if', 'foreach', 'continue-on-error'])
  })
  test('of with: the file and the parameters of the step', () => {
    const found = at(`${head}  text:\n    uses: document.extract\n    with:\n      ‸`)!.offers
    expect(found.map((o) => o.label).slice(0, 3)).toEqual(['file', 'format', 'pages'])
    expect(found.find((o) => o.label === 'format')).toMatchObject({ detail: 'markdown | text | json', again: true })
    expect(labels(`${head}${text}      format: text\n      ‸`)).not.toContain('format')
    expect(labels(`${head}${text}      ‸`)).not.toContain('file')
  })
  test('of with of a call: its inputs', () => expect(labels(`${head}  a: {call: words, with: {‸}}`)).toEqual(['source']))
  test('of triggers', () => {
    expect(labels('on:\n  ‸')).toEqual(['event'])
    expect(labels(`${head}${scan}on:\n  event:\n    types: job.*\n    ‸`)).toEqual(['with'])
    expect(labels(`${head}${scan}on:\n  event:\n    with:\n      ‸`)).toEqual(['source', 'tone'])
  })
  test('none in a comment', () => expect(labels(`${head}${text}    # ‸`)).toEqual([]))
})

describe('values', () => {
  test('steps with their titles', () => {
    const found = at(`${head}  a: {uses: document.‸}`)!
    expect(found.offers.find((o) => o.label === 'document.extract')).toMatchObject({ kind: 'step', detail: 'Extract text' })
    expect(`${head}  a: {uses: document.`.length - found.from).toBe('document.'.length)
  })
  test('pipelines to call', () => expect(labels(`${head}  a:\n    call: ‸`)).toEqual(['words']))
  test('choices of a parameter', () => expect(labels(`${head}${text}      format: ‸`)).toEqual(['markdown', 'text', 'json']))
  test('words of a key', () => {
    expect(labels(`${head}  a:\n    wait: ‸`)).toEqual(['approval', 'signal', 'time', 'callback'])
    expect(labels(`${head}${text}    continue-on-error: ‸`)).toEqual(['true', 'false'])
  })
  test('steps that it needs, but not itself and not twice', () => {
    expect(labels(`${head}${scan}${text}    needs: ‸`)).toEqual(['scan'])
    expect(labels(`${head}${scan}${text}  c: {uses: x, needs: [scan, ‸]}`)).toEqual(['text'])
    expect(labels(`${head}${scan}${text}  c:\n    needs:\n      - ‸`)).toEqual(['scan', 'text'])
  })
  test('files that can go in', () => expect(labels(`${head}${text}  c: {uses: text.chunk, with: {file: ‸}}`)).toEqual(['inputs.source', 'steps.text.output']))
})

describe('expressions', () => {
  const open = `${head}${scan}${text}`
  test('roots and functions', () => {
    const found = labels(`${open}  c: {uses: text.chunk, with: {file: "\${{ ‸ }}"}}`)
    expect(found).toContain('steps')
    expect(found).toContain('join')
    expect(found).not.toContain('item')
    expect(labels(`${open}  c: {uses: text.chunk, foreach: "\${{ inputs.tone }}", with: {file: "\${{ ‸`)).toContain('item')
  })
  test('inputs and the members of a file', () => {
    expect(labels(`${open}      pages: "\${{ inputs.‸ }}"`)).toEqual(['source', 'tone'])
    expect(labels(`${open}      pages: "\${{ inputs.source.‸ }}"`)).toEqual(['name', 'type', 'bytes', 'blob'])
  })
  test('the other steps, and what their contracts give', () => {
    expect(labels(`${open}  c: {uses: text.chunk, with: {file: "\${{ steps.‸`)).toEqual(['scan', 'text'])
    const found = labels(`${open}  c: {uses: text.chunk, with: {file: "\${{ steps.text.‸ }}"}}`)
    for (const label of ['words', 'pages', 'markdown', 'output', 'state']) expect(found).toContain(label)
    expect(found).not.toContain('pdf')
    expect(labels(`${open}  c: {uses: text.chunk, with: {file: "\${{ steps.text.markdown.‸ }}"}}`)).toContain('bytes')
  })
  test('of a call its outputs, of an approval what it gives', () => {
    expect(labels(`${head}  a: {call: words, with: {source: x}}\n  b: {uses: text.chunk, with: {size: "\${{ steps.a.‸ }}"}}`)).toContain('language')
    expect(labels(`${head}  a: {wait: approval}\n  b:\n    if: steps.a.‸`)).toContain('approved')
  })
  test('in the middle of one, and in an if without braces', () => {
    expect(labels(`${open}    if: length(steps.‸`)).toEqual(['scan'])
    expect(labels(`${open}    if: "\${{ steps.scan.verdict == 'x' && in‸ }}"`)).toContain('inputs')
    expect(labels(`${open}    if: "\${{ steps.scan.verdict == 'x‸' }}"`)).toEqual([])
  })
  test('what replaces begins at the word', () => {
    const whole = `${open}    if: "\${{ steps.te‸ }}"`
    expect(whole.indexOf('‸') - at(whole)!.from).toBe(2)
  })
})

describe('explaining', () => {
  const say = (marked: string) => {
    const caret = marked.indexOf('‸')
    return explain(world, marked.replace('‸', ''), caret)
  }
  test('a step, a key, a parameter, a function, a field', () => {
    expect(say(`${head}  a: {uses: document.ext‸ract}`)?.title).toContain('Extract text')
    expect(say(`${head}  a: {us‸es: document.extract}`)?.help).toBe('About uses.')
    expect(say(`${head}${text}      for‸mat: text`)?.help).toContain('How the text is written.')
    expect(say(`${head}${scan}${text}    if: "\${{ len‸gth(inputs.tone) }}"`)?.title).toBe('length(x)')
    expect(say(`${head}${scan}${text}    if: "\${{ inputs.to‸ne }}"`)?.help).toBe('How it sounds.')
  })
  test('nothing of what it does not know', () => expect(say(`${head}  a: {uses: document.ext‸r}`)).toBeNull())
})

describe('the outline', () => {
  test('blocks, braces, lists, texts', () => {
    const root = readOutline('a: 1\nb:\n  - x\n  - {y: [1, "two"]}\n  - z: 3\n    w: 4\nc: |\n  some: text\n  more\nd: "q # no" # yes\ne: {f: g,\n  h: "i"}\nlast: true\n')
    expect(plain(root)).toEqual({ a: 1, b: ['x', { y: [1, 'two'] }, { z: 3, w: 4 }], c: '  some: text\n  more', d: 'q # no', e: { f: 'g', h: 'i' }, last: true })
    expect(find(root, 'e', 'h')?.line).toBe(12)
  })
  test('JSON', () => expect(plain(readOutline('{"name": "x", "steps": {"a": {"uses": "b.c", "with": {"n": [1, 2]}}}}'))).toEqual(
    { name: 'x', steps: { a: { uses: 'b.c', with: { n: [1, 2] } } } }))
  test('ends with every beginning of a text, and with noise', () => {
    const whole = `${head}${scan}${text}on: {event: [a, b]}\noutputs:\n  x: "\${{ steps.text.words }}"\n`
    for (let i = 0; i <= whole.length; i++) {
      readOutline(whole.slice(0, i))
      complete(world, whole, i)
      explain(world, whole, i)
    }
    const letters = 'ab:{}[]"\'-,# \n  |>$&*!?%@`\t'
    let seed = 7
    for (let round = 0; round < 400; round++) {
      let noise = ''
      for (let i = 0; i < 60; i++) noise += letters[(seed = (seed * 1103515245 + 12345) & 0x7fffffff) % letters.length]
      complete(world, noise, round % 60)
    }
  })
})
