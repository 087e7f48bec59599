// What may be written where the caret is, and what a word means: from the contracts of the steps, the language of the server
// (GET /api/v1/language) and the text itself. Pure; tests/complete.test.ts.
import { CURSOR, type Explained, type Offer, type Offers } from '$lib/edit/types'
import type { Schemas } from '$lib/api/client'
import { keysOf, whereIs, type Where } from './context'
import { find, plain, type Item } from './outline'

export type Step = Schemas['Step']
export type Language = Schemas['PipelineLanguage']
export type Called = { inputs: { name: string; help: string; file: boolean; required: boolean }[]; outputs: string[] }

export type World = {
  language: Language
  steps: Step[]
  pipelines: { name: string; title: string; summary: string }[]
  secrets: string[]
  called: (name: string) => Called | undefined // what is known of it by now
  say: (text: string | undefined) => string // texts of contracts in the reader's language
}

type Param = NonNullable<Step['params']>[number]
type FieldOf = { name: string; type: string; help?: string; items?: FieldOf[] }
type Key = Language['keys'][number]

const sections = ['steps', 'on-failure', 'finally']
const fileTypes = ['file', 'files', 'document']

/* --- what the text says --- */

type Node = { id: string; item: Item; section: string; kind: 'step' | 'call' | 'wait' | 'none'; what: string; many: boolean }

function nodesIn(root: Item): Node[] {
  return sections.flatMap((section) => (find(root, section)?.items ?? []).filter((i) => !i.bare).map((item) => {
    const has = (key: string) => find(item, key)
    const kind = has('uses') ? 'step' : has('call') ? 'call' : has('wait') ? 'wait' : 'none'
    const what = kind === 'none' ? '' : (has(kind === 'step' ? 'uses' : kind)?.value ?? '')
    return { id: item.key, item, section, kind, what, many: has('foreach') !== undefined || has('matrix') !== undefined }
  }))
}

const inputsIn = (root: Item) => (find(root, 'inputs')?.items ?? []).filter((i) => !i.bare)
const typeOfInput = (input: Item) => find(input, 'type')?.value ?? ''
const stepNamed = (world: World, name: string) => world.steps.find((step) => step.name === name)
const fieldsOf = (step: Step | undefined) => ((step as { data?: FieldOf[] } | undefined)?.data ?? []) as FieldOf[]
const givesFiles = (step: Step | undefined) => step?.returns !== undefined

// The names of the files that a step gives, by type: "text/markdown,application/pdf" gives markdown, pdf.
function fileNames(world: World, step: Step | undefined): string[] {
  const returns = (step?.returns ?? '').split(',').map((type) => type.trim())
  if (returns.includes('*/*')) return world.language.members.file_types as string[]
  return (world.language.members.file_types as string[]).filter((name) =>
    returns.some((type) => type === 'text/plain' ? name === 'text' : type.startsWith(`${name}/`) && name !== 'text' || type.split('/')[1] === name))
}

function typeWords(param: Param | FieldOf): string {
  const p = param as Param
  if (p.type === 'choice') return (p.choices ?? []).map((c) => c.name).slice(0, 4).join(' | ')
  const range = p.min !== undefined && p.max !== undefined ? ` ${String(p.min)}–${String(p.max)}` : ''
  return `${p.type}${range}${p.unit === undefined ? '' : ` ${p.unit}`}`
}

/* --- keys --- */

function keyOffer(world: World, key: Key): Offer {
  const opens = key.type === 'object' && key.name !== 'with' && key.name !== 'matrix'
  const insert = key.values !== undefined || ['step', 'pipeline', 'nodes', 'bool'].includes(key.type) ? `${key.name}: `
    : key.type === 'expression' && key.name !== 'if' ? `${key.name}: "\${{ ${CURSOR} }}"` : opens ? `${key.name}:` : `${key.name}: `
  return { label: key.name, kind: 'key', detail: key.values?.join(' | ') ?? key.type, help: world.say(key.help), insert, again: insert.endsWith(': ') }
}

