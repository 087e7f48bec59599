// How a form says a parameter and its values to people.
import { bytes, duration } from '$lib/format'
import { number, said, t } from '$lib/i18n/language.svelte'
import { asText, type Json, type Param, type Value } from './param'

const short = new Set(['url', 'id', 'dpi', 'fps', 'crf', 'ocr', 'pdf', 'json', 'html', 'css', 'seo'])
const units: Record<string, string> = { ms: '_ms', mm: '_mm', KiB: '_kb', B: '_bytes', s: '_seconds' }

// cell_width → "Cell width"; start_ms with the unit ms beside it → "Start".
export function label(p: Pick<Param, 'name' | 'unit'>): string {
  const tail = units[p.unit]
  const name = tail !== undefined && p.name.endsWith(tail) && p.name.length > tail.length ? p.name.slice(0, -tail.length) : p.name
  const words = name.split('_').map((word) => (short.has(word) ? word.toUpperCase() : word)).join(' ')
  return said(words.charAt(0).toUpperCase() + words.slice(1))
}

// A value as a short text: for defaults, examples and lists of what was given.
export function brief(p: Param, value: Value | undefined): string {
  if (p.secret) return '•••'
  if (typeof value === 'boolean') return t(value ? 'form.yes' : 'form.no')
  const text = Array.isArray(value) ? value.join(', ') : asText(value)
  const line = typeof value === 'object' && !Array.isArray(value) ? text.replace(/\s+/g, ' ') : text
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}

// What a number means beside its unit: 90000 ms is 1 min 30 s.
export function meaning(p: Param, value: Value | undefined): string {
  if (typeof value !== 'number' || value <= 0) return ''
  const scale = p.unit === 's' ? 1000 : p.unit === 'KiB' ? 1024 : 1
  if (p.format === 'duration' && value * scale >= 1000) return duration(value * scale)
  if (p.format === 'bytes' && value * scale >= 1000) return bytes(value * scale)
  return ''
}

export function range(p: Param): string {
  const said = (n: number) => number(n, { maximumFractionDigits: 6 })
  if (p.min !== undefined && p.max !== undefined) return t('form.range', { min: said(p.min), max: said(p.max) })
  if (p.min !== undefined) return t('form.at_least', { min: said(p.min) })
  return p.max !== undefined ? t('form.at_most', { max: said(p.max) }) : ''
}

// A slider is for a range in which a hand can find a value.
export function slides(p: Param): boolean {
  if (p.min === undefined || p.max === undefined) return false
  const span = p.max - p.min
  return span <= 1000 && (p.type === 'int' ? span > 1 : span > 0)
}

export function step(p: Param): number {
  if (p.type === 'int') return 1
  const fine = ((p.max ?? 1) - (p.min ?? 0)) / 200
  const power = 10 ** Math.floor(Math.log10(fine))
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= fine) ?? fine
}

// Choices are buttons when they are few and short.
export function segmented(p: Param): boolean {
  const letters = p.choices.reduce((sum, c) => sum + c.name.length, 0)
  return p.choices.length <= 8 && letters <= 52
}

// The parameters that are shown at once, and those that wait under "More options".
export function parted(params: Param[], given: (p: Param) => boolean): { first: Param[]; more: Param[] } {
  const current = params.filter((p) => p.replacedBy === undefined || given(p))
  const shown = (p: Param, at: number) => p.required || given(p) || at < 6 || (at < 10 && p.examples.length > 0)
  const more = current.filter((p, at) => !shown(p, at))
  return more.length < 2 ? { first: current, more: [] } : { first: current.filter((p) => !more.includes(p)), more }
}

export function exampleValues(p: Param): Json[] {
  return p.examples.filter((e) => asText(e).length <= 120)
}
