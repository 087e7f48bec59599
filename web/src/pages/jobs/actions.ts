// What can be done to jobs: each asks first with what will happen, or can be undone afterwards.
import { api, must } from '$lib/api/client'
import { t } from '$lib/i18n/language.svelte'
import { ask } from '$lib/ui/ask.svelte'
import { fail, toast } from '$lib/ui/toast.svelte'
import type { Many, Verb } from './filters'

const paths = { cancel: '/api/v1/jobs/cancel', retry: '/api/v1/jobs/retry', delete: '/api/v1/jobs/delete' } as const
const most = 1000

async function change(verb: Verb, body: Many): Promise<number> {
  return (await must(api.POST(paths[verb], { body }))).count
}

async function sum(verb: Verb, bodies: Many[], dry_run: boolean): Promise<number> {
  let count = 0
  for (const body of bodies) count += await change(verb, { ...body, dry_run })
  return count
}

export function byIds(ids: string[]): Many[] {
  const bodies: Many[] = []
  for (let i = 0; i < ids.length; i += most) bodies.push({ ids: ids.slice(i, i + most) })
  return bodies
}

const danger = { cancel: true, retry: false, delete: true }
const asks = { cancel: 'jobs.ask_cancel', retry: 'jobs.ask_retry', delete: 'jobs.ask_delete' }
const whats = { cancel: 'jobs.what_cancel', retry: 'jobs.what_retry', delete: 'jobs.what_delete' }
const dids = { cancel: 'jobs.did_cancel', retry: 'jobs.did_retry', delete: 'jobs.did_delete' }

// Says how many it would be, asks, does it, says how many it was. True: something was changed.
export async function changeMany(verb: Verb, bodies: Many[], after: () => void): Promise<boolean> {
  try {
    const n = await sum(verb, bodies, true)
    if (n === 0) {
      toast(t('jobs.none_to_change'))
      return false
    }
    const isSure = await ask({ title: t(asks[verb], { n }), text: t(whats[verb]), yes: t(`jobs.${verb}`), danger: danger[verb] })
    if (!isSure) return false
    const done = await sum(verb, bodies, false)
    toast(t(dids[verb], { n: done }), undoOf(verb, bodies, after))
    after()
    return true
  } catch (problem) {
    fail(problem)
    return false
  }
}

// What was cancelled by name runs again; what was started again is cancelled. The rest has no way back, and was asked for.
function undoOf(verb: Verb, bodies: Many[], after: () => void) {
  const back: Record<Verb, Verb | undefined> = { cancel: 'retry', retry: 'cancel', delete: undefined }
  const other = back[verb]
  if (other === undefined || bodies.some((b) => b.ids === undefined)) return {}
  return {
    undo: async () => {
      await sum(other, bodies, false)
      after()
    },
  }
}

// One job, without a question: the toast has the way back.
export async function retryOne(id: string, after: () => void): Promise<void> {
  try {
    await must(api.POST('/api/v1/jobs/{id}/retry', { params: { path: { id } } }))
    toast(t('jobs.did_retry', { n: 1 }), undoOf('retry', [{ ids: [id] }], after))
    after()
  } catch (problem) {
    fail(problem)
  }
}

export async function pauseOne(id: string, isPaused: boolean, after: () => void): Promise<void> {
  const path = { params: { path: { id } } }
  const set = (paused: boolean) => must(paused ? api.POST('/api/v1/jobs/{id}/pause', path) : api.POST('/api/v1/jobs/{id}/resume', path))
  try {
    await set(!isPaused)
    toast(t(isPaused ? 'jobs.did_resume' : 'jobs.did_pause'), {
      undo: async () => {
        await set(isPaused)
        after()
      },
    })
    after()
  } catch (problem) {
    fail(problem)
  }
}

export async function approve(id: string, node: string, approved: boolean, comment: string): Promise<boolean> {
  try {
    await must(api.POST('/api/v1/jobs/{id}/approvals/{node}', { params: { path: { id, node } }, body: { approved, ...(comment === '' ? {} : { comment }) } }))
    toast(t(approved ? 'jobs.did_approve' : 'jobs.did_reject', { node }))
    return true
  } catch (problem) {
    fail(problem)
    return false
  }
}