function keyOffers(world: World, where: Where, places: string[]): Offer[] {
  const there = new Set(where.siblings.map((item) => item.key))
  const wait = where.siblings.find((item) => item.key === 'wait')?.value
  const seen = new Set<string>()
  return world.language.keys.filter((key) => {
    const fits = (key.in as string[]).some((place) => places.includes(place)) && !there.has(key.name) && !seen.has(key.name)
    if (fits) seen.add(key.name)
    return fits && (key.only === undefined || wait === undefined || key.only === wait)
  }).map((key) => keyOffer(world, key))
}

function nodePlaces(siblings: Item[]): string[] {
  const has = (key: string) => siblings.some((item) => item.key === key && !item.bare)
  return has('uses') ? ['step'] : has('call') ? ['call'] : has('wait') ? ['wait'] : ['step', 'call', 'wait']
}

function inputPlaces(siblings: Item[]): string[] {
  const type = siblings.find((item) => item.key === 'type')?.value
  return type === undefined ? ['input', 'file_input'] : fileTypes.includes(type) ? ['file_input'] : ['input']
}

function paramOffer(world: World, param: Param): Offer {
  const help = [world.say(param.help), ...(param.choices ?? []).map((c) => `${c.name}: ${world.say(c.help)}`)].join('\n')
  const asks = param.type === 'choice' || param.type === 'bool'
  return { label: param.name, kind: 'key', detail: `${typeWords(param)}${param.required === true ? ' *' : ''}`, help, insert: `${param.name}: `, again: asks }
}

function withOffers(world: World, where: Where, node: Node): Offer[] {
  const there = new Set(where.siblings.map((item) => item.key))
  if (node.kind === 'call')
    return (world.called(node.what)?.inputs ?? []).filter((input) => !there.has(input.name)).map((input) => ({
      label: input.name, kind: 'key', detail: `${input.file ? 'file' : 'input'}${input.required ? ' *' : ''}`, help: world.say(input.help),
      insert: `${input.name}: "\${{ ${CURSOR} }}"`, again: true,
    }))
  const step = stepNamed(world, node.what)
  if (step === undefined) return []
  const params = (step.params ?? []).filter((param) => param.replaced_by === undefined && !there.has(param.name)).map((p) => paramOffer(world, p))
  const files: Offer[] = step.accepts === undefined || ['file', 'inputs', 'document'].some((key) => there.has(key)) ? [] : [{
    label: (step.inputs_max ?? 1) > 1 ? 'inputs' : 'file', kind: 'key', detail: step.input_optional === true ? 'file' : 'file *', help: step.accepts.split(',').join(', '),
    insert: `${(step.inputs_max ?? 1) > 1 ? 'inputs' : 'file'}: "\${{ ${CURSOR} }}"`, again: true,
  }]
  return [...files, ...params]
}

function offersForKey(world: World, where: Where): Offer[] {
  const path = keysOf(where)
  const [top, second, third, fourth] = path
  if (top === undefined) return keyOffers(world, where, ['pipeline'])
  if (top === 'inputs') return path.length === 2 ? keyOffers(world, where, inputPlaces(where.siblings)) : []
  if (top === 'defaults') return path.length === 1 ? keyOffers(world, where, ['defaults']) : second === 'retry' ? keyOffers(world, where, ['retry']) : []
  if (top === 'concurrency') return keyOffers(world, where, ['concurrency'])
  if (top === 'on') return triggerOffers(world, where, path)
  if (!sections.includes(top)) return []
  if (path.length === 2) return keyOffers(world, where, nodePlaces(where.siblings))
  if (path.length === 3 && third === 'retry') return keyOffers(world, where, ['retry'])
  const node = nodesIn(where.root).find((n) => n.id === second && n.section === top)
  if (path.length === 3 && third === 'with' && node !== undefined) return withOffers(world, where, node)
  return fourth === undefined ? [] : []
}

function triggerOffers(world: World, where: Where, path: string[]): Offer[] {
  const there = new Set(where.siblings.map((item) => item.key))
  if (path.length === 1)
    return world.language.triggers.filter((t) => !there.has(t.name)).map((trigger) => ({ label: trigger.name, kind: 'key', help: world.say(trigger.help),
      insert: `${trigger.name}: ` }))
  const kind = world.language.triggers.find((trigger) => trigger.name === path[1])
  const inside = path.slice(2).filter((key) => !key.startsWith('['))
  if (inside[0] === 'with')
    return inputsIn(where.root).filter((input) => !there.has(input.key)).map((input) => ({ label: input.key, kind: 'key', detail: typeOfInput(input),
      insert: `${input.key}: "\${{ ${CURSOR} }}"`, again: true }))
  if (inside.length > 0) return []
  return (kind?.keys ?? []).filter((key) => !there.has(key.name)).map((key) => ({ label: key.name, kind: 'key', help: world.say(key.help), insert: `${key.name}: ` }))
}

