// Forms made from contracts, as a person fills them.
import type { Page } from 'playwright-core'
import { axe, expect, keyboard, test, upload } from './desk'

const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true })
const params = (page: Page) => JSON.parse(new URL(page.url()).searchParams.get('p') ?? '{}')

test('numbers: a slider, an example to click, the default again', async ({ desk }) => {
  const page = await desk.open('/playground?step=image.watermark')
  const opacity = field(page, 'Opacity')
  expect(await opacity.inputValue()).toBe('0.5')
  await page.getByRole('slider', { name: 'Slider of Opacity' }).focus()
  await keyboard(page, 'End')
  expect(await opacity.inputValue()).toBe('1')
  await expect.poll(() => params(page)).toEqual({ opacity: 1 })
  await opacity.fill('0,25')
  await expect.poll(() => params(page)).toEqual({ opacity: 0.25 })
  expect(await opacity.inputValue()).toBe('0,25')
  await page.getByRole('button', { name: 'Reset Opacity to 0.5' }).click()
  expect(await opacity.inputValue()).toBe('0.5')
  await page.getByRole('button', { name: 'Use -30' }).click()
  expect(await field(page, 'Angle').inputValue()).toBe('-30')
  await opacity.fill('half')
  await keyboard(page, 'Tab')
  await desk.sees(page.getByText('Opacity must be a number, not "half"'))
  expect(await opacity.getAttribute('aria-invalid')).toBe('true')
  await axe(page)
})

test('lists: typed, parted by commas, pasted, taken back', async ({ desk }) => {
  const page = await desk.open('/playground?step=archive.list')
  const match = field(page, 'Match')
  await match.click()
  await page.keyboard.type('*.pdf,letters/*')
  await keyboard(page, 'Enter')
  await expect.poll(() => params(page)).toEqual({ match: ['*.pdf', 'letters/*'] })
  await page.getByRole('button', { name: 'Remove *.pdf' }).click()
  await keyboard(page, 'Backspace')
  expect(await match.inputValue()).toBe('letters/*')
  await match.evaluate((input) => {
    const data = new DataTransfer()
    data.setData('text/plain', 'a.txt\nb.txt')
    input.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
  })
  await expect.poll(() => params(page)).toEqual({ match: ['letters/*a.txt', 'b.txt'] })
  await match.fill('not yet ended')
  await keyboard(page, 'Tab')
  await expect.poll(() => params(page).match).toContain('not yet ended') // nothing typed is lost
})

test('secrets are hidden, can be seen, and are in no address', async ({ desk }) => {
  const page = await desk.open('/playground?step=pdf.decrypt')
  const password = page.getByLabel('Password', { exact: true })
  expect(await password.getAttribute('type')).toBe('password')
  await password.fill('hush-hush')
  await page.getByRole('button', { name: 'Show' }).click()
  expect(await password.getAttribute('type')).toBe('text')
  await expect.poll(() => new URL(page.url()).searchParams.get('step')).toBe('pdf.decrypt')
  expect(page.url()).not.toContain('hush')
})

test('JSON is checked as it is typed, and kept as it is', async ({ desk }) => {
  const page = await desk.open(`/playground?step=data.transform&p=${encodeURIComponent('{"program":".a"}')}`)
  const editor = page.getByRole('textbox', { name: 'Value', exact: true })
  await editor.click()
  await page.keyboard.type('{"a": ')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await desk.sees(page.getByText('Value must be JSON'))
  await editor.click()
  await keyboard(page, 'Control+a Delete')
  await page.keyboard.type('{"a": [1, 2]')
  await expect.poll(() => params(page), { timeout: 5000 }).toEqual({ program: '.a', value: { a: [1, 2] } })
  await desk.misses(page.getByText('Value must be JSON'))
  await axe(page)
})

test('colours, choices and switches', async ({ desk }) => {
  const page = await desk.open('/playground?step=image.montage')
  await page.getByLabel('Colour of Background').fill('#123456')
  expect(await field(page, 'Background').inputValue()).toBe('#123456')
  await page.getByRole('switch', { name: 'Labels' }).check()
  await page.getByRole('radio', { name: 'avif' }).check()
  await expect.poll(() => params(page)).toEqual({ background: '#123456', labels: true, format: 'avif' })
  await field(page, 'Background').fill('')
  await keyboard(page, 'Tab')
  expect(await field(page, 'Background').inputValue()).toBe('#ffffff')
})

test('what is rarely used is folded, and found', async ({ desk }) => {
  const page = await desk.open('/playground?step=media.transcode')
  const more = page.getByText(/^More options/)
  const start = field(page, 'Start')
  expect(await start.isVisible()).toBe(false)
  await more.click()
  await start.fill('90000')
  await desk.sees(page.getByText('1 min 30 s')) // what a number of milliseconds is
})

test('what is too long for the address, and JSON that is none yet, is there after a reload', async ({ desk }) => {
  const page = await desk.open('/playground?step=data.transform')
  const long = `# ${'a long comment '.repeat(200)}\n.`
  await field(page, 'Program').fill(long)
  const editor = page.getByRole('textbox', { name: 'Value', exact: true })
  await editor.click()
  await page.keyboard.type('half of ')
  await expect.poll(() => new URL(page.url()).searchParams.get('kept')).toBe('1')
  expect(page.url().length).toBeLessThan(2000)
  await expect.poll(() => page.evaluate(() => localStorage.getItem('playground.draft.long') ?? '')).toContain('half of ')
  await page.reload()
  await expect.poll(() => field(page, 'Program').inputValue()).toBe(long)
  await expect.poll(() => editor.innerText()).toContain('half of')
})

test('typed for one step, still there after another', async ({ desk }) => {
  const page = await desk.open('/playground?step=text.stats')
  await field(page, 'Text').fill('A long text that took an hour')
  const step = page.getByRole('combobox', { name: 'Step' })
  for (const name of ['text.language', 'text.stats']) {
    await step.click()
    await page.keyboard.type(name)
    await keyboard(page, 'Enter')
    await expect.poll(() => new URL(page.url()).searchParams.get('step')).toBe(name)
  }
  expect(await field(page, 'Text').inputValue()).toBe('A long text that took an hour')
})

test('a file that cannot be sent says why and can be sent again', async ({ desk }) => {
  desk.allow(/POST \/api\/v1\/blobs/, /ERR_FAILED/)
  const page = await desk.open('/playground?step=image.info')
  await page.route('**/api/v1/blobs', (route) => route.abort())
  await upload(page, 'photo.jpg')
  await desk.sees(page.getByText('The server does not answer.'))
  await page.unroute('**/api/v1/blobs')
  await page.getByRole('button', { name: 'Send again' }).click()
  await desk.sees(page.getByText('Checked by the server: ready.'))
})
