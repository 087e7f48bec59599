// Notifications: what the settings offer, and what the service worker shows. Debian's Chromium has no push service of its own, so the
// subscription is made here as the browser would, and the push is handed to the worker as an event.
import { createECDH, randomBytes } from 'node:crypto'
import { axe, expect, test, waitMs } from './desk'

function subscription(endpoint: string) {
  const pair = createECDH('prime256v1')
  return { endpoint, p256dh: pair.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') }
}

test('the browsers of the key are listed, tested and stopped', async ({ desk }) => {
  const server = await desk.own('--allow-private', '127.0.0.0/8')
  const other = await server.client.call('POST', '/api/v1/push', { ...subscription('http://127.0.0.1:9/x'), label: 'Firefox · Linux', failed: true })
  const context = await desk.context()
  // The browser says yes and gives a subscription.
  await context.grantPermissions(['notifications'])
  await context.addInitScript((keys) => {
    Object.defineProperty(Notification, 'permission', { get: () => 'granted' })
    Notification.requestPermission = async () => 'granted'
    let made: object | null = null
    const manager = {
      getSubscription: async () => made,
      subscribe: async (options: { applicationServerKey: string }) => {
        if (options.applicationServerKey.length !== 87) throw new Error('not the key of a server')
        const key = Uint8Array.from(atob(options.applicationServerKey.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
        made = { endpoint: keys.endpoint, options: { applicationServerKey: key.buffer }, toJSON: () => ({ keys }), unsubscribe: async () => ((made = null), true) }
        return made
      },
    }
    const registration = Promise.resolve({ pushManager: manager })
    Object.defineProperty(navigator, 'serviceWorker', { value: { ready: registration, getRegistration: () => registration, register: () => new Promise(() => {}),
      addEventListener: () => {}, controller: null } })
  }, subscription('http://127.0.0.1:9/mine'))
  const page = await context.newPage()
  await page.goto(`${server.url}/settings/notifications`)
  await desk.sees(page.getByRole('heading', { name: 'Notifications' }))
  await desk.sees(page.getByText('Firefox · Linux'))
  await axe(page)
  const mine = async () => (await server.client.call('GET', '/api/v1/push')).browsers.find((b: any) => b.endpoint.endsWith('/mine'))
  // The page's key is the client's: both are of the same project, but only the page's own browsers are shown to it.
  await page.getByLabel('a job that I started ends').check()
  await expect.poll(async () => (await mine())?.mine, { timeout: waitMs }).toBe(true)
  await page.getByLabel('any job fails').check()
  await expect.poll(async () => (await mine())?.failed, { timeout: waitMs }).toBe(true)
  await page.getByRole('button', { name: 'Send a test' }).click()
  await desk.sees(page.getByText('A test is on its way.'))
  await page.getByLabel('a job that I started ends').uncheck()
  await page.getByLabel('any job fails').uncheck()
  await expect.poll(mine, { timeout: waitMs }).toBe(undefined)
  await page.getByRole('listitem').filter({ hasText: 'Firefox' }).getByRole('button', { name: 'Stop' }).click()
  await desk.misses(page.getByText('Firefox · Linux'))
  expect((await server.client.call('GET', '/api/v1/push')).browsers.map((b: any) => b.id)).not.toContain(other.id)
})

test('a browser that blocks notifications is told the remedy', async ({ desk }) => {
  const context = await desk.context()
  await context.addInitScript(() => Object.defineProperty(Notification, 'permission', { get: () => 'denied' }))
  const page = await context.newPage()
  await page.goto(`${desk.client.url}/settings/notifications`)
  await desk.sees(page.getByText('blocked in the browser’s settings'))
  await axe(page)
})

test('a push becomes a notification, and a click leads to the job', async ({ desk }) => {
  const context = await desk.context({ worker: true })
  await context.grantPermissions(['notifications'])
  const page = await context.newPage()
  await page.goto(desk.client.url)
  await page.evaluate(() => navigator.serviceWorker.ready)
  await expect.poll(() => context.serviceWorkers().length, { timeout: waitMs }).toBe(1)
  // A shell without windows shows no notifications: what the worker asks for is looked at instead.
  const asked = await context.serviceWorkers()[0]!.evaluate(async (data) => {
    const scope = globalThis as any
    const seen: unknown[] = []
    const work: Promise<unknown>[] = []
    scope.registration.showNotification = async (title: string, options: object) => void seen.push({ title, ...options })
    scope.clients.matchAll = async () => [{ focused: true, postMessage: (what: unknown) => seen.push(what), focus: async () => {} }]
    const tell = (event: Event, more: object) => {
      for (const [name, value] of Object.entries({ waitUntil: (p: Promise<unknown>) => work.push(p), ...more })) Object.defineProperty(event, name, { value })
      scope.dispatchEvent(event)
    }
    tell(new Event('push'), { data: { json: () => data } })
    tell(new Event('push'), { data: { json: () => JSON.parse('no JSON') } })
    tell(new Event('notificationclick'), { notification: { close: () => seen.push('closed'), data: { path: data.path } } })
    await Promise.all(work)
    return seen
  }, { type: 'job.failed', job: 'job_1', name: 'image.convert', detail: 'it is cut short', path: '/jobs/job_1', language: 'en' })
  const look = { icon: '/icon-192.png', badge: '/badge-96.png' }
  expect(asked).toEqual([
    { title: 'image.convert failed', body: 'it is cut short', tag: 'job_1', data: { path: '/jobs/job_1' }, ...look },
    { title: 'Something happened in platen', body: 'platen', tag: '', data: { path: '/' }, ...look },
    'closed',
    { go: '/jobs/job_1' },
  ])
})