/* --- values --- */

const words = (values: readonly string[]): Offer[] => values.map((label) => ({ label, kind: 'value' }))

function valuesOfParam(world: World, param: Param): Offer[] {
  if (param.type === 'bool') return words(['true', 'false'])
  const standard = (param as { default?: unknown }).default
  if (param.type === 'choice')
    return (param.choices ?? []).map((choice) => ({ label: choice.name, kind: 'value', help: world.say(choice.help),
      ...(choice.name === standard ? { detail: '=' } : {}) }))
  const shown = standard !== undefined && standard !== '' && ['string', 'number'].includes(typeof standard) ? String(standard) : undefined
  const examples = [shown, param.example].filter((v): v is string => v !== undefined && v !== '')
  return [...new Set(examples)].map((label) => ({ label, kind: 'value', help: world.say(param.help), insert: /^[\w.-]+$/.test(label) ? label : JSON.stringify(label) }))
}

// What may go in as a file: inputs, and the files of the steps before.
function fileExpressions(world: World, where: Where, self: string | undefined): Offer[] {
  const inputs = inputsIn(where.root).filter((input) => fileTypes.includes(typeOfInput(input))).map((input) => `inputs.${input.key}`)
  const steps = nodesIn(where.root).filter((node) => node.id !== self && node.kind === 'step' && !node.many && givesFiles(stepNamed(world, node.what)))
    .map((node) => `steps.${node.id}.output`)
  return [...inputs, ...steps].map((label) => ({ label, kind: 'value', insert: where.item.quoted ? `\${{ ${label} }}` : `"\${{ ${label} }}"` }))
}

function offersForValue(world: World, where: Where): Offer[] {
  const path = where.path.map((item) => item.key)
  const [top, id, key] = path
  if (top === 'inputs' && path.length === 3) return valuesOfKey(world, ['input', 'file_input'], path[2]!)
  if (top === 'defaults' && path.length === 2) return valuesOfKey(world, ['defaults'], path[1]!)
  if (top === 'secrets') return world.secrets.map((label) => ({ label, kind: 'value' }))
  if (top === undefined || !sections.includes(top) || key === undefined) return []
  const nodes = nodesIn(where.root)
  const node = nodes.find((n) => n.id === id && n.section === top)
  if (path.length === 3 && key === 'uses')
    return world.steps.map((step) => ({ label: step.name, kind: 'step', detail: world.say(step.title), help: world.say(step.summary) }))
  if (path.length === 3 && key === 'call')
    return world.pipelines.map((p) => ({ label: p.name, kind: 'pipeline', detail: p.title, help: p.summary }))
  if (key === 'needs' && path.length <= 4)
    return nodes.filter((n) => n.id !== id && n.section === top && !where.siblings.some((s) => path.length === 4 && s.value === n.id))
      .map((n) => ({ label: n.id, kind: 'node', detail: n.what }))
  if (path.length === 3) return valuesOfKey(world, nodePlaces(node?.item.items ?? []), key)
  if (key !== 'with' || path.length < 4 || node === undefined) return []
  const param = stepNamed(world, node.what)?.params?.find((p) => p.name === path[3])
  if (param !== undefined && path.length === 4) return valuesOfParam(world, param)
  return ['file', 'inputs', 'document'].includes(path[3]!) ? fileExpressions(world, where, id) : []
}

function valuesOfKey(world: World, places: string[], name: string): Offer[] {
  const key = world.language.keys.find((k) => k.name === name && (k.in as string[]).some((place) => places.includes(place)))
  if (key?.type === 'bool') return words(['true', 'false'])
  if (key?.type === 'duration') return words(['30s', '10m', '2h', '7d'])
  return words((key?.values ?? []) as string[])
}

/* --- expressions --- */

const fieldOffer = (world: World, field: FieldOf): Offer => ({ label: field.name, kind: 'field', detail: field.type, help: world.say(field.help) })
const plainFields = (names: readonly string[], detail?: string): Offer[] => names.map((label) => ({ label, kind: 'field', ...(detail === undefined ? {} : { detail }) }))

