// Numbers of queues, and what a person may do to one.
import { api, must, type Schemas } from '$lib/api/client'
import { number, t } from '$lib/i18n/language.svelte'
import { ask } from '$lib/ui/ask.svelte'
import { fail, toast } from '$lib/ui/toast.svelte'

export type Queue = Schemas['Queue']
export type DeadFilter = { queue?: string; step?: string; reason?: string }

export const depth = (queue: Pick<Queue, 'ready' | 'delayed' | 'blocked'>) => queue.ready + queue.delayed + queue.blocked

export function perMinute(queue: Pick<Queue, 'lately'>): string {
  const lately = queue.lately
  if (lately === undefined || lately.minutes === 0) return '0'
  const rate = lately.ended / lately.minutes
  return number(rate, { maximumFractionDigits: rate < 10 ? 1 : 0 })
}

async function attempt(what: () => Promise<void>): Promise<void> {
  try {
    await what()
  } catch (cause) {
    fail(cause)
  }
}

type Turn = 'pause' | 'resume' | 'drain'
async function turn(name: string, to: Turn): Promise<void> {
  const path = { params: { path: { name } } }
  if (to === 'pause') await must(api.POST('/api/v1/queues/{name}/pause', path))
  else if (to === 'drain') await must(api.POST('/api/v1/queues/{name}/drain', path))
  else await must(api.POST('/api/v1/queues/{name}/resume', path))
}

// Resuming undoes pausing and draining both; what was set before is set again.
export function setTurn(queue: Queue, to: Turn, done: () => void): Promise<void> {
  const back: Turn[] = queue.paused ? ['pause'] : queue.draining ? ['drain'] : ['resume']
  return attempt(async () => {
    await turn(queue.name, to)
    done()
    toast(t(`queues.did_${to}`, { name: queue.name }), {
      undo: async () => {
        for (const step of back) await turn(queue.name, step)
        done()
      },
    })
  })
}

export function purge(name: string, done: () => void): Promise<void> {
  return attempt(async () => {
    const path = { name }
    const { count } = await must(api.POST('/api/v1/queues/{name}/purge', { params: { path, query: { dry_run: true } } }))
    if (count === 0) return toast(t('queues.purge_none', { name }))
    const sure = await ask({ title: t('queues.purge_title', { name }), text: t('queues.purge_what', { n: count }), yes: t('queues.purge_yes', { n: count }), danger: true })
    if (!sure) return
    const answer = await must(api.POST('/api/v1/queues/{name}/purge', { params: { path } }))
    done()
    toast(t('queues.purged', { n: answer.count }))
  })
}

export function redrive(filter: DeadFilter, done: () => void): Promise<void> {
  return attempt(async () => {
    const { count } = await must(api.POST('/api/v1/dead-letters/redrive', { body: { ...filter, dry_run: true } }))
    if (count === 0) return toast(t('queues.dead_no_match'))
    if (!(await ask({ title: t('queues.redrive_title'), text: t('queues.redrive_what', { n: count }), yes: t('queues.redrive_yes', { n: count }) }))) return
    const answer = await must(api.POST('/api/v1/dead-letters/redrive', { body: filter }))
    done()
    toast(t('queues.redriven', { n: answer.count }))
  })
}

export function removeDead(filter: DeadFilter, done: () => void): Promise<void> {
  return attempt(async () => {
    const { count } = await must(api.POST('/api/v1/dead-letters/delete', { body: { ...filter, dry_run: true } }))
    if (count === 0) return toast(t('queues.dead_no_match'))
    const sure = await ask({ title: t('queues.delete_title'), text: t('queues.delete_what', { n: count }), yes: t('queues.delete_yes', { n: count }), danger: true })
    if (!sure) return
    const answer = await must(api.POST('/api/v1/dead-letters/delete', { body: filter }))
    done()
    toast(t('queues.deleted', { n: answer.count }))
  })
}

export function redriveOne(id: string, done: () => void): Promise<void> {
  return attempt(async () => {
    await must(api.POST('/api/v1/dead-letters/{id}/redrive', { params: { path: { id } } }))
    done()
    toast(t('queues.redriven', { n: 1 }))
  })
}

// Only the letter goes; its job stays failed and can be retried, so nothing is lost that a question would save.
export function removeOne(id: string, done: () => void): Promise<void> {
  return attempt(async () => {
    await must(api.DELETE('/api/v1/dead-letters/{id}', { params: { path: { id } } }))
    done()
    toast(t('queues.deleted', { n: 1 }))
  })
}
