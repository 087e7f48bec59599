// What of the address says which jobs are shown, and the same as the server's query and as the body of a bulk request.
import type { paths } from '$lib/api/schema'

export type Query = NonNullable<paths['/api/v1/jobs']['get']['parameters']['query']>
export type Verb = 'cancel' | 'retry' | 'delete'
type State = 'queued' | 'running' | 'done' | 'failed' | 'canceled'

export const names = ['state', 'step', 'pipeline', 'queue', 'key', 'q', 'since'] as const

const unit: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

// "24h" is a span that moves on, "1763800000000" a fixed time.
export function sinceMs(text: string | null, now: number): number | undefined {
  const span = /^(\d+)([mhd])$/.exec(text ?? '')
  if (span !== null) return now - Number(span[1]) * unit[span[2]!]!
  return /^\d{12,14}$/.test(text ?? '') ? Number(text) : undefined
}

export function statesOf(query: URLSearchParams): string[] {
  return (query.get('state') ?? '').split(',').filter((s) => s !== '')
}

export function isFiltered(query: URLSearchParams): boolean {
  return names.some((name) => (query.get(name) ?? '') !== '')
}

export function listQuery(query: URLSearchParams, now: number): Query {
  const get = (name: string) => query.get(name)?.trim() || undefined
  const since = sinceMs(query.get('since'), now)
  const all: Query = { state: statesOf(query), step: get('step'), pipeline: get('pipeline'), queue: get('queue'), key: get('key'), q: get('q'), since_ms: since }
  return Object.fromEntries(Object.entries(all).filter(([, v]) => v !== undefined && (!Array.isArray(v) || v.length > 0))) as Query
}

const changes: Record<Verb, State[]> = {
  cancel: ['queued', 'running'], retry: ['failed', 'canceled'], delete: ['failed', 'canceled', 'done'],
}
export const eligible = (verb: Verb, state: string) => changes[verb].includes(state as State)

export type Many = {
  state?: State; step?: string; pipeline?: string; queue?: string; key?: string; since_ms?: number; ids?: string[]; dry_run?: boolean
}

// One request per state when the filter names some, but not all, of those that the verb changes.
export function manyBodies(verb: Verb, query: URLSearchParams, now: number): Many[] {
  const { step, pipeline, queue, key, since_ms } = listQuery(query, now)
  const body: Many = Object.fromEntries(Object.entries({ step, pipeline, queue, key, since_ms }).filter(([, v]) => v !== undefined))
  const chosen = statesOf(query)
  const wanted = chosen.length === 0 ? changes[verb] : changes[verb].filter((s) => chosen.includes(s))
  return wanted.length === changes[verb].length ? [body] : wanted.map((state) => ({ ...body, state }))
}
