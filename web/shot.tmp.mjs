import { chromium } from 'playwright-core'
import { readFileSync } from 'node:fs'
const base = process.env.BASE ?? 'http://127.0.0.1:28632'
const path = process.argv[2] ?? '/'
const name = process.argv[3] ?? 'shot'
const key = readFileSync('/tmp/sess/data/cli-key', 'utf8').trim()
const b = await chromium.launch({ executablePath: '/usr/bin/chromium-headless-shell' })
for (const [look, scheme, size] of [['desk', 'light', [1440, 900]], ['phone', 'dark', [390, 844]]]) {
  const c = await b.newContext({ viewport: { width: size[0], height: size[1] }, colorScheme: scheme, locale: process.env.LANGUAGE ?? 'en' })
  const p = await c.newPage()
  p.on('console', (m) => console.log(m.type(), m.text()))
  p.on('pageerror', (e) => console.log('error', e.message))
  await p.goto(base + path.replace('KEY', key))
  await p.waitForTimeout(1500)
  console.log(p.url())
  await p.screenshot({ path: `/tmp/sess/${name}-${look}.png` })
  await c.close()
}
await b.close()
