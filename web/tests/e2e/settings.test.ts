// Settings: each section as a person uses it.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { sections } from '../../src/pages/settings/sections'
import { axe, expect, test, type Desk } from './desk'

const line = (page: Page, name: string | RegExp) => page.locator('.part li').filter({ hasText: name })
const dialog = (page: Page) => page.getByRole('dialog')

test.for(sections.map((s) => s.id))('%s can be read by everybody, on a desk and a phone', async (id, { desk }) => {
  const page = await desk.open(`/settings/${id}`)
  await desk.quiet(page)
  await axe(page)
  const small = await desk.open(`/settings/${id}`, { phone: true, language: 'ru', dark: true })
  await small.setViewportSize({ width: 360, height: 740 })
  await desk.quiet(small)
  expect(await small.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
})

test('a key is made, shown once, signs in, and is revoked', async ({ desk }) => {
  const page = await desk.open('/settings/keys')
  await page.getByRole('button', { name: 'New key' }).click()
  await dialog(page).getByLabel(/^Name/).fill('scanner')
  await dialog(page).getByRole('button', { name: 'Create' }).click()
  await desk.sees(dialog(page).getByText('The new key'))
  await axe(page)
  const link = await dialog(page).getByText(/#key=pk_/).textContent()
  await dialog(page).getByRole('button', { name: 'I have kept it' }).click()
  await desk.sees(line(page, 'scanner'))

  const other = await desk.open('/', { signedIn: false })
  await other.goto(link!.trim())
  await other.locator('main h1').first().waitFor()

  await line(page, 'scanner').getByRole('button', { name: 'Revoke scanner' }).click()
  await desk.sees(dialog(page).getByText('This cannot be taken back'))
  await dialog(page).getByRole('button', { name: 'Revoke' }).click()
  await desk.sees(line(page, 'scanner').getByText('Revoked'))
  desk.allow(/ 401/) // the browser that used it
})

// An address that answers as it is told.
async function receiver(): Promise<{ url: string; got: IncomingMessage[]; answer: (status: number) => void; close: () => void }> {
  let status = 500
  const got: IncomingMessage[] = []
  const server = createServer((request, response) => {
    got.push(request)
    request.resume().on('end', () => response.writeHead(status).end('noted'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got,
    answer: (s) => (status = s), close: () => server.close(),
  }
}

test('a webhook is made, tested, its deliveries seen and sent again, paused and taken back', async ({ desk }) => {
  await desk.own('--allow-private', '127.0.0.0/8')
  const other = await receiver()
  other.answer(200)
  const page = await desk.open('/settings/webhooks')
  await desk.sees(page.getByText('No webhooks'))
  await page.getByRole('button', { name: 'New webhook' }).click()
  await dialog(page).getByLabel(/^URL|^Url/i).fill('no address')
  desk.allow(/POST \/api\/v1\/webhooks 422/, /POST \/api\/v1\/webhooks 400/)
  await dialog(page).getByRole('button', { name: 'Create' }).click()
  await desk.sees(dialog(page).locator('.bad, [role=alert]'))
  await dialog(page).getByLabel(/^URL|^Url/i).fill(other.url)
  await dialog(page).getByRole('button', { name: 'Create' }).click()
  await desk.sees(dialog(page).getByText(/^whsec_/))
  await dialog(page).getByRole('button', { name: 'I have kept it' }).click()

  const hook = line(page, other.url)
  await hook.getByRole('button', { name: 'Send test' }).click()
  await desk.sees(hook.getByRole('table').getByText('done'))
  expect(other.got[0]!.headers['webhook-signature']).toMatch(/^v1,/)
  await hook.getByRole('table').getByRole('button').first().click()
  await desk.sees(hook.getByText('noted'))
  await axe(page)
  await hook.getByRole('button', { name: 'Send again' }).click()
  await desk.sees(page.getByText('It is sent again.'))
  await expect.poll(() => other.got.length).toBe(2)

  await hook.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Pause' }).click()
  await desk.sees(hook.getByText('paused'))
  await page.getByRole('button', { name: 'Undo' }).click()
  await desk.sees(hook.getByText('active'))
  await hook.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Change' }).click()
  await dialog(page).getByLabel(/^Description/).fill('The notebook')
  await dialog(page).getByRole('button', { name: 'Save' }).click()
  await desk.sees(hook.getByText('The notebook'))
  other.close()
})

test('a schedule is written with its next times, run, and deleted and brought back', async ({ desk }) => {
  const page = await desk.open('/settings/schedules')
  await page.getByRole('button', { name: 'New schedule' }).click()
  await dialog(page).getByLabel(/^Name/).fill('nightly-count')
  await dialog(page).getByLabel(/^Cron/).fill('0 3 * * *')
  await desk.sees(dialog(page).getByRole('cell', { name: /03:00/ }).first())
  await dialog(page).getByLabel(/^Step/).fill('text.stats')
  await axe(page)
  await more(page)
  await dialog(page).locator('[data-param="params"] .cm-content').fill('{"text": "one two"}')
  await dialog(page).getByRole('button', { name: 'Create' }).click()
  await desk.sees(line(page, 'nightly-count'))

  await line(page, 'nightly-count').getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await desk.misses(line(page, 'nightly-count'))
  await page.getByRole('button', { name: 'Undo' }).click()
  await desk.sees(line(page, 'nightly-count'))
  expect((await desk.client.call('GET', '/api/v1/schedules/nightly-count')).params).toEqual({ text: 'one two' })

  await line(page, 'nightly-count').getByRole('button', { name: 'Run now' }).click()
  await page.waitForURL(/\/jobs\/job_/)
})

// Options that are folded away.
async function more(page: Page): Promise<void> {
  const fold = dialog(page).locator('details:not([open]) > summary')
  if (await fold.count() > 0) await fold.first().click()
}

test('a secret is written, replaced and deleted, and never shown', async ({ desk }) => {
  const page = await desk.open('/settings/secrets')
  await page.getByRole('button', { name: 'New secret' }).click()
  await dialog(page).getByLabel('Name').fill('API_TOKEN')
  await dialog(page).getByLabel(/^Value/).fill('hunter2')
  await dialog(page).getByRole('button', { name: 'Save' }).click()
  await desk.sees(line(page, 'API_TOKEN'))
  expect(await page.content()).not.toContain('hunter2')
  await line(page, 'API_TOKEN').getByRole('button', { name: 'Delete API_TOKEN' }).click()
  await dialog(page).getByRole('button', { name: 'Delete' }).click()
  await desk.misses(line(page, 'API_TOKEN'))
})

test('limits of a queue are changed, and it is paused and goes on', async ({ desk }: { desk: Desk }) => {
  await desk.client.call('PUT', '/api/v1/queues/limited', { concurrency: 3 })
  const page = await desk.open('/settings/queues')
  const queue = page.locator('.part li').filter({ has: page.getByRole('heading', { name: 'limited', exact: true }) })
  await desk.sees(queue.getByText('3 at once'))
  await queue.getByRole('button', { name: 'Change limited' }).click()
  await dialog(page).getByLabel(/^Concurrency/).first().fill('7')
  await dialog(page).getByRole('button', { name: 'Save' }).click()
  await desk.sees(queue.getByText('7 at once'))
  await queue.getByRole('button', { name: 'Pause' }).click()
  await desk.sees(queue.getByText('paused'))
  await page.getByRole('button', { name: 'Undo' }).click()
  await desk.sees(queue.getByText('active'))
  await desk.client.call('PUT', '/api/v1/queues/limited', {})
})

test('theme, density and language are of this browser and stay', async ({ desk }) => {
  const page = await desk.open('/settings/appearance')
  await page.getByRole('radio', { name: 'Dark' }).check()
  await page.getByRole('radio', { name: 'Compact' }).check()
  await page.getByRole('radio', { name: 'Русский' }).check()
  await desk.sees(page.getByRole('heading', { name: 'Внешний вид' }))
  await page.reload()
  await desk.sees(page.getByRole('heading', { name: 'Внешний вид' }))
  expect(await page.evaluate(() => ({ ...document.documentElement.dataset }))).toMatchObject({ theme: 'dark', density: 'compact' })
})

test('what is in the app is said with its licence', async ({ desk }) => {
  const page = await desk.open('/settings/about')
  await desk.sees(page.getByText(/^platen \d/))
  const row = page.getByRole('row', { name: /^svelte / })
  await row.locator('summary', { hasText: 'MIT' }).click()
  await desk.sees(row.getByText(/Permission is hereby granted/))
})
