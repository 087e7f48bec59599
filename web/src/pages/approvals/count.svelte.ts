// How many approvals wait, beside the page's name in the navigation: read now and then, and when a job ends.
import { api } from '$lib/api/client'
import { badges } from '$lib/badges.svelte'
import { listen } from '$lib/live.svelte'
import { throttle } from '$lib/load.svelte'

const everyMs = 15_000
const gapMs = 2000
const most = 200

async function count(): Promise<void> {
  if (document.visibilityState !== 'visible') return
  const answer = await api.GET('/api/v1/approvals', { params: { query: { limit: most } } }).catch(() => undefined)
  if (answer?.data !== undefined) badges.counts.approvals = answer.data.approvals.length
}

export function countApprovals(): () => void {
  const calm = throttle(() => void count(), gapMs)
  calm.call()
  const timer = setInterval(calm.call, everyMs)
  const stop = listen(['job.*'], calm.call)
  return () => (clearInterval(timer), stop(), calm.stop())
}