function membersOfStep(world: World, node: Node, rest: string[]): Offer[] {
  const { members } = world.language
  if (node.many) return []
  if (node.kind === 'wait') return rest.length > 0 ? [] : plainFields(node.what === 'approval' ? (members.approval as string[]) : node.what === 'time' ? (members.time as string[]) : ['payload', 'state'])
  if (node.kind === 'call') return rest.length > 0 ? [] : plainFields([...(world.called(node.what)?.outputs ?? []), 'state', 'reason'])
  const step = stepNamed(world, node.what)
  const files = fileNames(world, step)
  if (rest.length === 0) {
    const own = (members.step as string[]).filter((name) => givesFiles(step) || !name.startsWith('output'))
    return [...fieldsOf(step).map((f) => fieldOffer(world, f)), ...plainFields(files, 'file'), ...plainFields(own)]
  }
  if (rest[0] === 'output' || files.includes(rest[0]!)) return rest.length === 1 ? plainFields(members.file as string[]) : []
  let fields: FieldOf[] | undefined = fieldsOf(step)
  for (const name of rest) {
    const field: FieldOf | undefined = fields?.find((f) => f.name === name)
    fields = field?.type === 'object' ? field.items : undefined
  }
  return (fields ?? []).map((f) => fieldOffer(world, f))
}

function membersOf(world: World, where: Where, path: string[]): Offer[] {
  const { members } = world.language
  const [root, name, ...rest] = path
  const nodes = nodesIn(where.root)
  const [section, self] = keysOf(where)
  if (root === 'inputs') {
    const input = inputsIn(where.root).find((i) => i.key === name)
    if (name === undefined)
      return inputsIn(where.root).map((i) => ({ label: i.key, kind: 'field', detail: typeOfInput(i), help: world.say(find(i, 'help')?.value) }))
    return input !== undefined && ['file', 'document'].includes(typeOfInput(input)) && rest.length === 0 ? plainFields(members.file as string[]) : []
  }
  if (root === 'steps') {
    const node = nodes.find((n) => n.id === name)
    if (name !== undefined) return node === undefined ? [] : membersOfStep(world, node, rest)
    const reach = sections.slice(0, Math.max(0, sections.indexOf(section ?? '')) + 1)
    return nodes.filter((n) => n.id !== self && (section === undefined || !sections.includes(section) || reach.includes(n.section)))
      .map((n) => ({ label: n.id, kind: 'node', detail: n.what }))
  }
  if (root === 'matrix' && name === undefined) return plainFields((find(where.root, section ?? '', self ?? '', 'matrix')?.items ?? []).map((i) => i.key))
  if (root === 'secrets' && name === undefined)
    return plainFields([...new Set([...((plain(find(where.root, 'secrets')) as string[] | null) ?? []), ...world.secrets])])
  if (root === 'waits')
    return name === undefined ? nodes.filter((n) => n.kind === 'wait' && n.what === 'callback').map((n) => ({ label: n.id, kind: 'node' })) : rest.length === 0 ? plainFields(['url']) : []
  if (root === 'item' && name === undefined) {
    const over = find(where.root, section ?? '', self ?? '', 'foreach')?.value ?? ''
    const input = inputsIn(where.root).find((i) => over.includes(`inputs.${i.key}`))
    return input !== undefined && typeOfInput(input) === 'files' ? plainFields(members.file as string[]) : []
  }
  if (name !== undefined) return []
  return root === 'failure' ? plainFields(members.failure as string[]) : root === 'job' ? plainFields(members.job as string[]) : []
}

// Which roots make sense here; the server says the rest.
function rootFits(where: Where, root: string): boolean {
  const [section, self, key] = keysOf(where)
  const inside = [...keysOf(where), where.item.key]
  if (section === 'on') return root === 'trigger'
  const node = find(where.root, section ?? '', self ?? '')
  if (root === 'item' || root === 'index') return key === 'with' && find(node, 'foreach') !== undefined
  if (root === 'matrix') return key === 'with' && find(node, 'matrix') !== undefined
  if (root === 'failure') return section === 'on-failure' || section === 'finally'
  if (root === 'steps') return section !== 'concurrency'
  if (root === 'secrets' || root === 'waits') return inside.includes('with')
  return root !== 'trigger' || section !== undefined
}

