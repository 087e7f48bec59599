// What steps count: names of units, and amounts as people say them.
import { numberFormat } from '$lib/i18n/intl'
import { bytes, duration } from './format'
import { language, number, t } from './i18n/language.svelte'

export function unitName(unit: string): string {
  const name = t(`units.${unit}`)
  return name.startsWith('units.') ? unit.replaceAll('_', ' ') : name
}

export function amount(unit: string, n: number): string {
  if (unit === 'media_ms') return duration(n)
  if (unit === 'seconds') return duration(n * 1000)
  if (unit === 'bytes') return bytes(n)
  if (unit === 'microdollars')
    return numberFormat(language(), { style: 'currency', currency: 'USD', maximumFractionDigits: n < 1e6 ? 4 : 2 }).format(n / 1e6)
  return number(n)
}
