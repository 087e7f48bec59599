// What a chart is made of, without the drawing.
import { dateFormat } from '$lib/i18n/intl'
import { language } from '$lib/i18n/language.svelte'

export type Tone = 'accent' | 'accent2' | 'accent3' | 'accent4' | 'quiet' | 'good' | 'bad' | 'warn'
export type Series = { label: string; values: (number | null)[]; tone: Tone }

// From the largest to the smallest, then "other".
export const tones: Tone[] = ['accent', 'accent2', 'accent3', 'accent4', 'warn']

export function clock(seconds: number): string {
  return dateFormat(language(), { hour: '2-digit', minute: '2-digit' }).format(new Date(seconds * 1000))
}

// Heights of stacked series: each on top of those before it. The last is the whole.
export function stack(series: Series[]): (number | null)[][] {
  const length = series[0]?.values.length ?? 0
  const below = new Array<number>(length).fill(0)
  return series.map((one) => one.values.map((v, i) => (below[i] = below[i]! + (v ?? 0))))
}

// A little more than the largest, on a round number, and never an empty scale.
export function top(values: (number | null)[]): number {
  const most = values.reduce<number>((m, v) => (v !== null && v > m ? v : m), 0)
  if (most <= 0) return 1
  const step = 10 ** Math.floor(Math.log10(most)) / 2
  return Math.ceil((most * 1.02) / step) * step
}
