#!/usr/bin/env node
// How smooth the jobs page is, in Debian's Chromium, on a real server. Prints a JSON line per figure:
//
//   node bench/web_jobs.mjs [BUILD]
//
// list     100,000 jobs, scrolled from end to end of what is read: frames per second, and the share of frames over 25 ms
// events   a pipeline of 1,000 items that end as fast as they can: events per second, frames as above, while its page is open
// A frame is the time between two requestAnimationFrame calls. The browser draws in software here: a real screen is faster.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from '../web/node_modules/playwright-core/index.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const build = resolve(process.argv[2] ?? join(root, 'build'))
const jobs = 100_000
const items = 1000
const scrollMs = 8000

const folder = mkdtempSync(join(tmpdir(), 'platen-bench-'))
const server = spawn(join(build, 'platen'), ['serve', '--data', folder, '--listen', '127.0.0.1:0', '--log-level', 'off'], { stdio: ['ignore', 'pipe', 'ignore'] })
const key = await new Promise((found) => {
  let text = ''
  server.stdout.on('data', (bytes) => {
    text += bytes
    const shown = /(pk_[\w-]{43})/.exec(text)
    if (shown) found(shown[1])
  })
})
const { url } = JSON.parse(readFileSync(join(folder, 'server.json'), 'utf8'))

async function call(method, path, body) {
  const answer = await fetch(url + path, { method, headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

function watchFrames() {
  window.frames_ = []
  let last = performance.now()
  const step = (now) => {
    window.frames_.push(now - last)
    last = now
    window.watching_ = requestAnimationFrame(step)
  }
  window.watching_ = requestAnimationFrame(step)
}
function endFrames() {
  cancelAnimationFrame(window.watching_)
  const all = window.frames_.slice(1)
  const sum = all.reduce((a, b) => a + b, 0)
  const sorted = [...all].sort((a, b) => a - b)
  return { fps: Math.round((1000 * all.length) / sum), p99_ms: Math.round(sorted[Math.floor(sorted.length * 0.99)]), late: all.filter((ms) => ms > 25).length / all.length }
}

const browser = await chromium.launch({ executablePath: process.env.PLATEN_CHROMIUM ?? '/usr/bin/chromium-headless-shell',
  args: process.getuid() === 0 ? ['--no-sandbox'] : [] })
try {
  const later = Array.from({ length: 1000 }, () => ({ step: 'test.noop', queue: 'later', delay_ms: 86_400_000 }))
  for (let i = 0; i < jobs; i += 1000) await call('POST', '/api/v1/jobs', { jobs: later })
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(`${url}/#key=${key}`)
  await page.locator('.frame main h1').first().waitFor()
  await page.goto(`${url}/jobs`)
  await page.locator('.list [role=listitem]').first().waitFor()

  await page.evaluate(watchFrames)
  const rows = await page.evaluate((ms) => new Promise((done) => {
    const end = performance.now() + ms
    const step = (now) => {
      window.scrollBy(0, 60)
      now < end ? requestAnimationFrame(step) : done(document.querySelector('.list [role=listitem]').getAttribute('aria-setsize'))
    }
    requestAnimationFrame(step)
  }), scrollMs)
  console.log(JSON.stringify({ figure: 'web.list', jobs, rows: Number(rows), ...(await page.evaluate(endFrames)) }))

  // All of them read, then from end to end.
  let seen = 0
  const began = Date.now()
  while (seen < jobs && Date.now() - began < 180_000) {
    await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight))
    await page.waitForTimeout(15)
    seen = Number(await page.locator('.list [role=listitem]').first().getAttribute('aria-setsize'))
  }
  await page.evaluate(watchFrames)
  await page.evaluate((ms) => new Promise((done) => {
    const end = performance.now() + ms
    const step = (now) => {
      window.scrollBy(0, -400)
      now < end ? requestAnimationFrame(step) : done()
    }
    requestAnimationFrame(step)
  }), scrollMs)
  const heap = await page.evaluate(() => Math.round(performance.memory.usedJSHeapSize / 1e6))
  console.log(JSON.stringify({ figure: 'web.list.fast', rows: seen, heap_mb: heap, ...(await page.evaluate(endFrames)) }))

  const list = Array.from({ length: items }, (_, i) => String(i))
  await call('PUT', '/api/v1/pipelines/many', 'name: many\ninputs:\n  n: {type: list}\nsteps:\n  go: {wait: signal, signal: go}\n  all: {uses: test.noop, foreach: "${{ inputs.n }}", max-parallel: 100, needs: [go]}\n')
  const job = await call('POST', '/api/v1/pipelines/many/run', { inputs: { n: list } })
  await page.goto(`${url}/jobs/${job.id}`)
  await page.getByRole('treegrid').waitFor()
  await page.evaluate(watchFrames)
  const start = Date.now()
  await call('POST', `/api/v1/jobs/${job.id}/signals/go`, {})
  await call('GET', `/api/v1/jobs/${job.id}?wait=60`)
  const took = Date.now() - start
  console.log(JSON.stringify({ figure: 'web.events', events: items, per_second: Math.round((1000 * items) / took), ...(await page.evaluate(endFrames)) }))
} finally {
  await browser.close()
  server.kill('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}
