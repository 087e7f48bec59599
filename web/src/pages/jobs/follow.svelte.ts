// One job, followed: read once, then by its events. What comes in a frame is taken in that frame, however much it is; a snapshot is
// read again at most once a second, when events say that there is more to know.
import { untrack } from 'svelte'
import { SvelteMap, SvelteSet } from 'svelte/reactivity'
import { api, must } from '$lib/api/client'
import { follow, type StreamState } from '$lib/api/sse'
import { throttle } from '$lib/load.svelte'
import { attempts, begin, hasEnded, Log, snapshot, take, type Attempt, type Job, type JobEvent, type Live, type Node } from './live'
import { eventsOf } from './read'
import type { Below } from './waterfall'

const againMs = 1000
const itemsPerPage = 100
const eventsMax = 1000
const headMax = 2000 // events of the beginning that are kept for the attempts

export class Following {
  live = $state.raw<Live | undefined>(undefined)
  problem = $state.raw<unknown>(undefined)
  stream = $state<StreamState>('connecting')
  version = $state(0) // of the log
  readonly log = new Log()
  readonly children = new SvelteMap<string, Below>()
  readonly open = new SvelteSet<string>()
  readonly tries = new SvelteMap<string, Attempt[]>()

  private waiting: JobEvent[] = []
  private frame = 0
  private stops: (() => void)[] = []
  private readonly calm = throttle(() => void this.read(), againMs)
  private own: JobEvent[] = []

  constructor(readonly id: string) {}

  start(): void {
    void this.read()
    const stop = follow(`/api/v1/jobs/${this.id}/events`, {
      onEvent: (event) => {
        this.waiting.push(event.data as JobEvent)
        if (this.frame === 0) this.frame = requestAnimationFrame(this.takeFrame)
      },
      onState: (state) => (this.stream = state),
    })
    // What one child of many does is no event of this job: while something runs it is read again now and then.
    const timer = setInterval(() => {
      const live = untrack(() => this.live)
      if (live !== undefined && !hasEnded(live.job.state) && document.visibilityState === 'visible') this.calm.call()
    }, 2 * againMs)
    this.stops = [stop, () => clearInterval(timer), this.calm.stop, () => cancelAnimationFrame(this.frame)]
  }

  stop(): void {
    for (const stop of this.stops) stop()
    this.stops = []
  }

  // A job that had ended goes on: its stream has ended with it.
  again = (): void => {
    this.stop()
    this.start()
  }

  reload = (): void => void this.read()

  private takeFrame = (): void => {
    this.frame = 0
    const events = this.waiting
    this.waiting = []
    this.log.add(events)
    this.version++
    for (const e of events) if (this.own.length < headMax && /^(task|job)\./.test(e.type) && e.type !== 'job.item' && e.type !== 'task.progress') this.own.push(e)
    this.tries.set(this.id, attempts(this.own))
    if (this.live === undefined) return
    this.live = take(this.live, events)
    if (this.live.stale) this.calm.call()
  }

  private async read(): Promise<void> {
    const path = { path: { id: this.id } }
    try {
      const job = await must(api.GET('/api/v1/jobs/{id}', { params: path }))
      const nodes = job.pipeline === undefined ? []
        : (await must(api.GET('/api/v1/jobs/{id}/nodes', { params: { ...path, query: { deep: true } } }))).nodes
      const before = this.live
      this.live = before === undefined ? begin(job, nodes) : snapshot(before, job, nodes)
      this.problem = undefined
      if (before === undefined && job.items !== undefined) await this.below(job.id, job.id, undefined)
      for (const node of nodes) if (node.child !== undefined && (node.attempts ?? 0) > 1) void this.readTries(node.child, node.attempts!)
      await this.refreshOpen(job, nodes)
      if (hasEnded(job.state) && before !== undefined && !hasEnded(before.job.state)) this.calm.call()
    } catch (problem) {
      this.problem = problem
    }
  }

  private async refreshOpen(job: Job, nodes: Node[]): Promise<void> {
    const again: [string, string, string | undefined][] = []
    if (job.items !== undefined && this.children.has(job.id) && !hasEnded(job.state)) again.push([job.id, job.id, undefined])
    for (const node of nodes) {
      const key = `${job.id}/${node.id}`
      if (node.many && this.open.has(key) && this.children.has(key)) again.push([key, job.id, node.id])
    }
    await Promise.all(again.map(([key, owner, node]) => this.refreshBelow(key, owner, node)))
  }

  // The children that have not ended, and those that have come.
  private async refreshBelow(key: string, owner: string, node: string | undefined): Promise<void> {
    const known = this.children.get(key)
    if (known === undefined) return
    const first = known.items.findIndex((item) => !hasEnded(item.state))
    if (first < 0 && !known.more) return
    const from = first < 0 ? known.items.length : first
    const page = await this.items(owner, node, known.items[from - 1]?.id)
    const kept = known.items.slice(from + page.items.length)
    this.children.set(key, { ...known, items: [...known.items.slice(0, from), ...page.items, ...kept], more: page.next !== undefined && kept.length === 0 })
  }

  private async items(id: string, node: string | undefined, cursor: string | undefined): Promise<{ items: Job[]; next?: string | undefined }> {
    const query = { limit: itemsPerPage, ...(node === undefined ? {} : { node }), ...(cursor === undefined ? {} : { cursor }) }
    return must(api.GET('/api/v1/jobs/{id}/items', { params: { path: { id }, query } }))
  }

  // The next page of what lies below a row.
  async below(key: string, owner: string, node: string | undefined): Promise<void> {
    const known = this.children.get(key)
    const page = await this.items(owner, node, known?.items.at(-1)?.id)
    this.children.set(key, { items: [...(known?.items ?? []), ...page.items], more: page.next !== undefined, nodes: undefined })
    for (const item of page.items) if (item.attempts > 1) void this.readTries(item.id, item.attempts)
  }

  // The nodes of a pipeline that is called, deeper than the answer goes.
  async nested(key: string, job: string): Promise<void> {
    const { nodes } = await must(api.GET('/api/v1/jobs/{id}/nodes', { params: { path: { id: job }, query: { deep: true } } }))
    this.children.set(key, { items: [], more: false, nodes })
  }

  private async readTries(job: string, count: number): Promise<void> {
    if ((this.tries.get(job)?.length ?? 0) >= count) return
    this.tries.set(job, attempts(await eventsOf(job, eventsMax)))
  }
}
