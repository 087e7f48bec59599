// Words of jobs that several of its parts use.
import { number, said, t } from '$lib/i18n/language.svelte'
import { bytes, duration } from '$lib/format'
import type { Job } from './live'

export type Summary = Pick<Job, 'id' | 'step' | 'pipeline' | 'input' | 'state' | 'created' | 'started' | 'finished' | 'progress' | 'reason' | 'detail' | 'attempts' | 'queue' | 'paused'>

export const states = ['queued', 'running', 'done', 'failed', 'canceled'] as const

export const what = (job: Pick<Job, 'step' | 'pipeline'>) => job.pipeline ?? job.step

export function took(job: Pick<Job, 'started' | 'finished'>, now: number): string {
  if (job.started === null) return ''
  return duration(Math.max(0, (job.finished === null ? now : Date.parse(job.finished)) - Date.parse(job.started)))
}

export const live = (job: Pick<Job, 'state'>) => job.state === 'queued' || job.state === 'running'
export const undone = (job: Pick<Job, 'state'>) => job.state === 'failed' || job.state === 'canceled'

export function used(unit: string, amount: number): string {
  if (unit === 'bytes') return bytes(amount)
  if (unit === 'ms' || unit.endsWith('_ms')) return duration(amount)
  return `${number(amount)} ${said(unit)}`
}

// What an event says beyond its name, in a few words.
export function eventWords(type: string, data: Record<string, unknown>): string {
  const text = (name: string) => (typeof data[name] === 'string' ? data[name] : '')
  const parts: string[] = []
  if (text('step') !== '') parts.push(text('step'))
  if (text('note') !== '') parts.push(text('note'))
  if (typeof data['done'] === 'number') parts.push(t('jobs.of', { done: data['done'], total: Number(data['total'] ?? 0) }))
  if (typeof data['attempt'] === 'number' && type.startsWith('task.')) parts.push(t('jobs.attempt', { number: data['attempt'] }))
  if (text('state') !== '') parts.push(t(`state.${text('state')}`))
  if (text('reason') !== '') parts.push(text('detail') === '' ? text('reason') : `${text('reason')}: ${text('detail')}`)
  return parts.join(' · ')
}
