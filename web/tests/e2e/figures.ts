// Figures of the web app in Debian's Chromium, against a real server: what bench/web.py reports. One JSON object on the last line.
//
//   vite-node --config vitest.e2e.config.ts tests/e2e/figures.ts [JOBS]     // of the long list; 100000
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { browserOptions, desk } from './browser'
import { seed } from './seed'
import { Server, type Client } from './server'

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
const runs = 5
const say = (text: string) => console.error(text)

async function signIn(context: BrowserContext, server: Server): Promise<void> {
  const page = await context.newPage()
  await page.goto(`${server.url}/#key=${server.key}`)
  await page.locator('.frame main h1').first().waitFor()
  await page.close()
}

// --- the shell: what a first visit of somebody who is signed in fetches before the page of home is asked for its data ---

async function shellBytes(context: BrowserContext): Promise<{ bytes: number; files: number }> {
  const page = await context.newPage()
  const cdp = await context.newCDPSession(page)
  await cdp.send('Network.enable')
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true })
  const paths = new Map<string, string>()
  let bytes = 0
  let files = 0
  cdp.on('Network.requestWillBeSent', (e) => paths.set(e.requestId, new URL(e.request.url).pathname))
  cdp.on('Network.loadingFinished', (e) => {
    if (paths.get(e.requestId)?.startsWith('/api/') !== false) return
    bytes += e.encodedDataLength
    files += 1
  })
  await page.goto(`${url}/`)
  await page.locator('main h2').first().waitFor()
  await page.close()
  return { bytes, files }
}

// --- interactive: home shows what is on the server, and a key press has opened the palette ---

function watchStart(): void {
  const marks = ((window as any).marks = {} as { content?: number; palette?: number })
  const look = () => {
    if (marks.content === undefined && document.querySelector('main h2') !== null) {
      marks.content = performance.now()
      const init = { key: 'k', code: 'KeyK', ctrlKey: true, bubbles: true, cancelable: true }
      document.body.dispatchEvent(new KeyboardEvent('keydown', init))
    }
    if (marks.palette === undefined && document.querySelector('[role=combobox]') !== null) {
      requestAnimationFrame(() => (marks.palette ??= performance.now()))
      return
    }
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

async function interactive(context: BrowserContext, slower: number): Promise<{ content: number; palette: number }> {
  const found: { content: number; palette: number }[] = []
  for (let i = 0; i < runs; i++) {
    const page = await context.newPage()
    await page.addInitScript(watchStart)
    const cdp = await context.newCDPSession(page)
    await cdp.send('Network.setCacheDisabled', { cacheDisabled: true })
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: slower })
    await page.goto(`${url}/`)
    await page.waitForFunction(() => (window as any).marks.palette !== undefined)
    found.push(await page.evaluate(() => (window as any).marks))
    await page.close()
  }
  return { content: median(found.map((f) => f.content)), palette: median(found.map((f) => f.palette)) }
}

// --- frames ---

type Frames = { fps: number; frames: number; late: number; longest_ms: number }

const startFrames = (page: Page) => page.evaluate(() => {
  const all: number[] = ((window as any).frames_ = [])
  const next = (at: number) => {
    all.push(at)
    ;(window as any).frameId = requestAnimationFrame(next)
  }
  requestAnimationFrame(next)
})

// A frame is late when it comes more than half a frame after its time (60 a second).
const endFrames = (page: Page): Promise<Frames> => page.evaluate(() => {
  cancelAnimationFrame((window as any).frameId)
  const all: number[] = (window as any).frames_
  const gaps = all.slice(1).map((at, i) => at - all[i]!)
  const ms = gaps.reduce((sum, gap) => sum + gap, 0)
  return { fps: gaps.length / (ms / 1000), frames: gaps.length, late: gaps.filter((gap) => gap > 25).length, longest_ms: Math.max(...gaps) }
})

async function scroll(page: Page): Promise<void> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Input.synthesizeScrollGesture', { x: 800, y: 500, yDistance: -12_000, speed: 3000, gestureSourceType: 'mouse' } as never)
}

