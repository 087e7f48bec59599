// A job as it goes on: what the server said of it (REST) and what has happened since (events), as one. Pure: no clock, no network.
//
//   let live = begin(job, nodes)
//   live = take(live, events)          // a frame's worth of events; the snapshot may be older or newer than they are
//   live = snapshot(live, job, nodes)  // read again
//   if (live.stale) …                  // something happened that only a new snapshot tells whole
//
// Events are numbered, so one that was taken already is passed over. A snapshot may know more than the events that are still on
// their way: what they say never takes back an end or a count.
import type { Schemas } from '$lib/api/client'

export type Job = Schemas['Job']
export type Node = Schemas['Node']
export type JobEvent = Schemas['Event']
export type State = Job['state']

export type Live = {
  job: Job
  nodes: Node[]
  seq: number
  items: Map<string, State> // of children that ended: by their job
  stale: boolean
}

const ended = new Set<string>(['done', 'failed', 'canceled', 'skipped', 'omitted'])
export const hasEnded = (state: string) => ended.has(state)

export function begin(job: Job, nodes: Node[] = []): Live {
  return { job, nodes, seq: 0, items: new Map(), stale: false }
}

export function snapshot(live: Live, job: Job, nodes: Node[]): Live {
  return { ...live, job, nodes, stale: false }
}

export function take(live: Live, events: readonly JobEvent[]): Live {
  const fresh = events.filter((e) => e.seq > live.seq)
  if (fresh.length === 0) return live
  const next: Live = { ...live, job: { ...live.job }, nodes: live.nodes, items: new Map(live.items) }
  for (const event of fresh) {
    takeOne(next, event)
    next.seq = Math.max(next.seq, event.seq)
  }
  return next
}

const number = (value: unknown) => (typeof value === 'number' ? value : 0)
const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

function takeOne(live: Live, event: JobEvent): void {
  const data = event.data as Record<string, unknown>
  const [about, what] = event.type.split('.') as [string, string]
  if (about === 'step') return takeStep(live, event, what, data)
  const job = live.job
  switch (event.type) {
    case 'task.started':
      if (Date.parse(event.time) >= Date.parse(job.finished ?? '9999-12-31')) return
      job.attempts = Math.max(job.attempts, number(data['attempt']))
      job.started ??= event.time
      if (!hasEnded(job.state)) job.state = 'running'
      return
    case 'task.progress':
      if (!hasEnded(job.state)) job.progress = { done: number(data['done']), total: number(data['total']) }
      return
    case 'task.retry':
    case 'task.lost':
      if (!hasEnded(job.state)) job.state = 'queued'
      live.stale = true
      return
    case 'job.item':
      takeItem(live, text(data['item']), text(data['state']))
      takeCount(job, data)
      return
    case 'job.retried':
    case 'job.paused':
    case 'job.resumed':
    case 'job.done':
    case 'job.failed':
    case 'job.canceled':
    case 'job.failing':
      live.stale = true
  }
}

function takeItem(live: Live, item: string | undefined, state: string | undefined): void {
  if (item !== undefined && state !== undefined) live.items.set(item, state as State)
}

function takeCount(job: Job, data: Record<string, unknown>): void {
  const done = number(data['done'])
  if (!hasEnded(job.state) && done >= job.progress.done) job.progress = { done, total: number(data['total']) }
}

const stepStates: Record<string, Node['state']> = {
  started: 'running', waiting: 'waiting', done: 'done', failed: 'failed', skipped: 'skipped', reused: 'done',
}

function takeStep(live: Live, event: JobEvent, what: string, data: Record<string, unknown>): void {
  const at = live.nodes.findIndex((n) => n.id === data['step'])
  const before = live.nodes[at]
  live.stale = true
  if (before === undefined) return
  const node = { ...before }
  live.nodes = live.nodes.with(at, node)
  if (what === 'item') {
    takeItem(live, text(data['job']), text(data['state']))
    node.ended = Math.max(node.ended, number(data['done']))
    return
  }
  const state = stepStates[what]
  if (state === undefined || hasEnded(node.state)) return
  node.state = state
  node.started ??= event.time
  if (hasEnded(state)) node.finished ??= event.time
}

// --- attempts: from the events of the job that made them ---

export type Attempt = {
  number: number
  from: number
  to: number | undefined // undefined: it runs
  end: 'done' | 'failed' | 'lost' | 'canceled' | 'running'
  reason: string | undefined
  detail: string | undefined
  next: number | undefined // when the next one may begin
}

export function attempts(events: readonly JobEvent[]): Attempt[] {
  const all: Attempt[] = []
  for (const event of events) {
    const data = event.data as Record<string, unknown>
    const at = Date.parse(event.time)
    const open = all.at(-1)?.to === undefined ? all.at(-1) : undefined
    if (event.type === 'task.started') {
      if (open !== undefined) close(open, at, 'lost', data)
      all.push({ number: number(data['attempt']) || all.length + 1, from: at, to: undefined, end: 'running',
        reason: undefined, detail: undefined, next: undefined })
    } else if (open !== undefined) {
      if (event.type === 'task.done' || event.type === 'job.done') close(open, at, 'done', data)
      else if (event.type === 'task.retry' || event.type === 'task.failed') close(open, at, 'failed', data)
      else if (event.type === 'task.lost') close(open, at, 'lost', data)
      else if (event.type === 'job.canceled') close(open, at, 'canceled', data)
      else if (event.type === 'job.failed') close(open, at, 'failed', data)
    }
  }
  return all
}

function close(attempt: Attempt, at: number, end: Attempt['end'], data: Record<string, unknown>): void {
  attempt.to = at
  attempt.end = end
  attempt.reason = text(data['reason'])
  attempt.detail = text(data['detail'])
  attempt.next = number(data['run_at']) || undefined
}

// --- lines of a log: the newest `max`, whatever comes ---

export type LogLine = { seq: number; time: string; type: string; data: Record<string, unknown> }

export class Log {
  lines: LogLine[] = []
  dropped = 0
  constructor(readonly max = 5000) {}

  add(events: readonly JobEvent[]): void {
    const last = this.lines.at(-1)?.seq ?? this.dropped
    for (const e of events)
      if (e.seq > last) this.lines.push({ seq: e.seq, time: e.time, type: e.type, data: e.data as Record<string, unknown> })
    // Cut rarely: moving thousands of lines for each new one would cost more than they are worth.
    if (this.lines.length > this.max + this.max / 4) {
      this.dropped += this.lines.length - this.max
      this.lines = this.lines.slice(-this.max)
    }
  }
}

export function lineMatches(line: LogLine, words: string): boolean {
  if (words === '') return true
  const all = `${line.type} ${JSON.stringify(line.data)}`.toLowerCase()
  return words.toLowerCase().split(/\s+/).every((word) => all.includes(word))
}
