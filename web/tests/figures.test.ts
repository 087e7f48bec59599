// The pure halves of home, queues, usage and health.
import { describe, expect, test } from 'vitest'
import { stack, top, type Series } from '../src/lib/chart/series'
import { splits } from '../src/lib/chart/draw'
import { queuesThatStand } from '../src/pages/home/overview'
import { leadsTo, verdict } from '../src/pages/health/system'
import { days, partOf, rangeOf, since, stackOf, unitsOf, type Row } from '../src/pages/usage/usage'

const series = (values: (number | null)[]): Series => ({ label: 'x', values, tone: 'accent' })

describe('charts', () => {
  test('a stack stands on itself, gaps count as nothing', () => {
    expect(stack([series([1, null, 3]), series([10, 20, null])])).toEqual([[1, 0, 3], [11, 20, 3]])
    expect(stack([])).toEqual([])
  })
  test('the scale ends on a round number above the largest and is never empty', () => {
    expect([top([]), top([0, null]), top([7]), top([98]), top([1000])]).toEqual([1, 1, 7.5, 100, 1500])
  })
  test('the axis names the last point and not more than there is room for', () => {
    const times = Array.from({ length: 60 }, (_, i) => i)
    expect(splits(times, 360)).toEqual([14, 29, 44, 59])
    expect(splits([5], 360)).toEqual([5])
  })
})

describe('usage', () => {
  const row = (day: string, step: string, amount: number): Row => ({ day, step, unit: 'pages', amount, count: 1 })
  const words = { none: 'none', other: 'other', whole: 'Pages' }
  test('days go on over the end of a month and a change of the clock', () => {
    expect(days(3, new Date(2026, 2, 1))).toEqual(['2026-02-27', '2026-02-28', '2026-03-01'])
    expect(days(2, new Date(2026, 2, 29, 12))).toEqual(['2026-03-28', '2026-03-29'])
    expect(since(1, new Date(2026, 2, 29, 12)).getHours()).toBe(0)
  })
  test('only known ranges', () => expect(['7', '365', '8', null, 'x'].map(rangeOf)).toEqual([7, 365, 30, 30, 30]))
  test('the largest parts have names, the rest is one', () => {
    const rows = ['a', 'b', 'c', 'd', 'e', 'f', ''].map((step, i) => row('2026-03-01', step, 100 - i))
    const made = stackOf(rows, ['2026-02-28', '2026-03-01'], 'step', words)
    expect(made.map((s) => [s.label, s.values])).toEqual([['a', [0, 100]], ['b', [0, 99]], ['c', [0, 98]], ['d', [0, 97]], ['other', [0, 96 + 95 + 94]]])
    expect(stackOf(rows, ['2026-03-01'], 'none', words)).toHaveLength(1)
    expect(stackOf([], [], 'step', words)).toEqual([])
    expect(stackOf([row('2026-03-01', '', 5)], ['2026-03-01'], 'step', words)[0]!.label).toBe('none')
  })
  test('units by how often they were reported; keys by name', () => {
    expect(unitsOf([{ ...row('', '', 1), unit: 'b' }, { ...row('', '', 1), unit: 'a', count: 5 }])).toEqual(['a', 'b'])
    expect(partOf({ ...row('', '', 1), key: 'key_1', key_name: '' }, 'key')).toBe('key_1')
  })
})

test('queues: those in which something stands, the fullest first', () => {
  const q = (name: string, ready: number, paused = false) =>
    ({ name, ready, delayed: 0, blocked: 0, leased: 0, dead: 0, oldest_ms: 0, paused, draining: false })
  expect(queuesThatStand([q('a', 0), q('b', 1), q('c', 5), q('d', 0, true)]).map((one) => one.name)).toEqual(['c', 'b', 'd'])
})

test('health: the worst decides, and alerts lead on', () => {
  const well = { checks: [{ name: 'disk', ok: true, detail: '' }], engines: [], sandbox: [], alerts: [] }
  expect(verdict(well)).toBe('well')
  expect(verdict({ ...well, checks: [{ name: 'disk', ok: false, detail: '' }] })).toBe('bad')
  expect(leadsTo('task.dead', 'a b')).toBe('/queues?tab=dead&queue=a%20b')
  expect(leadsTo('disk.low', '')).toBeUndefined()
})
