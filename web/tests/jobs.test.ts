// A job from snapshots and events, and its drawing over time: the pure half of the jobs page.
import { describe, expect, test } from 'vitest'
import { listQuery, manyBodies, sinceMs } from '../src/pages/jobs/filters'
import { attempts, begin, Log, lineMatches, snapshot, take, type Job, type JobEvent, type Node } from '../src/pages/jobs/live'
import { criticalPath, jobSegments, nodeSegments, rows, ticks, whole, within, zoomed, type Known } from '../src/pages/jobs/waterfall'

const at = (s: number) => new Date(Date.UTC(2026, 10, 22, 8, 0, 0) + s * 1000).toISOString()
const ms = (s: number) => Date.parse(at(s))

function job(more: Partial<Job> = {}): Job {
  return {
    id: 'job_1', step: 'text.stats', state: 'running', queue: 'default', priority: 0, attempts: 1, max_attempts: 3, created: at(0), run_at: null,
    started: at(1), finished: null, progress: { done: 0, total: 0 }, params: {}, inputs: [], outputs: [], data: {}, trace: '', ...more,
  } as Job
}
function node(id: string, more: Partial<Node> = {}): Node {
  return {
    id, kind: 'step', uses: 'test.noop', state: 'pending', section: 'steps', needs: [], started: null, finished: null, due: null, total: 1, ended: 0,
    failed: 0, many: false, reused: false, optional: false, ...more,
  } as Node
}
const event = (seq: number, type: string, data: object = {}, s = seq): JobEvent => ({ seq, job: 'job_1', time: at(s), type, data }) as JobEvent

describe('a job from its snapshot and its events', () => {
  test('progress, the start and attempts are taken from events', () => {
    const live = take(begin(job({ state: 'queued', started: null, attempts: 0 })), [
      event(1, 'job.added'), event(2, 'task.started', { attempt: 1 }), event(3, 'task.progress', { done: 3, total: 10 })])
    expect(live.job).toMatchObject({ state: 'running', attempts: 1, started: at(2), progress: { done: 3, total: 10 } })
    expect(live.stale).toBe(false)
  })

  test('what was taken already is passed over, in any order of arrival', () => {
    const events = [event(1, 'job.added'), event(2, 'task.started', { attempt: 1 }), event(3, 'task.progress', { done: 3, total: 10 })]
    const once = take(begin(job()), events)
    expect(take(once, events)).toBe(once)
    expect(take(once, [event(2, 'task.started', { attempt: 7 })])).toBe(once)
  })

  test('late events take nothing back from a newer snapshot', () => {
    const ended = begin(job({ state: 'done', finished: at(9), progress: { done: 10, total: 10 } }), [node('a', { state: 'done', many: true, ended: 4, total: 4 })])
    const live = take(ended, [event(2, 'task.started', { attempt: 1 }), event(3, 'task.progress', { done: 3, total: 10 }),
      event(4, 'step.started', { step: 'a' }), event(5, 'step.item', { step: 'a', done: 2, total: 4, job: 'job_2', state: 'done' })])
    expect(live.job).toMatchObject({ state: 'done', progress: { done: 10, total: 10 } })
    expect(live.nodes[0]).toMatchObject({ state: 'done', ended: 4 })
  })

  test('an end, a retry and steps ask for a new snapshot, which answers that', () => {
    for (const type of ['job.done', 'job.retried', 'task.retry', 'step.done']) {
      const live = take(begin(job()), [event(2, type)])
      expect(live.stale, type).toBe(true)
      expect(snapshot(live, job({ state: 'done' }), []).stale).toBe(false)
    }
  })

  test('steps go on: started, items, done; an unknown one only asks for a snapshot', () => {
    let live = begin(job({ pipeline: 'p' }), [node('a', { many: true, total: 3 }), node('b')])
    live = take(live, [event(2, 'step.started', { step: 'a' }), event(3, 'step.item', { step: 'a', done: 2, total: 3, job: 'job_7', state: 'failed' })])
    expect(live.nodes[0]).toMatchObject({ state: 'running', started: at(2), ended: 2 })
    expect(live.items.get('job_7')).toBe('failed')
    live = take(live, [event(4, 'step.done', { step: 'a' }), event(5, 'step.waiting', { step: 'b' }), event(6, 'step.done', { step: 'zzz' })])
    expect(live.nodes.map((n) => n.state)).toEqual(['done', 'waiting'])
    expect(live.nodes[0]!.finished).toBe(at(4))
  })

  test('a thousand items in one frame', () => {
    const events = Array.from({ length: 1000 }, (_, i) => event(i + 1, 'job.item', { item: `job_${i}`, state: 'done', done: i + 1, total: 1000 }))
    const live = take(begin(job()), events)
    expect(live.items.size).toBe(1000)
    expect(live.job.progress).toEqual({ done: 1000, total: 1000 })
  })
})

