// Playground: choose a step, fill its form, give it a file, see what comes out; two side by side; take it elsewhere.
import type { Page } from 'playwright-core'
import { axe, expect, keyboard, test, upload, waitMs } from './desk'

const step = (page: Page) => page.getByRole('combobox', { name: 'Step' }).first()
const result = (page: Page) => page.getByRole('region', { name: 'Result' })
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true })
const run = (page: Page) => page.getByRole('button', { name: 'Run', exact: true }).click()
const query = (page: Page) => new URL(page.url()).searchParams

test('a step is found by typing, run on a picture, and the result laid over the original', async ({ desk }) => {
  const page = await desk.open('/playground')
  await step(page).click()
  await page.keyboard.type('convert ima')
  await keyboard(page, 'Enter')
  await desk.sees(page.getByText('Make another format or size of an image'))
  await desk.sees(page.getByText('Waits for a file.'))
  await upload(page, 'photo.jpg')
  await desk.sees(page.getByText('Checked by the server: ready.'))
  await field(page, 'Width').fill('400')
  await page.getByRole('radio', { name: 'png' }).check()
  await keyboard(page, 'Control+Enter')
  await desk.sees(result(page).getByText('done', { exact: true }))
  await desk.sees(result(page).getByText('photo.png'))
  await desk.sees(result(page).getByRole('row', { name: 'Width 400' }))
  const line = result(page).getByRole('slider', { name: 'Move between before and after' })
  await line.focus()
  await keyboard(page, 'ArrowRight')
  await axe(page)

  // All of it is in the address: the same again after a reload.
  await expect.poll(() => query(page).get('job')).toMatch(/^job_/)
  expect(JSON.parse(query(page).get('p')!)).toEqual({ format: 'png', width: 400 })
  await page.reload()
  await desk.sees(result(page).getByText('photo.png'))
  expect(await field(page, 'Width').inputValue()).toBe('400')
  await desk.sees(page.getByRole('group', { name: 'photo.jpg' }))
  const before = query(page).get('job')
  await field(page, 'Width').fill('200')
  await run(page)
  await desk.sees(result(page).getByRole('row', { name: 'Width 200' }))
  await expect.poll(() => query(page).get('job')).not.toBe(before)

  // The step is among those used last.
  await step(page).click()
  await desk.sees(page.getByRole('listbox').getByText('Used last'))
})

test('what does not fit is said at its field, before anything is sent', async ({ desk }) => {
  const page = await desk.open('/playground?step=image.convert')
  await upload(page, 'report.pdf')
  await desk.sees(page.getByText(/This is application\/pdf\. The step takes pictures/))
  await page.getByRole('button', { name: 'Remove report.pdf' }).click()
  await field(page, 'Width').fill('0')
  await run(page)
  await desk.sees(page.getByText('Width must be 1 to 16384, not 0'))
  await desk.sees(page.getByText('This step needs a file.'))
  expect(await field(page, 'Width').evaluate((e) => e === document.activeElement)).toBe(true)
  await axe(page)
  await field(page, 'Width').fill('100')
  await desk.misses(page.getByText('Width must be 1 to 16384, not 0'))
})

test('what the server finds is at its field, too', async ({ desk }) => {
  desk.allow(/POST \/api\/v1\/steps\/data\.transform 422/)
  const page = await desk.open(`/playground?step=data.transform&p=${encodeURIComponent('{"program": "x"}')}`)
  await page.route('**/api/v1/steps/data.transform', (route) =>
    route.fulfill({
      status: 422, contentType: 'application/problem+json',
      body: JSON.stringify({ title: 'x', status: 422, reason: 'bad_param', detail: 'x', hint: '', trace: '', errors: [{ param: 'program', detail: 'must not be empty' }] }),
    }))
  await run(page)
  await desk.sees(page.getByText('Program must not be empty'))
  await page.unroute('**/api/v1/steps/data.transform')
  await field(page, 'Program').fill('1 + 1')
  await desk.misses(page.getByText('Program must not be empty'))
  await run(page)
  await desk.sees(result(page).getByText('done', { exact: true }))
})

test('a failure says why, what it means and what to do', async ({ desk }) => {
  const page = await desk.open('/playground?step=document.extract')
  await upload(page, 'protected.pdf')
  await run(page)
  await desk.sees(result(page).getByText('The input is encrypted and no valid password was given.'))
  await desk.sees(result(page).getByText('What to do:'))
  await desk.sees(result(page).getByText('input_encrypted'))
})

test('a run that takes its time can be cancelled', async ({ desk }) => {
  const page = await desk.open(`/playground?step=queue.send&p=${encodeURIComponent('{"to":"playground-nobody"}')}`)
  await run(page)
  await desk.sees(result(page).getByRole('progressbar'))
  await page.getByRole('button', { name: 'Cancel' }).click()
  await desk.sees(result(page).getByText('cancelled'))
  await desk.sees(page.getByRole('button', { name: 'Run', exact: true }))
})

