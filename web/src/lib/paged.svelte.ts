// A list that the server gives page by page, and that keeps its place: what was read stays while the person looks at something
// else and comes back (the router restores the scroll).
//
//   const jobs = paged(`jobs?${filters}`, (cursor, signal) => must(api.GET('/api/v1/jobs', …)).then((p) => ({ items: p.jobs, next: p.next })))
//   <VirtualList items={jobs.items} more={jobs.more} …>
//
// `refresh` reads the first page again and puts what is new in front (or replaces what has changed) by `id`.
export type PageOf<T> = { items: T[]; next?: string | undefined }
type Fetch<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<PageOf<T>>

const kept = new Map<string, Paged<unknown>>()
const keptMax = 8

export class Paged<T> {
  items = $state.raw<T[]>([])
  problem = $state.raw<unknown>(undefined)
  loading = $state(false)
  started = $state(false)
  ended = $state(false)
  private next: string | undefined
  private readonly control = new AbortController()

  constructor(private readonly fetch: Fetch<T>, private readonly id: (item: T) => string) {}

  more = async (): Promise<void> => {
    if (this.loading || this.ended) return
    this.loading = true
    try {
      const page = await this.fetch(this.next, this.control.signal)
      this.items = [...this.items, ...page.items]
      this.next = page.next
      this.ended = page.next === undefined
      this.problem = undefined
    } catch (cause) {
      this.problem = cause
    }
    this.loading = false
    this.started = true
  }

  refresh = async (): Promise<void> => {
    if (!this.started || this.loading) return
    try {
      const page = await this.fetch(undefined, this.control.signal)
      const fresh = new Map(page.items.map((item) => [this.id(item), item]))
      const known = new Set(this.items.map(this.id))
      const news = page.items.filter((item) => !known.has(this.id(item)))
      this.items = [...news, ...this.items.map((item) => fresh.get(this.id(item)) ?? item)]
      this.problem = undefined
    } catch (cause) {
      this.problem = cause
    }
  }

  drop = (gone: (item: T) => boolean): void => {
    this.items = this.items.filter((item) => !gone(item))
  }
}

export function paged<T>(key: string, fetch: Fetch<T>, id: (item: T) => string): Paged<T> {
  const found = kept.get(key) as Paged<T> | undefined
  if (found !== undefined) {
    kept.delete(key)
    kept.set(key, found as Paged<unknown>)
    void found.refresh()
    return found
  }
  const list = new Paged(fetch, id)
  kept.set(key, list as Paged<unknown>)
  if (kept.size > keptMax) kept.delete(kept.keys().next().value!)
  void list.more()
  return list
}

// After signing out, or when a change touches everything.
export function forgetPages(): void {
  kept.clear()
}
