// A schedule as it is shown, as the body that would make it again.
import type { Schemas } from '$lib/api/client'
import type { Json } from '$lib/form/param'

export function asBody(s: Schemas['Schedule']): Record<string, Json> {
  const body: Record<string, Json> = { cron: s.cron, zone: s.zone, missed: s.missed }
  if (s.pipeline !== null) Object.assign(body, { pipeline: s.pipeline, inputs: s.params as Json })
  else if (s.step !== null) Object.assign(body, { step: s.step, params: s.params as Json })
  for (const name of ['queue', 'start', 'end'] as const) if (s[name] !== null) body[name] = s[name]
  for (const name of ['priority', 'attempts', 'timeout_ms', 'jitter_ms'] as const) if (s[name] !== 0) body[name] = s[name]
  return { ...body, overlap: s.overlap, paused: s.paused }
}