test('a text is pasted, a file is dropped, another comes from what is stored', async ({ desk }) => {
  await desk.client.keep('people.csv')
  const page = await desk.open('/playground?step=text.keywords')
  await page.getByRole('heading', { level: 1 }).click()
  await page.evaluate(() => {
    const data = new DataTransfer()
    data.setData('text/plain', 'The harbour has a new crane. The crane lifts forty tonnes in the harbour.')
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))
  })
  await desk.sees(page.getByRole('group', { name: 'pasted.txt' }))
  await run(page)
  await desk.sees(result(page).getByText(/crane/).first())

  await upload(page, 'notes.md', '.zone')
  await desk.sees(page.getByRole('group', { name: 'notes.md' }))
  expect(await page.getByRole('group', { name: 'pasted.txt' }).count()).toBe(0)

  await page.getByRole('button', { name: 'From stored files' }).click()
  await page.getByRole('searchbox', { name: 'Find by name' }).fill('people')
  await axe(page)
  await page.getByRole('dialog').getByRole('button', { name: /people\.csv/ }).first().click()
  await desk.sees(page.getByRole('group', { name: 'people.csv' }))
  await page.getByRole('button', { name: 'From stored files' }).click()
  await page.getByLabel('Where from').selectOption('outputs')
  await page.getByLabel('Only what the step takes').uncheck()
  await desk.sees(page.getByRole('dialog').getByText('image.convert').first())
})

test('several files keep the order that they are given', async ({ desk }) => {
  const page = await desk.open('/playground?step=pdf.merge')
  await upload(page, ['report.pdf', 'scan.pdf'])
  const names = () => page.locator('.file').evaluateAll((all) => all.map((e) => e.getAttribute('aria-label')))
  await expect.poll(names).toEqual(['report.pdf', 'scan.pdf'])
  await page.getByRole('button', { name: 'Move scan.pdf up' }).click()
  expect(await names()).toEqual(['scan.pdf', 'report.pdf'])
  await desk.sees(page.getByText('Checked by the server: ready.'))
  await run(page)
  await desk.sees(result(page).getByText('done', { exact: true }))
  const job = await desk.client.call('GET', `/api/v1/jobs/${await expectJob(page)}`)
  expect(job.inputs.map((f: { name: string }) => f.name)).toEqual(['scan.pdf', 'report.pdf'])
})

async function expectJob(page: Page): Promise<string> {
  await expect.poll(() => query(page).get('job')).toMatch(/^job_/)
  return query(page).get('job')!
}

test('two side by side on the same picture, compared', async ({ desk }) => {
  const page = await desk.open('/playground?step=image.convert&p=%7B%22width%22%3A300%7D')
  await upload(page, 'photo.jpg')
  await page.getByRole('button', { name: 'Two side by side' }).click()
  const second = page.getByRole('region', { name: 'Side 2' })
  expect(await second.getByRole('textbox', { name: 'Width', exact: true }).inputValue()).toBe('300')
  await second.getByRole('radio', { name: 'jpeg' }).check()
  await second.getByRole('textbox', { name: 'Quality', exact: true }).fill('20')
  await page.getByRole('button', { name: 'Run both' }).click()
  await desk.sees(page.getByRole('heading', { name: 'Compared' }))
  await desk.sees(page.getByRole('row', { name: /^Format webp jpeg/ }))
  await desk.sees(page.getByRole('row', { name: /^Size of files/ }))
  await axe(page)
  await expect.poll(() => query(page).get('with')).toBe('image.convert')
  expect(JSON.parse(query(page).get('q')!)).toEqual({ format: 'jpeg', quality: 20, width: 300 })
})

test('two texts are compared line by line', async ({ desk }) => {
  const p = (style: string) => encodeURIComponent(JSON.stringify({ text: 'Ida Lund\nida@example.org\nthe end', names: ['Ida Lund'], style }))
  const page = await desk.open(`/playground?step=text.redact&p=${p('mask')}&with=text.redact&q=${p('number')}`)
  await page.getByRole('button', { name: 'Run both' }).click()
  await desk.sees(page.getByRole('heading', { name: 'Compared' }))
  const lines = page.getByRole('region', { name: 'Compared' }).getByRole('textbox')
  await expect.poll(() => lines.allInnerTexts(), { timeout: waitMs }).toEqual([expect.stringContaining('████'), expect.stringContaining('[NAME-1]')])
})

test('a run is taken elsewhere: without keys and secrets', async ({ desk }) => {
  const page = await desk.open('/playground?step=pdf.encrypt')
  await upload(page, 'report.pdf')
  await page.getByLabel('User password', { exact: true }).fill('open sesame')
  await page.getByRole('button', { name: 'Copy as' }).click()
  await page.getByRole('menuitem', { name: 'curl' }).click()
  const text = page.getByRole('dialog').locator('pre')
  const origin = new URL(page.url()).origin
  for (const [language, expected] of [
    ['curl', `--form-string "user_password=$USER_PASSWORD"`], ['CLI', 'platen run pdf.encrypt report.pdf'],
    ['Python', 'os.environ["USER_PASSWORD"]'], ['TypeScript', 'process.env["USER_PASSWORD"]'], ['YAML', '${{ secrets.USER_PASSWORD }}'],
  ] as const) {
    await page.getByRole('dialog').getByRole('button', { name: language }).click()
    await expect.poll(() => text.innerText()).toContain(expected)
    const shown = await text.innerText()
    expect(shown).not.toContain('sesame')
    expect(shown).not.toContain(desk.client.key)
    if (language !== 'YAML') expect(shown).toContain(origin)
  }
  await axe(page)
  await keyboard(page, 'Escape')
  expect(page.url()).not.toContain('sesame')
})

test('on a phone the result is led to', async ({ desk }) => {
  const page = await desk.open('/playground?step=text.stats', { phone: true })
  await field(page, 'Text').fill('Two words')
  await run(page)
  await desk.sees(result(page).getByRole('row', { name: 'Words 2' }))
  await expect.poll(() => result(page).evaluate((e) => e.getBoundingClientRect().top)).toBeLessThan(600)
})
