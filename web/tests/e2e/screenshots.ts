// Pictures of every page: desk and phone, light and dark, in English; and on a desk in Russian and Chinese.
//
//   vite-node --config vitest.e2e.config.ts tests/e2e/screenshots.ts FOLDER [PAGE or PAGE-LOOK…]
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { pages } from '../../src/pages'
import { browserOptions, desk, phone } from './browser'
import { seed } from './seed'
import { Server, type Client } from './server'

type Look = { name: string; phone?: boolean; dark?: boolean; language?: string }
const looks: Look[] = [
  { name: 'desk-light' },
  { name: 'desk-dark', dark: true },
  { name: 'phone-light', phone: true },
  { name: 'phone-dark', phone: true, dark: true },
  { name: 'desk-ru', language: 'ru-RU' },
  { name: 'desk-zh', language: 'zh-CN' },
]

// Beside the lists of the table: one of each thing, as somebody would open it.
async function places(client: Client): Promise<[string, string][]> {
  const lists = pages.map((page): [string, string] => [page.id, page.path])
  const jobs: any[] = (await client.call('GET', '/api/v1/jobs?limit=50')).jobs
  const documents: any[] = (await client.call('GET', '/api/v1/documents')).documents
  const of = (step: string, state?: string) => jobs.find((j) => (j.step === step || j.pipeline === step) && (state === undefined || j.state === state))
  const report = documents.find((d) => d.name === 'report.pdf')
  const more: [string, string][] = [
    ['job-pipeline', `/jobs/${of('documents')?.id}`],
    ['job-failed', `/jobs/${of('document.extract', 'failed')?.id}`],
    ['file', `/files/${report?.id}`],
    ['pipeline', '/pipelines/reading'],
    ['step', '/playground/image.convert'],
  ]
  const known = new Set(pages.map((page) => page.path.split('/')[1]))
  return [...lists, ...more.filter(([, path]) => known.has(path.split('/')[1]) && !path.endsWith('undefined'))]
}

async function contextOf(browser: Browser, look: Look, state?: Awaited<ReturnType<BrowserContext['storageState']>>) {
  return browser.newContext({
    viewport: look.phone ? phone : desk,
    isMobile: look.phone === true,
    hasTouch: look.phone === true,
    deviceScaleFactor: 1,
    colorScheme: look.dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    locale: look.language ?? 'en-GB',
    ...(state === undefined ? {} : { storageState: state }),
  })
}

const patienceMs = 8000 // a page that goes on asking is taken as it is

async function shoot(page: Page, url: string, path: string): Promise<void> {
  const asked = new Set<unknown>()
  page.on('request', (r) => void (/\/events(\?|$)/.test(r.url()) || asked.add(r)))
  page.on('requestfinished', (r) => void asked.delete(r))
  page.on('requestfailed', (r) => void asked.delete(r))
  await page.goto(url)
  await page.locator('main h1').first().waitFor()
  const until = Date.now() + patienceMs
  for (let calm = 0; calm < 5 && Date.now() < until;) {
    calm = asked.size === 0 ? calm + 1 : 0
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
  }
  await page.screenshot({ path })
}

const [folder = 'screenshots', ...only] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1)) // and the server with us
const server = await Server.start()
const browser = await chromium.launch(browserOptions)
await seed(server.client)
const first = await contextOf(browser, looks[0]!)
await shoot(await first.newPage(), server.url, join(folder, 'sign-in-desk-light.png'))
const welcome = await first.newPage()
await welcome.goto(`${server.url}/#key=${server.key}`)
await welcome.locator('.frame main h1').first().waitFor()
const state = await first.storageState()
for (const origin of state.origins) origin.localStorage = origin.localStorage.filter((e) => e.name === 'platen.who')
let made = 0
for (const look of looks) {
  const context = await contextOf(browser, look, state)
  for (const [id, path] of await places(server.client)) {
    if (only.length > 0 && !only.includes(id) && !only.includes(`${id}-${look.name}`)) continue
    const page = await context.newPage()
    await shoot(page, server.url + path, join(folder, `${id}-${look.name}.png`))
    await page.close()
    made += 1
  }
  await context.close()
}
await browser.close()
await server.stop()
console.log(`${made} pictures in ${folder}`)
process.exit(0)
