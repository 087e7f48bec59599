// What a job's drawing over time consists of: rows of a tree, each with its segments. Pure.
//
//   rows(job, nodes, children, open)       // the job, its nodes (or items), what is open of them below
//   span(rows, now)                        // from when until when
//   ticks(span, width)                     // where the axis has its marks
import { hasEnded, type Attempt, type Job, type Node } from './live'

export type Segment = {
  kind: 'queued' | 'run' | 'wait' | 'retry' | 'reused'
  from: number
  to: number | undefined // undefined: until now
  end?: 'done' | 'failed' | 'canceled' | 'lost' | 'running'
}

export type Row = {
  key: string
  parent: string
  depth: number
  name: string
  uses: string
  kind: 'job' | 'step' | 'call' | 'wait' | 'item' | 'section' | 'more'
  state: string
  job: string | undefined // whose inputs, outputs and log it has
  node: Node | undefined
  owner: string // the pipeline's job that the node belongs to
  segments: Segment[]
  from: number | undefined
  to: number | undefined
  counts: { ended: number; total: number; failed: number } | undefined
  attempts: number
  reused: boolean
  opens: boolean // it has something below
  open: boolean
  critical: boolean
}

// What has been read of what lies below a row.
export type Below = { items: Job[]; more: boolean; nodes: Node[] | undefined }
export type Children = ReadonlyMap<string, Below>

const ms = (at: string | null | undefined) => (at === null || at === undefined ? undefined : Date.parse(at))

export function jobSegments(job: Pick<Job, 'created' | 'started' | 'finished' | 'state' | 'reused' | 'run_at'>, tries: readonly Attempt[] = []): Segment[] {
  const created = Date.parse(job.created)
  const finished = ms(job.finished)
  if (job.reused !== undefined) return [{ kind: 'reused', from: created, to: finished ?? created, end: 'done' }]
  if (tries.length > 0) return [...trySegments(created, tries, finished), ...open(job, tries.at(-1)!)]
  const started = ms(job.started)
  const state = job.state as Segment['end']
  if (started === undefined) return [{ kind: 'queued', from: created, to: finished }]
  const queued: Segment[] = started > created ? [{ kind: 'queued', from: created, to: started }] : []
  return [...queued, { kind: 'run', from: started, to: finished, ...(state === undefined ? {} : { end: state }) }]
}

function trySegments(created: number, tries: readonly Attempt[], finished: number | undefined): Segment[] {
  const all: Segment[] = []
  let free = created
  for (const one of tries) {
    if (one.from > free) all.push({ kind: all.length === 0 ? 'queued' : 'retry', from: free, to: one.from })
    const to = one.to ?? finished
    all.push({ kind: 'run', from: one.from, to, end: one.end })
    free = to ?? one.from
  }
  return all
}

// After the last attempt: it waits for the next.
function open(job: Pick<Job, 'state' | 'finished'>, last: Attempt): Segment[] {
  return job.state === 'queued' && last.to !== undefined ? [{ kind: 'retry', from: last.to, to: undefined }] : []
}

export function nodeSegments(node: Node, tries: readonly Attempt[] = []): Segment[] {
  const from = ms(node.started)
  const to = ms(node.finished)
  if (from === undefined) return []
  if (node.kind === 'wait') return [{ kind: 'wait', from, to }]
  if (node.reused && !node.many) return [{ kind: 'reused', from, to: to ?? from, end: 'done' }]
  const end = node.state as Segment['end']
  if (tries.length > 0) return trySegments(from, tries, to)
  const began = ms(node.began)
  if (node.child !== undefined && node.kind === 'step') {
    if (began === undefined) return [{ kind: 'queued', from, to }]
    const queued: Segment[] = began > from ? [{ kind: 'queued', from, to: began }] : []
    return [...queued, { kind: 'run', from: began, to, ...(end === undefined ? {} : { end }) }]
  }
  return [{ kind: 'run', from, to, ...(end === undefined ? {} : { end }) }]
}

export type Known = {
  children: Children
  open: ReadonlySet<string>
  tries: ReadonlyMap<string, Attempt[]> // by job
  states: ReadonlyMap<string, Job['state']> // of children, told by events
}

export function rows(job: Job, nodes: readonly Node[], known: Known): Row[] {
  const all: Row[] = []
  const key = job.id
  const isOpen = !known.open.has(`-${key}`)
  const opens = nodes.length > 0 || job.items !== undefined || (known.tries.get(job.id)?.length ?? 0) > 1
  all.push({
    key, parent: '', depth: 0, name: job.pipeline ?? job.step, uses: job.pipeline === undefined ? job.step : '', kind: 'job', state: job.state,
    job: job.id, node: undefined, owner: job.id, segments: jobSegments(job, known.tries.get(job.id)), from: Date.parse(job.created), to: ms(job.finished),
    counts: job.items === undefined ? undefined
      : { ended: job.items.done + job.items.failed + job.items.canceled, total: job.items.total, failed: job.items.failed },
    attempts: job.attempts, reused: job.reused !== undefined, opens, open: opens && isOpen, critical: false,
  })
  if (!opens || !isOpen) return all
  if (nodes.length > 0) addNodes(all, nodes, job.id, key, 1, known)
  else if (job.items !== undefined) addItems(all, key, job.id, undefined, 1, known)
  else addTries(all, job, known.tries.get(job.id) ?? [])
  return all
}

function addTries(all: Row[], job: Job, tries: readonly Attempt[]): void {
  for (const one of tries)
    all.push({
      key: `${job.id}#${one.number}`, parent: job.id, depth: 1, name: String(one.number), uses: one.reason ?? '', kind: 'section', state: one.end === 'lost' ? 'failed' : one.end,
      job: job.id, node: undefined, owner: job.id, segments: [{ kind: 'run', from: one.from, to: one.to, end: one.end }], from: one.from, to: one.to,
      counts: undefined, attempts: 0, reused: false, opens: false, open: false, critical: false,
    })
}

