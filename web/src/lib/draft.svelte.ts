// What somebody has typed and not yet sent stays on this device: it is there again after a reload, a crash, a signed-out session.
//
//   const draft = new Draft('pipeline:invoices', () => source)      // in a component; source: what is stored
//   <Editor bind:value={draft.value} />
//   {#if draft.restored}…<button onclick={() => draft.discard()}>{t('draft.discard')}</button>{/if}
//   draft.done()                                                   // it is stored: nothing to keep
//
// A draft that is equal to what is stored is none. Drafts go after 30 days, the oldest first when there are more than 50; they are in
// localStorage, which a page reads at once, and leave it when somebody else signs in. Never put a secret into one.
import { untrack } from 'svelte'

const prefix = 'platen.draft.'
const keptMs = 30 * 86_400_000
const keptCount = 50
const largest = 500_000
const waitMs = 400

type Kept = { at: number; value: unknown }

export class Draft<T> {
  #key: string
  #stored: () => T
  #timer: ReturnType<typeof setTimeout> | undefined
  value = $state() as T
  restored = $state(false) // the value is from an earlier visit

  constructor(key: string, stored: () => T) {
    this.#key = prefix + key
    this.#stored = stored
    const kept = read(this.#key)
    const base = untrack(stored)
    this.restored = kept !== undefined && !same(kept.value, base)
    this.value = this.restored ? (kept!.value as T) : copy(base)
    $effect(() => {
      const now = $state.snapshot(this.value) as T
      const stored = this.#stored()
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#keep(now, stored), waitMs)
      return () => {
        clearTimeout(this.#timer)
        this.#keep(now, stored)
      }
    })
  }

  get changed(): boolean {
    return !same(this.value, this.#stored())
  }

  discard(): void {
    this.value = copy(this.#stored())
    this.done()
  }

  done(): void {
    clearTimeout(this.#timer)
    this.restored = false
    localStorage.removeItem(this.#key)
  }

  #keep(value: T, stored: T): void {
    if (same(value, stored)) localStorage.removeItem(this.#key)
    else write(this.#key, value)
  }
}

const own = () => Object.keys(localStorage).filter((key) => key.startsWith(prefix))

// Drafts of every page, also of those that keep their own ("AREA.draft.NAME": the editor of pipelines). They belong to who typed them:
// signing out, and somebody else signing in, take them away.
export const drafts = (): string[] => Object.keys(localStorage).filter((key) => key.includes('.draft.'))

export function dropDrafts(): void {
  for (const key of drafts()) localStorage.removeItem(key)
}

function read(key: string): Kept | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? 'null') as Kept | null
    return kept !== null && Date.now() - kept.at < keptMs ? kept : undefined
  } catch {
    return undefined
  }
}

function write(key: string, value: unknown): void {
  const text = JSON.stringify({ at: Date.now(), value })
  if (text.length > largest) return
  const others = own().filter((other) => other !== key)
  const aged = others.map((other) => ({ other, at: read(other)?.at ?? 0 })).sort((a, b) => b.at - a.at)
  for (const { other } of aged.slice(keptCount - 1).concat(aged.filter((d) => d.at === 0))) localStorage.removeItem(other)
  try {
    localStorage.setItem(key, text)
  } catch {
    // no room: the page still has it
  }
}

const copy = <V>(value: V): V => (typeof value === 'object' && value !== null ? (JSON.parse(JSON.stringify(value)) as V) : value)
const same = (a: unknown, b: unknown) => a === b || JSON.stringify(a) === JSON.stringify(b)
