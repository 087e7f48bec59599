// A person's desk for a test: a browser that is signed in at a real server with real engines.
//
//   import { axe, expect, keyboard, test, upload } from './desk'
//
//   test('jobs can be found by their state', async ({ desk }) => {
//     await desk.client.run('document.extract', {}, ['protected.pdf'])           // what a program does; names are of samples/
//     const page = await desk.open('/jobs?state=failed')                         // { phone, dark, language, signedIn: false, worker: true }
//     await page.getByRole('link', { name: 'document.extract' }).first().click() // playwright waits for what it clicks
//     await desk.sees(page.getByText('password_required'))
//     await axe(page)                                                            // WCAG 2.2 AA: light and dark, desk and phone
//   })
//
// All tests share one server, where other tests' jobs are: look for your own. `desk.own()` starts a server for a test alone.
//
// A test fails by itself when a page writes an error or a warning to the console, throws, breaks the Content-Security-Policy, or
// when a request fails or is answered with 400 and above. What a test provokes it names first: desk.allow(/POST .* 422/).
import { AxeRun } from './axe'
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core'
import { expect, inject, test as base } from 'vitest'
import { desk as deskSize, phone as phoneSize } from './browser'
import { Client, sample, Server, slow } from './server'

export { expect, sample, slow }
export const waitMs = 15_000 * slow

export type Opened = { phone?: boolean; dark?: boolean; language?: 'en' | 'ru' | 'zh'; signedIn?: boolean; worker?: boolean }
type State = Awaited<ReturnType<BrowserContext['storageState']>>

let browser: Promise<Browser> | undefined
const states = new Map<string, Promise<State>>() // who is signed in, by server

export class Desk {
  private contexts: BrowserContext[] = []
  private servers: Server[] = []
  private troubles: string[] = []
  private allowed: RegExp[] = []
  private asked = new WeakMap<Page, Set<unknown>>()
  client = new Client(inject('url'), inject('key'))

  // Work at a server of one's own from here on; it ends with the test.
  async own(...args: string[]): Promise<Server> {
    const server = await Server.start(...args)
    this.servers.push(server)
    this.client = server.client
    return server
  }

  async open(path = '/', options: Opened = {}): Promise<Page> {
    const context = await this.context(options)
    const page = await context.newPage()
    await page.goto(this.client.url + path)
    // The page itself is there, not only the frame around it.
    if (options.signedIn !== false) await page.locator('main h1').first().waitFor({ timeout: waitMs })
    return page
  }

  async context(options: Opened = {}): Promise<BrowserContext> {
    const context = await (await browserOf()).newContext({
      viewport: options.phone ? phoneSize : deskSize,
      colorScheme: options.dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      hasTouch: options.phone === true,
      isMobile: options.phone === true,
      deviceScaleFactor: 1,
      locale: { en: 'en-GB', ru: 'ru-RU', zh: 'zh-CN' }[options.language ?? 'en'],
      timezoneId: 'UTC',
      serviceWorkers: options.worker === true ? 'allow' : 'block', // it keeps all files of the app: a second or two per test
      ...(options.signedIn === false ? {} : { storageState: await signedIn(this.client) }),
    })
    context.setDefaultTimeout(waitMs)
    await context.addInitScript(watchPolicy)
    context.on('page', (page) => this.watch(page))
    this.contexts.push(context)
    return context
  }

  // Trouble that the test provokes: "POST /api/v1/x 422", "console: …", "error: …".
  allow(...what: RegExp[]): void {
    this.allowed.push(...what)
  }

  sees(what: Locator): Promise<void> {
    return what.first().waitFor({ state: 'visible', timeout: waitMs })
  }

  misses(what: Locator): Promise<void> {
    return what.first().waitFor({ state: 'hidden', timeout: waitMs })
  }

  // Nothing is being asked of the server, but for streams of events: the page shows all it has.
  async quiet(page: Page): Promise<void> {
    await expect.poll(() => this.asked.get(page)?.size ?? 0, { timeout: waitMs, interval: 20 }).toBe(0)
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
    await expect.poll(() => this.asked.get(page)?.size ?? 0, { timeout: waitMs, interval: 20 }).toBe(0)
  }

