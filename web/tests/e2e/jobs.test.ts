// Jobs: the list, one job as it goes on and afterwards, what is done to them, approvals.
import type { Page } from 'playwright-core'
import { axe, expect, keyboard, test, waitMs, type Desk } from './desk'

const letters = `name: letters
title: Letters
inputs:
  names: {type: list, default: [ada, ben, cem], help: Who gets one.}
  ms: {type: int, default: 400, min: 0, max: 5000, help: How long one takes.}
steps:
  plan: {uses: text.stats, with: {text: "a plan"}}
  write: {uses: test.sleep, foreach: "\${{ inputs.names }}", with: {ms: "\${{ inputs.ms }}"}, max-parallel: 3, needs: [plan]}
  look: {wait: approval, needs: [write]}
  sent: {wait: signal, signal: sent, needs: [look]}
`
const broken = `name: unread
steps:
  first: {uses: test.noop}
  second: {uses: test.fail, with: {reason: no_text}, needs: [first]}
  third: {uses: test.noop, needs: [second]}
`

const row = (page: Page, name: string | RegExp) => page.getByRole('treegrid').getByRole('row', { name })
const jobAt = (page: Page) => new URL(page.url()).pathname.split('/').at(-1)!

async function start(desk: Desk, definition: string, name: string, inputs: object = {}): Promise<string> {
  await desk.client.call('PUT', `/api/v1/pipelines/${name}`, definition)
  return (await desk.client.call('POST', `/api/v1/pipelines/${name}/run`, { inputs })).id
}

test('a pipeline is watched, looked into, approved and given a signal', async ({ desk }) => {
  const id = await start(desk, letters, 'letters')
  const page = await desk.open(`/jobs/${id}`)
  await desk.sees(row(page, /write/))
  await desk.sees(page.getByText('look waits for an approval'))
  await desk.sees(row(page, /write.*3 of 3/))

  // By the keyboard through the rows: open the items, choose one, fold them.
  await row(page, /^.*letters/).first().focus()
  await keyboard(page, 'ArrowDown ArrowDown')
  await desk.sees(page.getByRole('region', { name: 'write' }))
  await keyboard(page, 'ArrowRight')
  await desk.sees(row(page, /\b2\b/))
  await keyboard(page, 'ArrowRight')
  await desk.sees(page.getByText('slept_ms'))
  await axe(page)
  await keyboard(page, 'ArrowLeft ArrowLeft')
  await expect.poll(() => row(page, /write/).first().getAttribute('aria-expanded')).toBe('false')

  // Somebody has to say yes: the inbox shows what there is so far.
  await page.goto(`${desk.client.url}/approvals`)
  const one = page.getByRole('listitem').filter({ hasText: id })
  await desk.sees(one.getByText('ada'))
  await one.getByRole('textbox').fill('Fine.')
  await one.getByRole('button', { name: 'Approve' }).click()
  await desk.sees(page.getByText('look approved'))
  await desk.misses(one)

  await page.goto(`${desk.client.url}/jobs/${id}`)
  await desk.sees(page.getByText('The job waits for a signal.'))
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Send a signal' }).click()
  await expect.poll(() => page.getByLabel('Name').inputValue()).toBe('sent')
  await page.getByLabel('Value (JSON)').fill('{"by": "post"')
  await desk.sees(page.getByText('This is not JSON yet.'))
  await page.getByLabel('Value (JSON)').fill('{"by": "post"}')
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await desk.sees(page.locator('.facts').getByText('done', { exact: true }))
  await row(page, /sent/).click()
  await desk.sees(page.getByRole('region', { name: 'sent' }).getByText('post'))
  await page.getByRole('link', { name: 'Events' }).click()
  await page.getByPlaceholder('Search the events').fill('step done')
  await desk.sees(page.getByText(/^\d event/))
  await axe(page)

  // The same with other names: what the change does not reach is taken over.
  await page.getByRole('button', { name: 'Run with changes' }).click()
  await page.getByRole('dialog').getByRole('button', { name: /ben/ }).click()
  await axe(page)
  await page.getByRole('dialog').getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL((url) => url.pathname !== `/jobs/${id}`)
  await desk.sees(row(page, /write.*2 of 2/))
  await desk.sees(row(page, /plan.*reused/))
  expect((await desk.client.call('GET', `/api/v1/jobs/${jobAt(page)}`)).origin).toBe(id)

  // Enough: it is cancelled, after a question.
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  await desk.sees(page.getByRole('dialog').getByText('Cancel 1 job?'))
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await desk.sees(page.locator('.facts').getByText('cancelled'))
})

test('why a job failed, down to its step; from there it runs again', async ({ desk }) => {
  const id = await start(desk, broken, 'unread')
  await desk.client.ended(id)
  const page = await desk.open(`/jobs/${id}`)
  await desk.sees(page.getByText('The job failed because a step of its pipeline did.'))
  await desk.sees(page.getByText('It may be a scan or a picture: run OCR on it.'))
  await page.getByRole('link', { name: 'The whole story' }).click()
  await desk.sees(page.getByText('Step that failed'))
  await desk.sees(page.getByText('Below it:'))
  await axe(page)
  await page.getByRole('link', { name: 'Timeline' }).click()
  await row(page, /second/).click()
  await page.getByRole('button', { name: 'Run again from here' }).click()
  await expect.poll(() => page.getByLabel('Begin again at').inputValue()).toBe('second')
  await page.getByRole('dialog').getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL((url) => url.pathname !== `/jobs/${id}`)
  await desk.sees(row(page, /first.*reused/))
  await desk.sees(page.locator('.facts').getByText('failed', { exact: true }))
})

