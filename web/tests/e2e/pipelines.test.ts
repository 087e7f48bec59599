// Pipelines as a person has them: written with completion, mended where the error is shown, run with a file, compared, restored.
import type { Page } from 'playwright-core'
import { axe, expect, keyboard, test, upload, type Desk } from './desk'

const unique = () => `t-${Date.now().toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`
const simple = (name: string, title = 'Words') => `name: ${name}
title: ${title}
inputs:
  source: {type: file, required: true, help: The document.}
  tone: {type: choice, choices: [plain, warm], default: plain}
steps:
  text: {uses: document.extract, with: {file: "\${{ inputs.source }}", format: text}}
  chunks: {uses: text.chunk, with: {file: "\${{ steps.text.output }}"}}
outputs:
  text: "\${{ steps.text.output }}"
`
const put = (desk: Desk, text: string) => desk.client.call('POST', '/api/v1/pipelines', text)
const editor = (page: Page) => page.getByRole('textbox', { name: 'Definition' })
const fine = (page: Page) => page.getByRole('status').getByText('No errors.')
const whileFaulty = /POST \/api\/v1\/pipelines\?dry_run=true 422/
const option = (page: Page, name: RegExp) => page.getByRole('option', { name })
// What is offered while typing; on a slow machine it is asked for again, as a person does.
async function offered(page: Page, name: RegExp) {
  const found = option(page, name).first()
  await found.waitFor({ timeout: 5000 }).catch(() => keyboard(page, 'Control+Space'))
  return found
}

test('a pipeline is written with completion, mended in place, stored, and run with a file', async ({ desk }) => {
  desk.allow(whileFaulty)
  const name = unique()
  const page = await desk.open('/pipelines')
  await page.getByRole('link', { name: 'New pipeline' }).click()
  await editor(page).click()
  await keyboard(page, 'Control+a Delete')
  await page.keyboard.insertText(`name: ${name}\ninputs:\n  source: {type: file, required: true}\nsteps:\n  text:\n    uses: `)
  await page.keyboard.type('document.ex')
  await (await offered(page, /document\.extract.*Extract text/)).click()
  await page.keyboard.insertText('\n    with:\n      ')
  await page.keyboard.type('form')
  await (await offered(page, /format/)).click()
  await desk.sees(option(page, /markdown/)) // the choices come by themselves
  await page.keyboard.type('te')
  await option(page, /^text/).click()
  await page.keyboard.insertText('\n      file: "${{ inputs.')
  await page.keyboard.type('s')
  await option(page, /source/).click()
  await page.keyboard.insertText(' }}"\n  parts:\n    with: {file: "${{ steps.text.output }}"}\n    uses: text.chunkk')

  const fault = page.getByRole('list', { name: 'Errors in the definition' }).getByRole('button')
  await desk.sees(fault.filter({ hasText: 'did you mean "text.chunk"?' }))
  await desk.sees(page.locator('.cm-lint-marker-error'))
  await axe(page)
  await fault.click()
  await keyboard(page, 'End')
  await keyboard(page, 'Backspace')
  await desk.sees(fine(page))
  await desk.sees(page.getByRole('button', { name: /^parts, .*after text/ }))
  await page.getByRole('button', { name: 'Save the new pipeline' }).click()
  await page.waitForURL(`**/pipelines/${name}`)
  await desk.sees(page.getByText('Version 1 is stored.'))

  await page.getByRole('link', { name: 'Run', exact: true }).click()
  await page.getByRole('button', { name: 'Run now' }).click()
  await desk.sees(page.getByText('Choose a file.'))
  await upload(page, 'report.pdf')
  await desk.sees(page.getByText('report.pdf'))
  await expect.poll(async () => {
    await page.getByRole('button', { name: 'Run now' }).click()
    return page.getByRole('link', { name: 'Open the job' }).isVisible()
  }).toBe(true)
  await desk.sees(page.getByRole('status').getByText('done'))
  await desk.sees(page.getByRole('button', { name: /^parts, .*, done$/ }))
  await desk.sees(page.getByRole('heading', { name: 'What it made' }))
  await axe(page)
  await page.getByRole('link', { name: 'Runs' }).click()
  await desk.sees(page.getByRole('list', { name: 'Runs' }).getByText('done'))
  await axe(page)
})