describe('attempts', () => {
  test('with reasons and the time of the next', () => {
    expect(attempts([event(1, 'job.added'), event(2, 'task.started', { attempt: 1 }),
      event(3, 'task.retry', { attempt: 1, reason: 'engine_killed', detail: 'memory', run_at: ms(8) }), event(4, 'task.started', { attempt: 2 }, 8),
      event(5, 'task.done', { attempt: 2 }, 9), event(6, 'job.done', {}, 9)])).toEqual([
      { number: 1, from: ms(2), to: ms(3), end: 'failed', reason: 'engine_killed', detail: 'memory', next: ms(8) },
      { number: 2, from: ms(8), to: ms(9), end: 'done', reason: undefined, detail: undefined, next: undefined }])
  })

  test('one that runs is open; one that was lost, cancelled, or never said its end is closed', () => {
    const ends = (...types: string[]) => attempts(types.map((type, i) => event(i + 1, type))).map((a) => a.end)
    expect(ends('task.started')).toEqual(['running'])
    expect(ends('task.started', 'task.lost', 'task.started')).toEqual(['lost', 'running'])
    expect(ends('task.started', 'job.canceled', 'job.retried', 'task.started', 'task.failed')).toEqual(['canceled', 'failed'])
    expect(ends('task.started', 'task.started')).toEqual(['lost', 'running'])
    expect(ends('job.added', 'job.done')).toEqual([])
  })
})

describe('the log', () => {
  test('keeps the newest and says how many it dropped', () => {
    const log = new Log(100)
    for (let i = 0; i < 30; i++) log.add(Array.from({ length: 10 }, (_, k) => event(i * 10 + k + 1, 'task.note')))
    expect(log.lines.length).toBeLessThanOrEqual(125)
    expect(log.lines.at(-1)!.seq).toBe(300)
    expect(log.dropped + log.lines.length).toBe(300)
    log.add([event(5, 'task.note')])
    expect(log.lines.at(-1)!.seq).toBe(300)
  })
  test('is searched by all words, in type and data', () => {
    const line = { seq: 1, time: at(0), type: 'task.note', data: { note: 'Page Seven' } }
    expect(lineMatches(line, 'note seven')).toBe(true)
    expect(lineMatches(line, 'seven eight')).toBe(false)
  })
})

const nothing: Known = { children: new Map(), open: new Set(), tries: new Map(), states: new Map() }