// An empty page that does nothing: what this machine draws at best while it is measured.
async function emptyFrames(context: BrowserContext): Promise<Frames> {
  const page = await context.newPage()
  await page.goto(`${url}/mark.svg`)
  await startFrames(page)
  await page.waitForFunction(() => ((window as any).frames_ as number[]).length > 200)
  const frames = await endFrames(page)
  await page.close()
  return frames
}

async function addJobs(client: Client, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1000) {
    const jobs = Array.from({ length: Math.min(left, 1000) }, () => ({ step: 'test.noop', params: {} }))
    await client.call('POST', '/api/v1/jobs', { jobs })
  }
}

async function longList(context: BrowserContext, client: Client, count: number): Promise<Frames & { rows: number }> {
  await addJobs(client, count)
  const page = await context.newPage()
  await page.goto(`${url}/jobs`)
  await page.locator('[role=listitem]').first().waitFor()
  say('reading the list to its end')
  const rows = () => page.locator('[role=listitem]').first().getAttribute('aria-setsize').then(Number)
  await page.evaluate(async (wanted) => {
    const setSize = () => Number(document.querySelector('[role=listitem]')?.getAttribute('aria-setsize'))
    const until = performance.now() + 240_000
    while (setSize() < wanted && performance.now() < until) {
      window.scrollTo(0, document.documentElement.scrollHeight)
      await new Promise((drawn) => requestAnimationFrame(drawn))
    }
    window.scrollTo(0, document.documentElement.scrollHeight / 2)
  }, count)
  await page.waitForFunction(() => document.querySelectorAll('[role=listitem] a').length > 10)
  const all = await rows()
  await startFrames(page)
  await scroll(page)
  const frames = await endFrames(page)
  await page.close()
  return { rows: all, ...frames }
}

// --- events: a worker outside reports its progress more than a thousand times a second, and the page of its job is open ---

async function events(context: BrowserContext, client: Client): Promise<Frames & { per_second: number; events: number }> {
  await client.call('POST', '/api/v1/steps/queue.send', { params: { to: 'figures', payload: {} } })
  const [task] = (await client.call('POST', '/api/v1/queues/figures/lease', { lease_seconds: 300, worker: 'figures' })).tasks
  const page = await context.newPage()
  await page.goto(`${url}/jobs/${task.job}`)
  await page.locator('main h1').first().waitFor()
  await page.waitForFunction(() => document.querySelector('[role=progressbar], progress, main h2') !== null)
  const perSecond = 1000
  const seconds = 5
  let said = 0
  const began = Date.now()
  const worker = async () => {
    while (Date.now() - began < (seconds + 1) * 1000) {
      if (said > (Date.now() - began) / 1000 * perSecond) await new Promise((soon) => setTimeout(soon, 2))
      else await client.call('POST', `/api/v1/tasks/${task.id}/extend`, { attempt: task.attempt, done: ++said, total: 100_000, note: `page ${said}` })
    }
  }
  const work = Promise.all(Array.from({ length: 16 }, worker))
  await startFrames(page)
  await page.evaluate((ms) => new Promise((done) => setTimeout(done, ms)), seconds * 1000)
  const frames = await endFrames(page)
  const took = (Date.now() - began) / 1000
  const count = said
  await work
  await page.close()
  return { per_second: count / took, events: count, ...frames }
}

const count = Number(process.argv[2] ?? 100_000)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1)) // and the server with us
const server = await Server.start()
const url = server.url
const browser = await chromium.launch(browserOptions)
// Without the worker of the app: a first visit, and every byte over the network.
const context = await browser.newContext({ viewport: desk, locale: 'en-GB', serviceWorkers: 'block' })
const found: Record<string, unknown> = {}
try {
  await seed(server.client)
  await signIn(context, server)
  found['shell'] = await shellBytes(context)
  found['interactive'] = await interactive(context, 4)
  found['interactive_fast'] = await interactive(context, 1)
  found['empty'] = await emptyFrames(context)
  say(JSON.stringify(found))
  found['events'] = await events(context, server.client)
  say(JSON.stringify(found))
  found['list'] = await longList(context, server.client, count)
} finally {
  await browser.close()
  server.kill()
}
console.log(JSON.stringify(found))
process.exit(0)