test('versions are compared and restored', async ({ desk }) => {
  const name = unique()
  await put(desk, simple(name, 'First'))
  await put(desk, simple(name, 'Second').replace('format: text', 'format: markdown'))
  const page = await desk.open(`/pipelines/${name}?tab=versions`)
  await desk.sees(page.getByText('steps.text.with.format'))
  await desk.sees(page.getByRole('textbox', { name: 'Version 2' }).getByText('Second'))
  await axe(page)
  await page.getByRole('button', { name: 'Restore' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click()
  await desk.sees(page.getByText('Version 1 is the newest again, as version 3.'))
  await desk.sees(page.getByRole('heading', { name: 'First' }))
  expect(await desk.client.call('GET', `/api/v1/pipelines/${name}`)).toMatchObject({ version: 3, title: 'First' })
  await page.getByRole('button', { name: 'Undo' }).click()
  await desk.sees(page.getByRole('heading', { name: 'Second' }))
})

test('the keyboard alone changes a pipeline and walks through its picture', async ({ desk }) => {
  desk.allow(whileFaulty)
  const name = unique()
  await put(desk, simple(name))
  const page = await desk.open(`/pipelines/${name}`)
  await desk.sees(fine(page))
  const focused = () => page.evaluate(() => {
    let now = document.activeElement
    while (now?.shadowRoot?.activeElement) now = now.shadowRoot.activeElement
    return now?.getAttribute('aria-label') ?? now?.textContent?.trim() ?? ''
  })
  const tabTo = async (what: RegExp) => {
    for (let i = 0; i < 60 && !what.test(await focused()); i++) await keyboard(page, 'Tab')
    expect(await focused()).toMatch(what)
  }
  await tabTo(/^Definition$/)
  await keyboard(page, 'Control+End')
  await page.keyboard.insertText('  words: "${{ steps.text.words }}"\n')
  await keyboard(page, 'Escape Escape Tab') // the first closes what is offered
  expect(await focused()).not.toBe('Definition')
  await desk.sees(fine(page))
  await keyboard(page, 'Control+s')
  await desk.sees(page.getByRole('dialog', { name: 'What changes' }))
  await desk.sees(page.getByRole('textbox', { name: 'What you wrote' }))
  await axe(page)
  await expect.poll(focused).toBe('Save as version 2')
  await keyboard(page, 'Enter')
  await desk.sees(page.getByText('Version 2 is stored.'))
  await tabTo(/^text, Extract text/)
  await keyboard(page, 'ArrowDown')
  expect(await focused()).toMatch(/^chunks, /)
  await keyboard(page, 'Enter')
  await expect.poll(focused).toBe('Definition')
  await desk.sees(page.locator('.cm-activeLine').getByText('chunks'))
})

test('what somebody else stored meanwhile is shown and not lost', async ({ desk }) => {
  desk.allow(whileFaulty, /POST \/api\/v1\/pipelines\?base_version=1 409/)
  const name = unique()
  await put(desk, simple(name, 'Mine'))
  const page = await desk.open(`/pipelines/${name}`)
  await editor(page).click()
  await keyboard(page, 'Control+End')
  await page.keyboard.insertText('# a word of mine\n')
  await put(desk, simple(name, 'Theirs'))
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('button', { name: 'Save as version 2' }).click()
  const dialog = page.getByRole('dialog', { name: 'Somebody stored version 2 meanwhile' })
  await desk.sees(dialog.getByRole('textbox', { name: 'Version 2' }).getByText('Theirs'))
  await axe(page)
  await dialog.getByRole('button', { name: 'Save as version 3' }).click()
  await desk.sees(page.getByText('Version 3 is stored.'))
  expect(await desk.client.call('GET', `/api/v1/pipelines/${name}/source`)).toContain('# a word of mine')
})

test('what is not stored is kept as a draft', async ({ desk }) => {
  desk.allow(whileFaulty)
  const name = unique()
  await put(desk, simple(name))
  const page = await desk.open(`/pipelines/${name}`)
  await editor(page).click()
  await keyboard(page, 'Control+End')
  await page.keyboard.insertText('# half a thought\n')
  await page.getByRole('navigation').getByRole('link', { name: 'Pipelines' }).click()
  await desk.sees(page.getByText(`What you wrote in ${name} is kept as a draft.`))
  await page.goBack()
  await desk.sees(editor(page).getByText('# half a thought'))
  await desk.sees(page.getByText('This is your draft, not stored yet'))
  await axe(page)
  await page.getByRole('button', { name: 'Discard the draft' }).click()
  await desk.misses(editor(page).getByText('# half a thought'))
  await page.getByRole('button', { name: 'Undo' }).click()
  await desk.sees(editor(page).getByText('# half a thought'))
})

test('what starts it is paused and goes on', async ({ desk }) => {
  const name = unique()
  await put(desk, `${simple(name).replace('required: true, ', '')}on:\n  event: note.never\n  webhook: {verify: token}\n  schedule: {cron: "0 6 * * *", zone: Europe/Berlin}\n`)
  const page = await desk.open(`/pipelines/${name}?tab=starts`)
  await desk.sees(page.getByText(/\/api\/v1\/hooks\//))
  await desk.sees(page.getByText('0 6 * * * Europe/Berlin'))
  await axe(page)
  await page.getByRole('button', { name: `Pause: ${name}.event` }).click()
  await desk.sees(page.getByRole('button', { name: `Resume: ${name}.event` }))
  await page.getByRole('button', { name: 'Undo' }).click()
  await desk.sees(page.getByRole('button', { name: `Pause: ${name}.event` }))
  expect((await desk.client.call('GET', `/api/v1/triggers/${name}.event`)).paused).toBe(false)
})

test('a pipeline is deleted, and comes back', async ({ desk }) => {
  const name = unique()
  await put(desk, simple(name, 'Gone soon'))
  const page = await desk.open(`/pipelines/${name}`)
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await desk.sees(page.getByRole('dialog').getByText('Its 1 version goes.'))
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.waitForURL('**/pipelines')
  await desk.misses(page.getByRole('link', { name: 'Gone soon' }))
  await page.getByRole('button', { name: 'Undo' }).click()
  await desk.sees(page.getByRole('heading', { name: 'Gone soon' }))
})

test('all pipelines are listed; a template and a file begin a new one', async ({ desk }) => {
  const page = await desk.open('/pipelines')
  await desk.sees(page.getByRole('link', { name: 'Photos' }))
  await axe(page)
  await page.getByRole('listitem').filter({ hasText: 'Photos' }).getByRole('link', { name: 'Use as template' }).click()
  await desk.sees(editor(page).getByText('my-photos'))
  await desk.sees(fine(page))
  await axe(page)
  const template = await desk.open('/pipelines/photos')
  await desk.sees(template.getByRole('textbox', { name: 'Definition' }).getByText('image.optimize'))
  await axe(template)
  const other = await desk.open('/pipelines')
  const name = unique()
  await other.evaluate((text) => {
    const data = new DataTransfer()
    data.items.add(new File([text], 'x.yaml'))
    for (const type of ['dragover', 'drop']) document.querySelector('main')!.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }))
  }, simple(name, 'From a file'))
  await desk.sees(editor(other).getByText('From a file'))
  await desk.sees(fine(other))
})

test('on a phone: text, picture and form below each other', async ({ desk }) => {
  const name = unique()
  await put(desk, simple(name))
  const page = await desk.open(`/pipelines/${name}`, { phone: true, dark: true, language: 'ru' })
  await desk.sees(page.getByRole('group', { name: 'Схема конвейера' }))
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await page.goto(`${desk.client.url}/pipelines/${name}?tab=run`)
  await desk.sees(page.getByRole('button', { name: 'Запустить' }))
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
})
