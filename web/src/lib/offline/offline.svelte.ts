// The app without a connection: the service worker (src/worker.ts), whether the server answers, and newer versions of the app.
import { connection } from '$lib/live.svelte'
import { go } from '$lib/router.svelte'
import { look, session } from '$lib/session.svelte'

class Offline {
  network = $state(navigator.onLine)
  newer = $state.raw<ServiceWorker | undefined>(undefined) // a newer version waits

  // The server cannot be reached, as far as we know.
  get away(): boolean {
    return !this.network || session.away || connection.state === 'broken'
  }
}
export const offline = new Offline()

const askAgainMs = 5000
const lookForNewerMs = 3_600_000

export function startOffline(): void {
  addEventListener('online', () => (offline.network = true))
  addEventListener('offline', () => (offline.network = false))
  setInterval(() => session.away && offline.network && void look(), askAgainMs)
  if (import.meta.env.PROD && 'serviceWorker' in navigator) void startWorker().catch(() => {}) // without it the app works online
}

async function startWorker(): Promise<void> {
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ go?: string }>) => {
    if (event.data.go !== undefined) go(event.data.go)
  })
  const registration = await navigator.serviceWorker.register('/worker.js')
  const waits = () => {
    // The first worker of all takes over by itself.
    if (registration.waiting !== null && navigator.serviceWorker.controller !== null) offline.newer = registration.waiting
  }
  waits()
  registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', waits))
  setInterval(() => void registration.update().catch(() => {}), lookForNewerMs)
}

// The newer version, now: the pages of this browser load again.
export function takeNewer(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  offline.newer?.postMessage('take over')
}
