// The way in, the first minutes, and files that are dropped anywhere.
import { axe, expect, keyboard, test, upload, waitMs } from './desk'

test('a link signs in, and the key is nowhere afterwards', async ({ desk }) => {
  const context = await desk.context({ signedIn: false })
  const page = await context.newPage()
  await page.goto(`${desk.client.url}/#key=${desk.client.key}`)
  await page.locator('.frame main h1').first().waitFor()
  expect(page.url()).not.toContain('pk_')
  const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie, history.state]))
  expect(kept).not.toMatch(/p[ks]_/)
  const [cookie] = await context.cookies()
  expect(cookie).toMatchObject({ name: 'platen_session', httpOnly: true, sameSite: 'Strict', path: '/' })
  await page.reload()
  await page.locator('.frame main h1').first().waitFor()
})

test('a key is pasted; a wrong one is explained', async ({ desk }) => {
  desk.allow(/POST \/api\/v1\/session 401/)
  const page = await desk.open('/jobs?state=failed', { signedIn: false })
  await desk.sees(page.getByRole('heading', { name: 'Sign in' }))
  await axe(page)
  const field = page.getByLabel('Key')
  await field.fill(`pk_${'A'.repeat(43)}`)
  await keyboard(page, 'Enter')
  await desk.sees(page.getByText('does not know the key'))
  expect(await field.getAttribute('aria-invalid')).toBe('true')
  await axe(page)
  await field.fill(` ${desk.client.url}/#key=${desk.client.key}`) // the whole link
  await page.getByRole('button', { name: 'Sign in' }).click()
  await desk.sees(page.getByRole('heading', { name: 'Jobs' }))
  expect(page.url()).toContain('/jobs?state=failed') // where the person wanted to go
})

test('a link whose key is wrong says so', async ({ desk }) => {
  desk.allow(/POST \/api\/v1\/session 401/)
  const page = await desk.open(`/#key=pk_${'B'.repeat(43)}`, { signedIn: false })
  await desk.sees(page.getByText('does not know the key'))
  expect(page.url()).not.toContain('pk_')
})

test('an empty project is shown around: a file, then a pipeline', async ({ desk }) => {
  const server = await desk.own()
  const context = await desk.context({ signedIn: false })
  const page = await context.newPage()
  await page.goto(`${server.url}/#key=${server.key}`)
  await page.waitForURL('**/welcome')
  await desk.sees(page.getByRole('heading', { name: 'Welcome' }))
  await axe(page)
  await upload(page, 'report.docx', 'main')
  await desk.sees(page.getByText('Harbour Report'))
  await desk.sees(page.getByText('Word document'))
  await page.getByRole('button', { name: 'Run it with report.docx' }).click()
  await desk.sees(page.getByText(/Done in/))
  await desk.sees(page.getByText('keywords', { exact: true }).first())
  await axe(page, { exclude: ['.markdown'] })
  const stored = await server.client.call('GET', '/api/v1/pipelines/text-and-keywords')
  expect(stored).toMatchObject({ version: 1, title: 'Text and keywords' })
  // The other two are pipelines as well.
  for (const [name, id] of [['Small picture', 'small-picture'], ['What is it?', 'what-is-it']] as const) {
    await page.getByRole('radio', { name }).check()
    await page.getByRole('button', { name: 'Run it with report.docx' }).click()
    await page.locator('.good, .bad').first().waitFor({ timeout: waitMs })
    await expect.poll(() => page.getByRole('button', { name: 'Run it with report.docx' }).isEnabled(), { timeout: waitMs }).toBe(true)
    expect((await server.client.call('GET', `/api/v1/pipelines/${id}`)).version).toBe(1)
  }
})

test('files dropped on a page are worked on', async ({ desk }) => {
  const page = await desk.open('/')
  await upload(page, ['picture.png', 'people.csv', 'bundle.zip'], 'main')
  const sheet = page.getByRole('dialog', { name: '3 files' })
  await desk.sees(sheet)
  await axe(page)
  await sheet.getByRole('button', { name: 'Work on them now' }).click()
  for (const step of ['image.optimize', 'ocr.image', 'document.extract', 'archive.list']) await desk.sees(sheet.getByText(step, { exact: true }))
  await expect.poll(() => sheet.getByRole('link', { name: 'The job' }).count(), { timeout: waitMs }).toBe(4)
  await keyboard(page, 'Escape')
  await desk.misses(sheet)
})

test('dropped files are kept, and taken back', async ({ desk }) => {
  const page = await desk.open('/')
  const count = async () => (await desk.client.call('GET', '/api/v1/documents?limit=200')).documents.filter((d: any) => d.name === 'memo.rtf').length
  const before = await count()
  await upload(page, 'memo.rtf', 'main')
  await page.getByRole('button', { name: 'Keep in Files' }).click()
  await desk.sees(page.getByText('1 file is kept in Files.'))
  expect(await count()).toBe(before + 1)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(count, { timeout: waitMs }).toBe(before)
})

test('dropped files go into a pipeline', async ({ desk }) => {
  const page = await desk.open('/')
  await upload(page, 'notes.md', 'main')
  await page.getByLabel('Pipeline', { exact: true }).selectOption('documents')
  await page.getByRole('dialog').getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL('**/jobs/job_*')
  const id = page.url().split('/').at(-1)!.split('?')[0]!
  expect(await desk.client.ended(id)).toMatchObject({ state: 'done', pipeline: 'documents' })
})

test('a key that only looks is told so', async ({ desk }) => {
  const key = await desk.client.call('POST', '/api/v1/keys', { name: 'looks', role: 'viewer' })
  const context = await desk.context({ signedIn: false })
  const page = await context.newPage()
  await page.goto(`${desk.client.url}/#key=${key.key}`)
  await page.locator('.frame main h1').first().waitFor()
  await upload(page, 'notes.md', 'main')
  await desk.sees(page.getByText('Your key may only look'))
})

test('a revoked key ends the session where it is', async ({ desk }) => {
  desk.allow(/ 401$/, / 401 /)
  const key = await desk.client.call('POST', '/api/v1/keys', { name: 'leaves', role: 'runner' })
  const context = await desk.context({ signedIn: false })
  const page = await context.newPage()
  await page.goto(`${desk.client.url}/#key=${key.key}`)
  await page.locator('.frame main h1').first().waitFor()
  await desk.client.call('DELETE', `/api/v1/keys/${key.id}`)
  await page.goto(`${desk.client.url}/jobs`)
  await desk.sees(page.getByRole('heading', { name: 'Sign in' }))
})
