// The icons of the installed app, drawn from public/mark.svg: node tools/icons.mjs (Chromium draws; set CHROMIUM when it is elsewhere).
import { readFileSync, writeFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const folder = new URL('../public/', import.meta.url).pathname
const mark = readFileSync(`${folder}mark.svg`, 'utf8')
const bare = mark.replace(/<rect width="32" height="32"[^>]*\/>/, '')

// Maskable: the ground to the edges, the drawing in the middle 80 %. Badge: the drawing alone, in white.
const icons = [
  { name: 'icon-192', size: 192, svg: mark },
  { name: 'icon-512', size: 512, svg: mark },
  { name: 'icon-maskable-512', size: 512, svg: bare, ground: '#22577a', part: 0.8 },
  { name: 'apple-touch-icon', size: 180, svg: bare, ground: '#22577a', part: 0.9 },
  { name: 'badge-96', size: 96, svg: bare.replaceAll('#9fd3c7', '#fff'), part: 1.3 },
]

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell' })
for (const { name, size, svg, ground = 'transparent', part = 1 } of icons) {
  const page = await browser.newPage({ viewport: { width: size, height: size } })
  const sized = svg.replace('<svg ', `<svg width="${size * part}" height="${size * part}" `)
  await page.setContent(`<body style="margin:0;background:${ground};display:grid;place-items:center;height:100vh;overflow:hidden">${sized}</body>`)
  writeFileSync(`${folder}${name}.png`, await page.screenshot({ omitBackground: true }))
  await page.close()
}
await browser.close()