test('a queued job says why it waits; it is paused for nobody', async ({ desk }) => {
  await desk.client.call('POST', '/api/v1/queues/held/pause')
  const { jobs } = await desk.client.call('POST', '/api/v1/jobs', { jobs: [{ step: 'test.noop', queue: 'held' }] })
  const page = await desk.open(`/jobs/${jobs[0].id}`)
  await desk.sees(page.getByText('The job waits because its queue is paused.'))
  await desk.client.call('POST', '/api/v1/queues/held/resume')
  await desk.sees(page.locator('.facts').getByText('done', { exact: true }))
})

test('jobs are found, chosen by keys, cancelled after a dry run, and that is undone', async ({ desk }) => {
  const later = { step: 'test.noop', queue: 'many', delay_ms: 3_600_000 }
  await desk.client.call('POST', '/api/v1/jobs', { jobs: Array.from({ length: 30 }, () => later) })
  const page = await desk.open('/jobs')
  await page.getByRole('button', { name: 'More filters' }).click()
  await page.getByRole('combobox', { name: 'Queue', exact: true }).selectOption('many')
  await desk.sees(page.getByText('30 jobs'))
  await keyboard(page, 'j j x j j X')
  await desk.sees(page.getByText('3 selected'))
  await axe(page)
  await keyboard(page, 'e')
  await desk.sees(page.getByRole('dialog').getByText('Cancel 3 jobs?'))
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await desk.sees(page.getByText('3 jobs cancelled'))
  await page.getByRole('button', { name: 'cancelled', exact: true }).click()
  await desk.sees(page.getByText('3 jobs', { exact: true }))
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(async () => (await desk.client.call('GET', '/api/v1/jobs?queue=many&state=done')).jobs.length, { timeout: waitMs }).toBe(3)

  // All that the filter finds, shown or not.
  await page.goto(`${desk.client.url}/jobs?queue=many&state=queued`)
  await desk.sees(page.getByText('27 jobs'))
  await keyboard(page, 'j x')
  await page.getByRole('button', { name: 'Select all that match' }).click()
  await page.getByRole('region', { name: 'Selected jobs' }).getByRole('button', { name: 'Cancel' }).click()
  await desk.sees(page.getByRole('dialog').getByText('Cancel 27 jobs?'))
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await desk.sees(page.getByText('No job is like that'))
  await page.goto(`${desk.client.url}/jobs?queue=many&state=canceled`)
  await desk.sees(page.getByText('27 jobs'))
  await keyboard(page, 'j x j X')
  await page.getByRole('region', { name: 'Selected jobs' }).getByRole('button', { name: 'Delete' }).click()
  await desk.sees(page.getByRole('dialog').getByText('Delete 2 jobs?'))
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await desk.sees(page.getByText('25 jobs'))
})

test('a long list is read as it is scrolled, keeps its place, and new jobs do not move it', async ({ desk }) => {
  await desk.own()
  const many = Array.from({ length: 1000 }, () => ({ step: 'test.noop', delay_ms: 3_600_000 }))
  await desk.client.call('POST', '/api/v1/jobs', { jobs: many })
  const page = await desk.open('/jobs')
  await desk.sees(page.getByRole('listitem').first())
  for (let i = 0; i < 40 && !(await page.getByText('1,000 jobs').isVisible()); i++) {
    await page.mouse.wheel(0, 4000)
    await desk.quiet(page)
  }
  await desk.sees(page.getByText('1,000 jobs'))
  expect(await page.getByRole('listitem').count()).toBeLessThan(80)
  await page.mouse.wheel(0, -20_000)
  await desk.quiet(page)
  const link = page.locator('[data-row]').nth(15).getByRole('link')
  await link.scrollIntoViewIfNeeded()
  const place = await page.evaluate(() => window.scrollY)
  expect(place).toBeGreaterThan(1000)
  const address = await link.getAttribute('href')
  await link.click()
  await desk.sees(page.getByText('The job waits for its start time.'))
  await page.goBack()
  await desk.sees(page.locator(`a[href="${address}"]`))
  expect(await page.evaluate(() => window.scrollY)).toBe(place)

  await desk.client.call('POST', '/api/v1/jobs', { jobs: many.slice(0, 12) })
  await desk.client.run('test.noop')
  await page.getByRole('button', { name: '13 new jobs' }).click()
  await desk.sees(page.locator('[data-row="0"]').getByText('done'))
  expect(await page.evaluate(() => window.scrollY)).toBe(0)
})

test('a batch of a thousand files, watched', async ({ desk }) => {
  const form = new FormData()
  for (let i = 0; i < 1000; i++) form.append('file', new File(['Hello'], `letter-${i}.md`, { type: 'text/markdown' }))
  const { id } = await desk.client.call('POST', '/api/v1/steps/text.tokens/batch', form)
  const page = await desk.open(`/jobs/${id}`)
  await desk.sees(row(page, /letter-0\.md/))
  await page.getByRole('link', { name: /^Events/ }).click()
  await desk.client.ended(id)
  await desk.sees(page.locator('.facts').getByText('done', { exact: true }))
  await desk.sees(page.getByText('1,002 events'))
  await page.getByRole('link', { name: /^Items/ }).click()
  await page.getByRole('button', { name: /^done/ }).click()
  await desk.sees(page.getByRole('link', { name: 'letter-7.md' }))
  await axe(page)
})