function offersInExpression(world: World, where: Where): Offers | null {
  const before = where.expression!.before
  const code = before.replace(/'(?:[^']|'')*'/g, (text) => 'x'.repeat(text.length))
  if (code.includes("'")) return null // within a text
  const match = /((?:[A-Za-z_][\w-]*(?:\[\w+\])*\.)*)([A-Za-z_][\w-]*)?$/.exec(code)
  const word = match?.[2] ?? ''
  const path = (match?.[1] ?? '').split('.').filter((part) => part !== '').map((part) => part.replace(/\[.*$/, ''))
  const from = where.from + where.word.length - word.length
  if (path.length > 0) return { from, offers: membersOf(world, where, path) }
  if (/\.\s*$/.test(code)) return null
  const follows = (name: string) => ['inputs', 'steps', 'matrix', 'secrets', 'failure', 'job', 'waits'].includes(name)
  return {
    from,
    offers: [
      ...world.language.roots.filter((root) => rootFits(where, root.name)).map((root): Offer => ({ label: root.name, kind: 'root', help: world.say(root.help),
        insert: follows(root.name) ? `${root.name}.` : root.name, again: follows(root.name) })),
      ...world.language.functions.map((f): Offer => ({ label: f.name, kind: 'function', detail: f.usage, help: world.say(f.help), insert: `${f.name}(${CURSOR})` })),
    ],
  }
}

export function complete(world: World, text: string, at: number): Offers | null {
  const where = whereIs(text, at)
  if (where === null) return null
  if (where.expression !== undefined) return offersInExpression(world, where)
  const offers = where.at === 'key' ? offersForKey(world, where) : offersForValue(world, where)
  return { from: where.from, offers }
}

/* --- what a word means --- */

function wordAt(text: string, at: number): { from: number; to: number; word: string } | null {
  const before = /[\w-]*$/.exec(text.slice(0, at))![0]
  const after = /^[\w-]*/.exec(text.slice(at))![0]
  return before.length + after.length === 0 ? null : { from: at - before.length, to: at + after.length, word: before + after }
}

function means(world: World, where: Where, word: string): { title: string; help: string } | null {
  const path = where.path.map((item) => item.key)
  const [top, id, key] = path
  if (where.expression !== undefined) {
    const call = world.language.functions.find((f) => f.name === word)
    if (call !== undefined && !/\.\s*$/.test(where.expression.before)) return { title: call.usage, help: world.say(call.help) }
    const offer = offersInExpression(world, where)?.offers.find((o) => o.label === word)
    return offer === undefined ? null : { title: [offer.label, offer.detail].filter(Boolean).join(' · '), help: offer.help ?? '' }
  }
  const node = nodesIn(where.root).find((n) => n.id === id && n.section === top)
  const step = node === undefined ? undefined : stepNamed(world, node.what)
  if (key === 'uses' && where.at === 'value' && step !== undefined) return { title: `${step.name} · ${world.say(step.title)}`, help: world.say(step.summary) }
  if (where.at === 'key') {
    const offer = offersForKey(world, where).find((o) => o.label === word)
    return offer === undefined ? null : { title: [offer.label, offer.detail].filter(Boolean).join(' · '), help: offer.help ?? '' }
  }
  const offer = offersForValue(world, where).find((o) => o.label === word)
  return offer?.help === undefined || offer.help === '' ? null : { title: word, help: offer.help }
}

export function explain(world: World, text: string, at: number): Explained | null {
  const found = wordAt(text, at)
  if (found === null) return null
  // A key that is there already is offered when it is taken away first: the caret stands where it was.
  const isKey = /^["']?\s*:(\s|$)/.test(text.slice(found.to, found.to + 4))
  const where = isKey ? whereIs(text.slice(0, found.from) + text.slice(found.to), found.from) : whereIs(text, found.from)
  const usesValue = where?.item.key === 'uses'
  const meaning = where === null ? null : means(world, isKey ? { ...where, at: 'key' } : where, usesValue ? '' : found.word)
  return meaning === null || (meaning.help === '' && !usesValue) ? null : { from: found.from, to: found.to, ...meaning }
}
