// Times, durations, sizes: in the reader's language, short, never wrong by rounding up to "just now".
import { dateFormat, relativeFormat } from '$lib/i18n/intl'
import { language, number, t } from '$lib/i18n/language.svelte'

export function bytes(n: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let unit = 0
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000
    unit++
  }
  return `${number(n, { maximumFractionDigits: unit > 0 && n < 10 ? 1 : 0 })} ${units[unit]}`
}

export function duration(ms: number): string {
  if (ms < 1000) return `${number(Math.round(ms))} ${t('unit.ms')}`
  if (ms < 10_000) return `${number(ms / 1000, { maximumFractionDigits: 1 })} ${t('unit.s')}`
  const s = Math.round(ms / 1000)
  if (s < 60) return `${s} ${t('unit.s')}`
  if (s < 3600) return parts(s, 60, 'min', 1, 's')
  if (s < 86_400) return parts(s, 3600, 'h', 60, 'min')
  return parts(s, 86_400, 'd', 3600, 'h')
}

// "2 min 5 s", and "2 min" when nothing is left over.
function parts(s: number, size: number, unit: string, small: number, smaller: string): string {
  const [whole, rest] = [Math.floor(s / size), Math.floor((s % size) / small)]
  return `${number(whole)} ${t(`unit.${unit}`)}` + (rest === 0 ? '' : ` ${rest} ${t(`unit.${smaller}`)}`)
}

export function time(iso: string): string {
  return dateFormat(language(), { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(iso))
}

export function day(iso: string): string {
  return dateFormat(language(), { dateStyle: 'medium' }).format(new Date(iso))
}

export function ago(iso: string, now: number): string {
  const s = Math.round((Date.parse(iso) - now) / 1000)
  const format = relativeFormat(language(), { numeric: 'auto', style: 'short' })
  const size = Math.abs(s)
  if (size < 60) return format.format(s, 'second')
  if (size < 3600) return format.format(Math.round(s / 60), 'minute')
  if (size < 86_400) return format.format(Math.round(s / 3600), 'hour')
  return format.format(Math.round(s / 86_400), 'day')
}
