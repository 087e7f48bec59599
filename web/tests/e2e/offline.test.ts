// Without a connection: the app starts, what was opened can be read, what was typed is kept.
import { expect, test, waitMs } from './desk'
import type { Page } from 'playwright-core'

// The worker has taken over and keeps all files of the app.
async function ready(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready)
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null), { timeout: waitMs }).toBe(true)
  const kept = () => page.evaluate(async () => {
    const name = (await caches.keys()).find((one) => one.startsWith('platen.shell.'))
    return name === undefined ? [] : (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname)
  })
  await expect.poll(kept, { timeout: waitMs }).toContain('/')
  let before = -1
  await expect.poll(async () => { // until no more come
    const now = (await kept()).length
    const same = now === before && now > 10
    before = now
    return same
  }, { timeout: waitMs, interval: 500 }).toBe(true)
}

test('what was opened can be read without the server', async ({ desk }) => {
  desk.allow(/ERR_|console: |GET /)
  const server = await desk.own()
  const job = await server.client.run('document.extract', {}, ['report.docx'])
  const page = await desk.open('/', { worker: true })
  await ready(page)
  await page.goto(`${server.url}/jobs/${job.id}`)
  await desk.sees(page.locator('main h1').first())
  await desk.quiet(page)
  const title = await page.locator('main h1').first().innerText()
  await page.context().setOffline(true)
  await page.reload()
  await expect.poll(() => page.locator('main h1').first().innerText(), { timeout: waitMs }).toBe(title)
  await desk.sees(page.getByRole('status').getByText('No network'))
  await page.context().setOffline(false)
  await desk.misses(page.getByRole('status').getByText('No network'))
  // Signing out leaves nothing behind.
  await page.goto(`${server.url}/settings/session`)
  await page.locator('main').getByRole('button', { name: 'Sign out' }).click()
  await desk.sees(page.getByRole('heading', { name: 'Sign in' }))
  expect(await page.evaluate(() => caches.has('platen.read'))).toBe(false)
})

test('keys and secrets are not kept', async ({ desk }) => {
  desk.allow(/ERR_|console: |GET /)
  const page = await desk.open('/', { worker: true })
  await ready(page)
  const kept = await page.evaluate(async () => {
    for (const path of ['/api/v1/keys', '/api/v1/secrets', '/api/v1/push', '/api/v1/steps', '/api/v1/jobs?limit=2&wait=0']) await fetch(path)
    await new Promise((done) => setTimeout(done, 300))
    return (await (await caches.open('platen.read')).keys()).map((request) => new URL(request.url).pathname)
  })
  expect(kept).toContain('/api/v1/steps')
  for (const path of ['/api/v1/keys', '/api/v1/secrets', '/api/v1/push', '/api/v1/session']) expect(kept).not.toContain(path)
})

test('the app can be installed', async ({ desk }) => {
  const page = await desk.open('/')
  const found = await page.evaluate(async () => {
    const manifest = await (await fetch(document.querySelector<HTMLLinkElement>('link[rel=manifest]')!.href)).json()
    const icons = await Promise.all(manifest.icons.map(async (icon: any) => {
      const image = new Image()
      image.src = icon.src
      await image.decode()
      return `${image.naturalWidth}x${image.naturalHeight}` === icon.sizes
    }))
    return { name: manifest.name, start: manifest.start_url, display: manifest.display, icons }
  })
  expect(found).toEqual({ name: 'platen', start: '/', display: 'standalone', icons: [true, true, true] })
})
