// Batch: many files dropped, checked, started; what became of each; retry, cancel, download.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { fileOf } from './server'
import { axe, expect, test, upload, waitMs, type Desk } from './desk'

const item = (page: Page, name: string | RegExp) => page.getByRole('list', { name: 'Files' }).getByRole('listitem').filter({ hasText: name })

async function begun(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Check and start' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click()
  await page.waitForURL(/\/batch\/job_/)
  return page.url().split('/').at(-1)!.split('?')[0]!
}

test('files and an archive go through a step: what would happen, what became of each, all results', async ({ desk }) => {
  const page = await desk.open('/batch')
  await page.getByLabel('What is to be done').selectOption({ label: 'Inspect image' })
  await upload(page, ['photo.jpg', 'picture.png', 'bundle.zip'], page.getByRole('group', { name: 'Files of the batch' }))
  await desk.sees(page.getByText('3 of 3 files are on the server'))
  await axe(page)
  await page.getByRole('button', { name: 'Check and start' }).click()
  await desk.sees(page.getByRole('dialog').getByText('3 files go through Inspect image. 1 of them is an archive'))
  await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click()
  await page.waitForURL(/\/batch\/job_/)
  const id = page.url().split('/').at(-1)!
  await desk.client.ended(id)

  // The archive became its files, which are no pictures: they failed, and each says why.
  await desk.sees(item(page, 'photo.jpg').getByText('done'))
  await desk.sees(page.getByText('3 done'))
  await page.getByRole('navigation', { name: 'Parts of this page' }).getByRole('link', { name: /failed/ }).click()
  await item(page, 'readme.txt').getByRole('button', { name: /Why/ }).click()
  await desk.sees(page.getByRole('dialog').getByText('unsupported_type'))
  await desk.sees(page.getByRole('dialog').getByText('Convert the file, or choose a step that accepts it'))
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  await axe(page)

  // Only what failed runs again.
  const before = (await desk.client.call('GET', `/api/v1/jobs/${id}/items`)).items[0].finished
  await page.getByRole('button', { name: /^Run \d+ again/ }).click()
  await desk.sees(page.getByText(/files run again/))
  await desk.client.ended(id)
  expect((await desk.client.call('GET', `/api/v1/jobs/${id}/items`)).items[0].finished).toBe(before)

  // It is among the recent ones.
  await page.goto(`${desk.client.url}/batch`)
  await desk.sees(page.locator(`a[href="/batch/${id}"]`))
})

const small = `name: small-pictures
title: Small pictures
inputs:
  picture: {type: file, required: true, help: What is made smaller.}
  width: {type: int, default: 64, min: 16, max: 2000, help: How wide.}
steps:
  small: {uses: image.convert, with: {file: "\${{ inputs.picture }}", width: "\${{ inputs.width }}", format: png}}
outputs: {picture: "\${{ steps.small.output }}"}
`

test('files go through a pipeline with a value for all, and a result is looked at and downloaded', async ({ desk }) => {
  await desk.client.call('PUT', '/api/v1/pipelines/small-pictures', small)
  const page = await desk.open('/batch?what=pipeline:small-pictures')
  await upload(page, ['photo.jpg', 'picture.png'])
  await page.getByLabel(/^Width/).first().fill('40')
  await desk.sees(page.getByText('2 of 2 files are on the server'))
  const id = await begun(page)
  const job = await desk.client.ended(id)
  expect([job.state, job.pipeline, job.items.done]).toEqual(['done', 'small-pictures', 2])
  await item(page, 'photo.jpg').getByRole('button', { name: 'Show the result of photo.jpg' }).click()
  await desk.sees(page.getByRole('dialog').getByRole('img').first())
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /Download 2 results/ }).click()])
  const folder = mkdtempSync(join(tmpdir(), 'platen-batch-'))
  await download.saveAs(join(folder, 'results.zip'))
  const bytes = readFileSync(join(folder, 'results.zip'))
  rmSync(folder, { recursive: true })
  expect(bytes.subarray(0, 2).toString()).toBe('PK')
  for (const name of ['photo.jpg/', 'picture.png/']) expect(bytes.includes(name)).toBe(true)
})

const asked = `name: asked-for-each
inputs: {source: {type: file, required: true}}
steps: {look: {wait: approval}}
`

test('a batch that runs is watched and cancelled', async ({ desk }) => {
  const id = await waiting(desk)
  const page = await desk.open(`/batch/${id}`)
  await desk.sees(page.getByText('2 running'))
  await desk.sees(page.getByText('1 queued'))
  const [first] = (await desk.client.call('GET', `/api/v1/jobs/${id}/items`)).items
  await desk.client.call('POST', `/api/v1/jobs/${first.id}/approvals/look`, { approved: true })
  await desk.sees(page.getByText('1 done'))
  await expect.poll(() => item(page, first.inputs[0].name).getByText('done').isVisible(), { timeout: waitMs }).toBe(true)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await desk.sees(page.getByRole('dialog').getByText('2 files that have not ended are stopped.'))
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await desk.sees(page.getByText('2 cancelled'))
  await axe(page)
})

async function waiting(desk: Desk): Promise<string> {
  await desk.client.call('PUT', '/api/v1/pipelines/asked-for-each', asked)
  const form = new FormData()
  for (const name of ['plain.txt', 'notes.md', 'people.csv']) form.append('file', fileOf(name))
  return (await desk.client.call('POST', '/api/v1/pipelines/asked-for-each/batch?concurrency=2', form)).id
}