describe('rows over time', () => {
  test('queued, then run; what runs has no end; what was taken over is one mark', () => {
    expect(jobSegments(job())).toEqual([{ kind: 'queued', from: ms(0), to: ms(1) }, { kind: 'run', from: ms(1), to: undefined, end: 'running' }])
    expect(jobSegments(job({ state: 'queued', started: null }))).toEqual([{ kind: 'queued', from: ms(0), to: undefined }])
    expect(jobSegments(job({ reused: 'job_0', finished: at(0) }))).toEqual([{ kind: 'reused', from: ms(0), to: ms(0), end: 'done' }])
    expect(nodeSegments(node('a'))).toEqual([])
    expect(nodeSegments(node('a', { kind: 'wait', state: 'waiting', started: at(2) }))).toEqual([{ kind: 'wait', from: ms(2), to: undefined }])
    expect(nodeSegments(node('a', { state: 'done', child: 'job_2', started: at(1), began: at(3), finished: at(4) }))).toEqual([
      { kind: 'queued', from: ms(1), to: ms(3) }, { kind: 'run', from: ms(3), to: ms(4), end: 'done' }])
  })

  test('the time between attempts is drawn, also while the next is awaited', () => {
    const tries = attempts([event(1, 'task.started', { attempt: 1 }), event(2, 'task.retry', { attempt: 1 })])
    expect(jobSegments(job({ state: 'queued' }), tries).map((s) => [s.kind, s.to === undefined])).toEqual([['queued', false], ['run', false], ['retry', true]])
  })

  test('a tree of nodes, items below one that is open, nodes of a called pipeline, and the end of what was read', () => {
    const nodes = [node('a', { state: 'done', started: at(1), finished: at(2) }), node('many', { many: true, total: 250, ended: 3, failed: 1, needs: ['a'] as never, started: at(2) }),
      { ...node('sub', { kind: 'call', child: 'job_9', started: at(2) }), nodes: [node('deep')] }]
    const item = job({ id: 'job_5', state: 'running' })
    const known: Known = { ...nothing, open: new Set(['job_1/many', 'job_1/sub']), states: new Map([['job_5', 'failed']]),
      children: new Map([['job_1/many', { items: [item], more: true, nodes: undefined }]]) }
    const all = rows(job({ pipeline: 'p' }), nodes, known)
    expect(all.map((r) => [r.depth, r.kind, r.name, r.state])).toEqual([
      [0, 'job', 'p', 'running'], [1, 'step', 'a', 'done'], [1, 'step', 'many', 'pending'], [2, 'item', '1', 'failed'], [2, 'more', '', ''],
      [1, 'call', 'sub', 'pending'], [2, 'step', 'deep', 'pending']])
    expect(all[2]!.counts).toEqual({ ended: 3, total: 250, failed: 1 })
    expect(all[6]!.owner).toBe('job_9')
    expect(rows(job({ pipeline: 'p' }), nodes, { ...known, open: new Set(['-job_1']) })).toHaveLength(1)
  })

  test('the longest path goes back over what ended last', () => {
    const some = [node('a', { state: 'done', started: at(0), finished: at(1) }), node('b', { state: 'done', started: at(1), finished: at(9), needs: ['a'] as never }),
      node('c', { state: 'done', started: at(1), finished: at(2), needs: ['a'] as never }), node('d', { state: 'running', started: at(9), needs: ['b', 'c'] as never }),
      node('e', { needs: ['d'] as never })]
    expect([...criticalPath(some)].sort()).toEqual(['a', 'b', 'd'])
    expect(criticalPath([node('a')]).size).toBe(0)
  })
})

describe('the axis', () => {
  test('has as many marks as have room, at round times', () => {
    expect(ticks({ from: 1000, to: 11_000 }, 1000, 600)).toEqual([0, 2000, 4000, 6000, 8000, 10_000])
    expect(ticks({ from: 0, to: 3_600_000 }, 0, 400)).toEqual([0, 900_000, 1_800_000, 2_700_000, 3_600_000])
    expect(ticks({ from: 0, to: 1 }, 0, 0).length).toBeLessThan(101)
  })
  test('is longer than now while something runs, and stays until that is not enough', () => {
    const all = rows(job(), [], nothing)
    const first = whole(all, ms(10))
    expect(first.to).toBeGreaterThan(ms(10))
    expect(whole(all, ms(13))).toEqual(first)
    expect(whole(all, ms(11)).from).toBe(ms(0))
    expect(whole(rows(job({ state: 'done', finished: at(5) }), [], nothing), ms(99)).to).toBeLessThan(ms(6))
  })
  test('is zoomed around a place and never leaves the whole', () => {
    const all = { from: 0, to: 1000 }
    expect(zoomed(all, 0.5, 0.5, all)).toEqual({ from: 250, to: 750 })
    expect(zoomed({ from: 0, to: 500 }, 4, 0, all)).toEqual(all)
    expect(within({ from: 900, to: 1400 }, all)).toEqual({ from: 500, to: 1000 })
  })
})

describe('filters', () => {
  const now = ms(0)
  test('of the address become those of the server', () => {
    expect(listQuery(new URLSearchParams('state=failed,done&since=1h&step=+a.b+&queue='), now)).toEqual({ state: ['failed', 'done'], step: 'a.b', since_ms: now - 3_600_000 })
    expect(sinceMs('1763800000000', now)).toBe(1763800000000)
    expect(sinceMs('soon', now)).toBeUndefined()
  })
  test('of many: one request, or one per state when some are left out', () => {
    expect(manyBodies('cancel', new URLSearchParams('queue=q'), now)).toEqual([{ queue: 'q' }])
    expect(manyBodies('retry', new URLSearchParams('state=failed,done'), now)).toEqual([{ state: 'failed' }])
    expect(manyBodies('delete', new URLSearchParams('state=failed,canceled,done'), now)).toEqual([{}])
    expect(manyBodies('cancel', new URLSearchParams('state=done'), now)).toEqual([])
  })
})
