// Events of a job as a list.
import { api, must, type Schemas } from '$lib/api/client'
import type { JobEvent } from './live'

export async function eventsOf(id: string, limit: number, signal?: AbortSignal): Promise<JobEvent[]> {
  const params = { path: { id }, query: { limit } }
  const answer = await must(api.GET('/api/v1/jobs/{id}/events', { params, ...(signal === undefined ? {} : { signal }) }))
  return (answer as Schemas['EventList']).events
}
