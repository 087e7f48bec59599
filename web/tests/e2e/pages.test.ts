// Every page of the table, with real data on the server: it shows itself, is WCAG 2.2 AA in light and dark, on desk and phone, is not
// wider than the screen, and writes nothing to the console (desk.ts).
import { describe } from 'vitest'
import { pages } from '../../src/pages'
import { axe, expect, test } from './desk'

describe.each(pages.map((page) => page.path))('%s', (path) => {
  test('on a desk and a phone, light and dark', async ({ desk }) => {
    const page = await desk.open(path)
    await desk.quiet(page)
    await axe(page)
    expect(await page.title()).toMatch(/ · platen$|^platen$/)
  })

  test('at 360 pixels nothing is wider than the screen', async ({ desk }) => {
    const page = await desk.open(path, { phone: true, dark: true, language: 'ru' })
    await page.setViewportSize({ width: 360, height: 740 })
    await desk.quiet(page)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
  })
})
