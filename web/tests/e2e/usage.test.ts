// Usage: days, parts, filters in the address, export.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { axe, expect, test } from './desk'

test('usage by step, one of them alone, and as CSV', async ({ desk }) => {
  await desk.own()
  await desk.client.run('text.tokens', {}, ['notes.md'])
  await desk.client.run('image.info', {}, ['picture.png'])
  const page = await desk.open('/usage')
  await page.getByRole('group', { name: 'Unit' }).getByRole('button', { name: 'Tokens' }).click()
  await desk.sees(page.getByText('Tokens per day'))
  await desk.sees(page.locator('canvas'))
  await page.getByRole('button', { name: '7 days' }).click()
  expect(new URL(page.url()).searchParams.get('days')).toBe('7')
  await page.getByRole('link', { name: 'text.tokens' }).click()
  await desk.misses(page.getByRole('cell', { name: 'image.info' }))
  expect(new URL(page.url()).searchParams.get('step')).toBe('text.tokens')
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).click()])
  const folder = mkdtempSync(join(tmpdir(), 'usage-'))
  await download.saveAs(join(folder, 'usage.csv'))
  const lines = readFileSync(join(folder, 'usage.csv'), 'utf8').trim().split('\r\n')
  rmSync(folder, { recursive: true })
  expect(lines[0]).toBe('day,step,unit,amount,count')
  expect(lines.slice(1).every((line) => /^\d{4}-\d\d-\d\d,text\.tokens,tokens,\d+,1$/.test(line))).toBe(true)
  await page.getByRole('button', { name: 'Remove the filter text.tokens' }).click()
  await desk.sees(page.getByRole('link', { name: 'image.info' }))
  await axe(page)
})

test('nothing used yet', async ({ desk }) => {
  await desk.own()
  const page = await desk.open('/usage')
  await desk.sees(page.getByRole('heading', { name: 'Nothing was used in this time' }))
  await axe(page)
})
