// What was used, ready to be shown: the range, days without gaps, the largest parts of a stack.
import type { Schemas } from '$lib/api/client'
import { tones, type Series } from '$lib/chart/series'

export type Row = Schemas['UsageReport']['rows'][number]
export type Split = 'none' | 'step' | 'pipeline' | 'key'
export const ranges = [7, 30, 90, 365]
const partsShown = 4

export function rangeOf(text: string | null): number {
  const days = Number(text)
  return ranges.includes(days) ? days : 30
}

// Midnight in the reader's zone, `days` days ago, today counted.
export function since(days: number, now: Date): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - days + 1)
}

const two = (n: number) => String(n).padStart(2, '0')
export const dayKey = (d: Date) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`

export function days(count: number, now: Date): string[] {
  return Array.from({ length: count }, (_, i) => dayKey(new Date(now.getFullYear(), now.getMonth(), now.getDate() - count + 1 + i)))
}

export function partOf(row: Row, split: Split): string {
  if (split === 'step') return row.step ?? ''
  if (split === 'pipeline') return row.pipeline ?? ''
  if (split === 'key') return row.key_name || row.key || ''
  return ''
}

// Units by how often something reported them: the one to look at first.
export function unitsOf(rows: Row[]): string[] {
  const counts = new Map<string, number>()
  for (const row of rows) counts.set(row.unit, (counts.get(row.unit) ?? 0) + row.count)
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([unit]) => unit)
}

// One series per part, the largest first; what is left is "other".
export function stackOf(rows: Row[], allDays: string[], split: Split, words: { none: string; other: string; whole: string }): Series[] {
  const sums = new Map<string, number>()
  for (const row of rows) sums.set(partOf(row, split), (sums.get(partOf(row, split)) ?? 0) + row.amount)
  const largest = [...sums].sort((a, b) => b[1] - a[1]).slice(0, partsShown).map(([part]) => part)
  const place = new Map(allDays.map((day, i) => [day, i]))
  const series = new Map<string, Series>()
  for (const row of rows) {
    const part = partOf(row, split)
    const known = largest.includes(part)
    const label = split === 'none' ? words.whole : !known ? words.other : part === '' ? words.none : part
    const at = known ? largest.indexOf(part) : partsShown
    let one = series.get(label)
    if (one === undefined) series.set(label, (one = { label, values: allDays.map(() => 0), tone: tones[at] ?? 'quiet' }))
    const i = place.get(row.day ?? '')
    if (i !== undefined) one.values[i] = (one.values[i] ?? 0) + row.amount
  }
  return [...series.values()].sort((a, b) => tones.indexOf(a.tone) - tones.indexOf(b.tone))
}
