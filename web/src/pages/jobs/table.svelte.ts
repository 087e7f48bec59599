// A long list by the server's pages, of which only those near the eye are kept: a hundred thousand jobs cost what a few thousand do.
//
//   const table = new Table((cursor) => …)
//   table.length, table.at(i)        // a row that is not here (any more) is undefined and is read soon
//   table.more()                     // the next page
//   table.refresh(first, last)       // read again what is seen; says how many newer ones there are above: table.above
//
// Rows are ordered by id, newest first (or oldest first, for items), so a page is a span of ids: rows that leave the filter go,
// and nothing is shown twice.
export type PageOf<T> = { items: T[]; next?: string | undefined }
export type Fetch<T> = (cursor: string | undefined, limit: number) => Promise<PageOf<T>>

type Part<T> = { cursor: string | undefined; next: string | undefined; length: number; items: T[] | undefined; used: number; reading: boolean }

export const pageRows = 200
const keptPages = 24

export class Table<T extends { id: string }> {
  parts: Part<T>[] = []
  length = $state(0)
  version = $state(0) // of what is read: rows are plain
  above = $state(0) // newer ones that are not shown yet
  aboveMore = $state(false)
  ended = $state(false)
  started = $state(false)
  loading = $state(false)
  problem = $state.raw<unknown>(undefined)
  private clock = 0
  // What happened after a filter changed or the list was begun anew belongs to nobody.
  private turn = 0

  constructor(private readonly fetch: Fetch<T>, private readonly rows = pageRows, private readonly newestFirst = true) {}

  more = async (): Promise<void> => {
    if (this.loading || this.ended || this.problem !== undefined) return
    this.loading = true
    const turn = this.turn
    try {
      const cursor = this.parts.at(-1)?.next
      const page = await this.fetch(cursor, this.rows)
      if (turn !== this.turn) return
      this.parts.push(part(cursor, page, ++this.clock))
      this.ended = page.next === undefined
      this.tell()
    } catch (cause) {
      if (turn === this.turn) this.problem = cause
    } finally {
      if (turn === this.turn) {
        this.loading = false
        this.started = true
      }
    }
  }

  again = (): Promise<void> => {
    this.problem = undefined
    return this.more()
  }

  // From the start, with what is newest. What is shown stays until that has come.
  async restart(): Promise<void> {
    const turn = ++this.turn
    this.loading = true
    try {
      const page = await this.fetch(undefined, this.rows)
      if (turn !== this.turn) return
      this.parts = [part(undefined, page, ++this.clock)]
      this.ended = page.next === undefined
      this.above = 0
      this.problem = undefined
      this.tell()
    } catch (cause) {
      if (turn === this.turn) this.problem = cause
    } finally {
      if (turn === this.turn) {
        this.loading = false
        this.started = true
      }
    }
  }

  at(index: number): T | undefined {
    void this.version
    let before = 0
    for (const p of this.parts) {
      if (index < before + p.length) {
        p.used = ++this.clock
        if (p.items === undefined) void this.read(p)
        return p.items?.[index - before]
      }
      before += p.length
    }
    return undefined
  }

  indexOf(id: string): number {
    let before = 0
    for (const p of this.parts) {
      const i = p.items?.findIndex((item) => item.id === id) ?? -1
      if (i >= 0) return before + i
      before += p.length
    }
    return -1
  }

  // Read again the pages of rows first … last, and what is new above. `live`: put that in its place at once.
  async refresh(first: number, last: number, live: boolean): Promise<void> {
    if (!this.started || this.loading) return
    let before = 0
    const seen = this.parts.filter((p) => {
      const inside = before <= last && before + p.length >= first
      before += p.length
      return inside
    })
    await Promise.all([this.newer(live), ...seen.filter((p) => p !== this.parts[0]).map((p) => this.read(p))])
  }

  change(ids: ReadonlySet<string>, change: (item: T) => T): void {
    for (const p of this.parts) if (p.items !== undefined) p.items = p.items.map((item) => (ids.has(item.id) ? change(item) : item))
    this.version++
  }

  private async newer(live: boolean): Promise<void> {
    const head = this.parts[0]
    if (head === undefined || !this.newestFirst) return head === undefined ? undefined : this.read(head)
    const turn = this.turn
    try {
      const page = await this.fetch(undefined, this.rows)
      if (turn !== this.turn) return
      this.problem = undefined
      const top = head.items?.[0]?.id ?? ''
      const news = page.items.filter((item) => item.id > top)
      if (news.length === page.items.length && page.next !== undefined && top !== '') {
        // A gap of unknown size lies between them and what is shown.
        this.above = news.length
        this.aboveMore = true
        if (live) await this.restart()
        return
      }
      const bound = head.next ?? ''
      const rest = page.items.filter((item) => item.id <= top && item.id >= bound)
      const lowest = page.next ?? ''
      const kept = (head.items ?? []).filter((item) => item.id < lowest)
      this.above = live ? 0 : news.length
      this.aboveMore = false
      head.items = [...(live ? news : []), ...rest, ...kept]
      head.length = head.items.length
      this.tell()
    } catch (cause) {
      if (turn === this.turn) this.problem = cause
    }
  }

  private async read(p: Part<T>): Promise<void> {
    if (p.reading) return
    p.reading = true
    const turn = this.turn
    try {
      const page = await this.fetch(p.cursor, this.rows)
      if (turn !== this.turn) return
      const bound = p.next
      const inside = (item: T) => bound === undefined || (this.newestFirst ? item.id >= bound : item.id <= bound)
      p.items = page.items.filter(inside)
      if (bound === undefined && page.next !== undefined) p.next = page.next
      p.length = p.items.length
      if (bound === undefined) this.ended = p.next === undefined
      this.tell()
    } catch (cause) {
      if (turn === this.turn) this.problem = cause
    } finally {
      p.reading = false
    }
  }

  private tell(): void {
    const kept = this.parts.filter((p) => p.items !== undefined).sort((a, b) => b.used - a.used)
    for (const p of kept.slice(keptPages)) p.items = undefined
    this.length = this.parts.reduce((sum, p) => sum + p.length, 0)
    this.version++
  }
}

function part<T>(cursor: string | undefined, page: PageOf<T>, used: number): Part<T> {
  return { cursor, next: page.next, length: page.items.length, items: page.items, used, reading: false }
}
