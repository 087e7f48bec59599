/// <reference lib="webworker" />
// The service worker: /worker.js. It starts the app without a connection, keeps what was opened for reading offline, and shows
// notifications.
//
// The files of the app are kept by version, all of them: a page that is open keeps the chunks it may still load when the server is
// updated. A new worker waits until the pages of the old one are closed, or the person says "reload" (lib/offline/offline.svelte.ts).
import { isKept, isPage, limits, notice, type PushData } from '$lib/offline/rules'

declare const self: ServiceWorkerGlobalScope
// Written in by the build (tools/worker.ts): what the start needs, and the rest.
declare const __SHELL__: { version: string; first: string[]; rest: string[] }

const shell = __SHELL__
const shellName = `platen.shell.${shell.version}`
const readName = 'platen.read'
const patienceMs = 3000

self.addEventListener('install', (event) => {
  event.waitUntil(keepFiles(shell.first))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith('platen.shell.') && name !== shellName)
      await Promise.all(old.map((name) => caches.delete(name)))
      await self.clients.claim()
      await keepFiles(shell.rest).catch(() => {}) // what is missing comes with its first use
    })(),
  )
})

// Files with a hash in their name are taken from the version before when it has them.
async function keepFiles(paths: string[]): Promise<void> {
  const cache = await caches.open(shellName)
  for (const path of paths) {
    if ((await cache.match(path)) !== undefined) continue
    const before = path.startsWith('/assets/') ? await caches.match(path) : undefined
    const response = before ?? (await fetch(path, { cache: 'no-cache' }))
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    await cache.put(path, response)
  }
}

self.addEventListener('fetch', (event) => {
  const request = event.request
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin) return
  if (request.mode === 'navigate') {
    if (isPage(url)) event.respondWith(page(request))
  } else if (shell.first.includes(url.pathname) || url.pathname.startsWith('/assets/')) {
    event.respondWith(file(request, url))
  } else if (isKept(url, request.headers)) {
    event.respondWith(reading(event, request))
  }
})

// The newest page, or the kept one when the server is away or slow.
async function page(request: Request): Promise<Response> {
  const kept = (await caches.open(shellName)).match('/')
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(patienceMs) })
    return response.status >= 500 ? ((await kept) ?? response) : response
  } catch (problem) {
    const page = await kept
    if (page === undefined) throw problem
    return page
  }
}

async function file(request: Request, url: URL): Promise<Response> {
  const cache = await caches.open(shellName)
  const kept = (await cache.match(url.pathname)) ?? (url.pathname.startsWith('/assets/') ? await caches.match(url.pathname) : undefined)
  if (kept !== undefined) return kept
  const response = await fetch(request)
  if (response.ok && url.pathname.startsWith('/assets/')) await cache.put(url.pathname, response.clone())
  return response
}

async function reading(event: FetchEvent, request: Request): Promise<Response> {
  try {
    const response = await fetch(request)
    const size = Number(response.headers.get('content-length') ?? 0)
    const json = (response.headers.get('content-type') ?? '').startsWith('application/json')
    if (response.status === 200 && response.type === 'basic' && (json || (size > 0 && size <= limits.bytes)))
      event.waitUntil(keep(request.url, response.clone()))
    return response
  } catch (problem) {
    const kept = await caches.match(request.url, { cacheName: readName, ignoreVary: true })
    if (kept === undefined) throw problem
    return kept
  }
}

// The newest ones stay: an answer that comes again goes to the end of the list.
async function keep(url: string, response: Response): Promise<void> {
  const cache = await caches.open(readName)
  await cache.put(url, response)
  const all = await cache.keys()
  await Promise.all(all.slice(0, Math.max(0, all.length - limits.entries)).map((old) => cache.delete(old)))
}

self.addEventListener('message', (event) => {
  if (event.data === 'take over') void self.skipWaiting()
})

// --- notifications ---

self.addEventListener('push', (event) => {
  let data: PushData = { type: '' }
  try {
    data = (event.data?.json() as PushData | undefined) ?? data
  } catch {
    // not ours; the browser wants to see a notification nevertheless
  }
  const { title, body, tag, path } = notice(data, self.navigator.language)
  event.waitUntil(self.registration.showNotification(title, { body, tag, icon: '/icon-192.png', badge: '/badge-96.png', data: { path } }))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const path = (event.notification.data as { path?: string } | undefined)?.path ?? '/'
  event.waitUntil(
    (async () => {
      const open = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
      const client = open.find((c) => c.focused) ?? open[0]
      if (client === undefined) return void (await self.clients.openWindow(path))
      client.postMessage({ go: path })
      await client.focus().catch(() => {})
    })(),
  )
})

// The browser has made a new address for us: the server must know it.
self.addEventListener('pushsubscriptionchange', (event) => {
  const change = event as ExtendableEvent & { oldSubscription?: PushSubscription | null }
  change.waitUntil(
    (async () => {
      const said = (await (await fetch('/api/v1/push')).json()) as { key: string; browsers: Record<string, unknown>[] }
      const old = said.browsers.find((b) => b['endpoint'] === change.oldSubscription?.endpoint)
      if (old === undefined) return
      const made = await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: said.key })
      const keys = made.toJSON().keys ?? {}
      const { mine, failed, approvals, label, language } = old
      const headers = { 'X-Platen': 'web', 'Content-Type': 'application/json' }
      const body = JSON.stringify({ endpoint: made.endpoint, ...keys, mine, failed, approvals, label, language })
      await fetch('/api/v1/push', { method: 'POST', headers, body })
      await fetch(`/api/v1/push/${String(old['id'])}`, { method: 'DELETE', headers })
    })(),
  )
})
