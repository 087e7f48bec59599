// What happens in the project, as it happens. One stream for all tabs of a browser: HTTP/1.1 allows six connections to a server,
// so the tab that holds a lock listens and tells the others.
//
//   live(['job.*', 'document.added'], (event) => jobs.reload())      // while the component is there
import { follow, type StreamState } from '$lib/api/sse'
import type { Schemas } from '$lib/api/client'

export type Happening = Schemas['Happening']
type Listener = { matches: (type: string) => boolean; hear: (event: Happening) => void }

const listeners = new Set<Listener>()
const lastKey = 'platen.feed.last'

class Connection {
  state = $state<StreamState>('connecting')
}
export const connection = new Connection()

let channel: BroadcastChannel | undefined
let stop: (() => void) | undefined
let release: (() => void) | undefined

export function startLive(): void {
  if (channel !== undefined) return
  channel = new BroadcastChannel('platen.feed')
  channel.onmessage = (message: MessageEvent<{ events?: Happening[]; state?: StreamState; ask?: true }>) => {
    for (const event of message.data.events ?? []) tell(event)
    if (message.data.state !== undefined) connection.state = message.data.state
    if (message.data.ask && stop !== undefined) channel?.postMessage({ state: connection.state })
  }
  channel.postMessage({ ask: true })
  if (navigator.locks === undefined) lead()
  else void navigator.locks.request('platen.feed', lead)
}

export function stopLive(): void {
  stop?.()
  release?.()
  channel?.close()
  stop = release = channel = undefined
  localStorage.removeItem(lastKey)
}

// The promise lasts as long as this tab leads.
function lead(): Promise<void> {
  const after = localStorage.getItem(lastKey) ?? ''
  stop = follow('/api/v1/events', {
    after,
    onEvent: (e) => gather(e.id, e.data as Happening),
    onState: (state) => {
      // A place that the server does not know any more: begin now.
      if (state === 'ended') localStorage.removeItem(lastKey)
      connection.state = state
      channel?.postMessage({ state })
    },
  })
  return new Promise((resolve) => (release = resolve))
}

// A thousand events a second are told in a few pieces: writing the place and telling other tabs cost more than an event does.
const gatherMs = 40
let gathered: Happening[] = []
let lastId = ''

function gather(id: string, event: Happening): void {
  lastId = id
  if (gathered.push(event) === 1) setTimeout(tellAll, gatherMs)
}

function tellAll(): void {
  const events = gathered
  gathered = []
  if (stop === undefined) return
  localStorage.setItem(lastKey, lastId)
  channel?.postMessage({ events })
  for (const event of events) tell(event)
}

function tell(event: Happening): void {
  for (const listener of listeners) if (listener.matches(event.type)) listener.hear(event)
}

export function matcher(patterns: string[]): (type: string) => boolean {
  const exact = new Set(patterns.filter((p) => !p.endsWith('*')))
  const starts = patterns.filter((p) => p.endsWith('*')).map((p) => p.slice(0, -1))
  return (type) => exact.has(type) || starts.some((s) => type.startsWith(s))
}

export function listen(patterns: string[], hear: (event: Happening) => void): () => void {
  const listener = { matches: matcher(patterns), hear }
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function live(patterns: string[], hear: (event: Happening) => void): void {
  $effect(() => listen(patterns, hear))
}