  private watch(page: Page): void {
    const asked = new Set<unknown>()
    this.asked.set(page, asked)
    page.on('request', (request) => void (/\/events(\?|$)/.test(request.url()) || asked.add(request)))
    page.on('requestfinished', (request) => void asked.delete(request))
    page.on('requestfailed', (request) => void asked.delete(request))
    const trouble = (text: string) => void this.troubles.push(`${text}   (${new URL(page.url()).pathname})`)
    page.on('console', (message) => {
      const isOurs = ['error', 'warning', 'assert'].includes(message.type()) && !/blocked by Playwright/.test(message.text())
      // An answer of 400 and above is told below, with its path.
      if (isOurs && !message.text().startsWith('Failed to load resource: the server responded')) trouble(`console: ${message.text()}`)
    })
    page.on('pageerror', (error) => trouble(`error: ${error.stack ?? error.message}`))
    page.on('response', (answer) => {
      if (answer.status() >= 400) trouble(`${answer.request().method()} ${pathOf(answer.url())} ${answer.status()}`)
    })
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText ?? ''
      if (why !== 'net::ERR_ABORTED') trouble(`${request.method()} ${pathOf(request.url())} ${why}`) // aborted: nobody waits any more
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.contexts.map((context) => context.close()))
    await Promise.all(this.servers.map((server) => server.stop()))
    const left = this.troubles.filter((text) => !this.allowed.some((allowed) => allowed.test(text)))
    expect(left, 'the pages were in trouble').toEqual([])
  }
}

export const test = base.extend<{ desk: Desk }>({
  desk: async ({}, use) => {
    const desk = new Desk()
    await use(desk)
    await desk.close()
  },
})

const pathOf = (url: string) => new URL(url).pathname + new URL(url).search

function browserOf(): Promise<Browser> {
  return (browser ??= chromium.connect(inject('browser')))
}

// As a person does it: by the link that the server prints.
function signedIn(client: Client): Promise<State> {
  let state = states.get(client.url)
  if (state === undefined) states.set(client.url, (state = signIn(client)))
  return state
}

async function signIn(client: Client): Promise<State> {
  const context = await (await browserOf()).newContext()
  const page = await context.newPage()
  await page.goto(`${client.url}/#key=${client.key}`)
  await page.locator('.frame main h1').first().waitFor({ timeout: waitMs })
  const state = await context.storageState()
  await context.close()
  // Who it is, but neither language nor theme: these come from the browser.
  for (const origin of state.origins) origin.localStorage = origin.localStorage.filter((entry) => entry.name === 'platen.who')
  return state
}

// Runs in the page, before its scripts.
function watchPolicy(): void {
  document.addEventListener('securitypolicyviolation', (event) =>
    console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ''}:${event.lineNumber}`))
}

// --- what tests do ---

// Keys as a person presses them: 'Control+k', or several: 'g j'.
export async function keyboard(page: Page, keys: string): Promise<void> {
  for (const key of keys.split(' ')) await page.keyboard.press(key)
}

// Give files (names of samples/, or paths) to the page: by its file input, or dropped on `onto`.
export async function upload(page: Page, files: string | string[], onto?: string | Locator): Promise<void> {
  const paths = [files].flat().map((name) => (name.includes('/') ? name : sample(name)))
  if (onto === undefined) {
    await page.locator('input[type=file]').first().setInputFiles(paths)
    return
  }
  const target = typeof onto === 'string' ? page.locator(onto) : onto
  const { readFileSync } = await import('node:fs')
  const { basename } = await import('node:path')
  const given = paths.map((path) => ({ name: basename(path), bytes: readFileSync(path).toString('base64') }))
  const transfer = await page.evaluateHandle((all) => {
    const data = new DataTransfer()
    for (const { name, bytes } of all) data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name))
    return data
  }, given)
  for (const type of ['dragenter', 'dragover', 'drop']) await target.first().dispatchEvent(type, { dataTransfer: transfer })
}

// No violation of WCAG 2.2 AA as the page is now: light and dark, and as wide as a desk and a phone.
export async function axe(page: Page, options: { exclude?: string[] } = {}): Promise<void> {
  const size = page.viewportSize()!
  const other = size.width === phoneSize.width ? deskSize : phoneSize
  const found: string[] = []
  for (const viewport of [size, other]) {
    await page.setViewportSize(viewport)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      // The same elements: only their colours are others.
      const run = new AxeRun(page, colorScheme === 'dark' ? ['color-contrast'] : undefined, options.exclude)
      found.push(...(await run.violations()).map((v) => `${viewport.width} ${colorScheme}: ${v}`))
    }
  }
  await page.setViewportSize(size)
  await page.emulateMedia({ colorScheme: null })
  expect(found, 'axe').toEqual([])
}