function addNodes(all: Row[], nodes: readonly Node[], owner: string, parent: string, depth: number, known: Known): void {
  const critical = criticalPath(nodes)
  for (const node of nodes) {
    const key = `${parent}/${node.id}`
    const opens = (node.many && node.total > 0) || (node.kind === 'call' && node.child !== undefined)
    const isOpen = opens && known.open.has(key)
    const tries = node.child === undefined ? undefined : known.tries.get(node.child)
    all.push({
      key, parent, depth, name: node.id, uses: node.uses, kind: node.kind, state: node.state, job: node.many ? undefined : node.child, node, owner,
      segments: nodeSegments(node, tries), from: ms(node.started), to: ms(node.finished),
      counts: node.many ? { ended: node.ended, total: node.total, failed: node.failed } : undefined,
      attempts: node.attempts ?? 0, reused: node.reused, opens, open: isOpen, critical: critical.has(node.id),
    })
    if (!isOpen) continue
    if (node.many) addItems(all, key, owner, node, depth + 1, known)
    else if (node.child !== undefined) {
      const nested = (node as { nodes?: Node[] }).nodes ?? known.children.get(key)?.nodes
      if (nested !== undefined) addNodes(all, nested, node.child, key, depth + 1, known)
    }
  }
}

function addItems(all: Row[], parent: string, owner: string, node: Node | undefined, depth: number, known: Known): void {
  const below = known.children.get(parent)
  for (const [i, item] of (below?.items ?? []).entries()) {
    const key = `${parent}/${item.id}`
    const state = hasEnded(item.state) ? item.state : (known.states.get(item.id) ?? item.state)
    const opens = item.pipeline !== undefined
    const isOpen = opens && known.open.has(key)
    all.push({
      key, parent, depth, name: item.inputs[0]?.name ?? String(i + 1), uses: '', kind: 'item', state, job: item.id, node, owner,
      segments: jobSegments(item, known.tries.get(item.id)), from: Date.parse(item.created), to: ms(item.finished), counts: undefined,
      attempts: item.attempts, reused: item.reused !== undefined, opens, open: isOpen, critical: false,
    })
    const nested = isOpen ? known.children.get(key)?.nodes : undefined
    if (nested !== undefined) addNodes(all, nested, item.id, key, depth + 1, known)
  }
  if (below?.more === true)
    all.push({
      key: `${parent}/…`, parent, depth, name: '', uses: '', kind: 'more', state: '', job: undefined, node, owner, segments: [], from: undefined, to: undefined,
      counts: undefined, attempts: 0, reused: false, opens: false, open: false, critical: false,
    })
}

// The nodes that the job's end waited for: from the one that ended last back over whichever of its needs ended last.
export function criticalPath(nodes: readonly Node[]): Set<string> {
  const byId = new Map(nodes.map((n) => [n.id, n]))
  const endOf = (n: Node) => (n.started === null ? -1 : (ms(n.finished) ?? Infinity))
  const latest = (some: (Node | undefined)[]) =>
    some.filter((n): n is Node => n !== undefined && endOf(n) >= 0).reduce<Node | undefined>((a, b) => (a === undefined || endOf(b) > endOf(a) ? b : a), undefined)
  const path = new Set<string>()
  const main = nodes.filter((n) => n.section === 'steps')
  for (let at = latest(main); at !== undefined && !path.has(at.id); at = latest((at.needs as string[]).map((id) => byId.get(id)))) path.add(at.id)
  return path.size > 1 ? path : new Set()
}

// --- time ---

export type Span = { from: number; to: number }

const roomy = 1.08

// The whole of it. While it goes on the end is ahead of now and jumps in steps, so that bars grow and the axis stands still.
export function whole(all: readonly Row[], now: number): Span {
  const from = Math.min(...all.map((r) => r.from ?? Infinity))
  if (!Number.isFinite(from)) return { from: now - 1000, to: now }
  const runs = all.some((r) => r.segments.some((s) => s.to === undefined))
  const last = Math.max(from + 10, ...all.map((r) => r.to ?? r.segments.at(-1)?.to ?? r.from ?? 0))
  if (!runs) return { from, to: from + (last - from) * 1.02 }
  const length = Math.max(1000, (Math.max(now, last) - from) * roomy)
  const step = 10 ** Math.floor(Math.log10(length)) / 2
  return { from, to: from + Math.ceil(length / step) * step }
}

const units = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000,
  3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000]

// Offsets in ms from `origin` that are inside the span, as many as have room.
export function ticks(span: Span, origin: number, width: number, room = 90): number[] {
  const wanted = ((span.to - span.from) / Math.max(1, width)) * room
  const unit = units.find((u) => u >= wanted) ?? Math.ceil(wanted / 604_800_000) * 604_800_000
  const all: number[] = []
  for (let at = Math.ceil((span.from - origin) / unit) * unit; origin + at <= span.to && all.length < 100; at += unit) all.push(at)
  return all
}

// The span after zooming by `factor` around the place `at` (0 … 1 of its width), not beyond the limits.
export function zoomed(span: Span, factor: number, at: number, limits: Span): Span {
  const length = Math.min(limits.to - limits.from, Math.max(2, (span.to - span.from) * factor))
  return within({ from: span.from + (span.to - span.from - length) * at, to: span.from + (span.to - span.from - length) * at + length }, limits)
}

export function within(span: Span, limits: Span): Span {
  const length = Math.min(span.to - span.from, limits.to - limits.from)
  const from = Math.min(Math.max(span.from, limits.from), limits.to - length)
  return { from, to: from + length }
}
