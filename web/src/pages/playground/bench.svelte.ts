// One try of a step: what it is given, how it goes, what came of it. The playground has one, or two side by side.
import { api, must, Problem, request, type Schemas } from '$lib/api/client'
import { follow } from '$lib/api/sse'
import type { Reference } from '$lib/form/given.svelte'
import type { Json, Values } from '$lib/form/param'

export type Job = Schemas['Job']
export type Diagnosis = Schemas['Diagnosis']

export const isOver = (job: Pick<Job, 'state'>) => job.state === 'done' || job.state === 'failed' || job.state === 'canceled'

export class Bench {
  step = $state('')
  values = $state.raw<Values>({})
  job = $state.raw<Job>()
  diagnosis = $state.raw<Diagnosis>()
  problem = $state.raw<unknown>() // why it did not start
  starting = $state(false)
  progress = $state.raw<{ done: number; total: number; note: string }>({ done: 0, total: 0, note: '' })
  ran = $state.raw<{ step: string; params: Record<string, Json> }>() // what the job that is shown was given

  private kept: Record<string, Values> = {} // what was typed for other steps
  private unfollow: (() => void) | undefined
  private turn = 0

  readonly busy = $derived(this.starting || (this.job !== undefined && !isOver(this.job)))

  choose(step: string, values?: Values) {
    if (step === this.step && values === undefined) return
    this.kept[this.step] = this.values
    this.step = step
    this.values = values ?? this.kept[step] ?? {}
    this.problem = undefined
  }

  async run(params: Record<string, Json>, inputs: Reference[]): Promise<void> {
    this.forget()
    const turn = ++this.turn
    this.starting = true
    try {
      const job = (await start(this.step, params, inputs)) as Job
      if (turn !== this.turn) return
      this.ran = { step: this.step, params }
      this.show(job)
    } catch (cause) {
      if (turn === this.turn) this.problem = cause
    } finally {
      if (turn === this.turn) this.starting = false
    }
  }

  // A job that was there before: from the address, or from another page.
  async open(id: string): Promise<Job> {
    this.forget()
    const turn = ++this.turn
    const job = await must(api.GET('/api/v1/jobs/{id}', { params: { path: { id } } }))
    if (turn === this.turn) this.show(job)
    return job
  }

  async cancel(): Promise<void> {
    if (this.job !== undefined) await must(api.POST('/api/v1/jobs/{id}/cancel', { params: { path: { id: this.job.id } } }))
  }

  forget() {
    this.turn++
    this.unfollow?.()
    this.unfollow = undefined
    this.job = this.diagnosis = this.problem = this.ran = undefined
    this.starting = false
    this.progress = { done: 0, total: 0, note: '' }
  }

  private show(job: Job) {
    this.job = job
    if (isOver(job)) void this.end()
    else {
      this.unfollow = follow(`/api/v1/jobs/${job.id}/events`, {
        onEvent: (event) => this.hear(event.type, event.data as { done?: number; total?: number; note?: string }),
        onState: (state) => state === 'ended' && void this.read(),
      })
    }
  }

  private hear(type: string, data: { done?: number; total?: number; note?: string }) {
    if (type === 'task.progress')
      this.progress = { done: data.done ?? 0, total: data.total ?? 0, note: data.note ?? this.progress.note }
    else if (type !== 'job.added') void this.read()
  }

  private async read() {
    const [turn, id] = [this.turn, this.job?.id]
    if (id === undefined || isOver(this.job!)) return
    try {
      const job = await must(api.GET('/api/v1/jobs/{id}', { params: { path: { id } } }))
      if (turn !== this.turn) return
      this.job = job
      if (isOver(job)) await this.end()
    } catch (cause) {
      if (turn === this.turn) this.problem = cause
    }
  }

  private async end() {
    this.unfollow?.()
    const [turn, job] = [this.turn, this.job!]
    if (job.state !== 'failed') return
    const diagnosis = await must(api.GET('/api/v1/jobs/{id}/diagnosis', { params: { path: { id: job.id } } })).catch(() => undefined)
    if (turn === this.turn) this.diagnosis = diagnosis
  }
}

function start(step: string, params: Record<string, Json>, inputs: Reference[], more: Record<string, Json> = {}): Promise<unknown> {
  const body = { params, ...(inputs.length === 0 ? {} : { inputs }), ...more }
  return request('POST', `/api/v1/steps/${encodeURIComponent(step)}`, JSON.stringify(body), { 'Content-Type': 'application/json' })
    .then((answer) => answer.json())
}

// What would run, checked by the server and not stored.
export async function rehearse(step: string, params: Record<string, Json>, inputs: Reference[]): Promise<Job> {
  return (await start(step, params, inputs, { dry_run: true })) as Job
}

const noFaults: Problem['faults'] = []
export const faultsOf = (problem: unknown) => (problem instanceof Problem ? problem.faults : noFaults)
// A problem that is only about parameters is said at their fields.
export const isSaidAtFields = (problem: unknown, names: string[]) =>
  problem instanceof Problem && problem.faults.length > 0 && problem.faults.every((f) => names.includes(f.param))

// The steps that were used last, newest first.
const recentKey = 'platen.playground.recent'
const recentMax = 6

export function recentSteps(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(recentKey) ?? '[]')
    return Array.isArray(list) ? list.filter((s): s is string => typeof s === 'string') : []
  } catch {
    return []
  }
}

export function rememberStep(step: string): void {
  localStorage.setItem(recentKey, JSON.stringify([step, ...recentSteps().filter((s) => s !== step)].slice(0, recentMax)))
}
