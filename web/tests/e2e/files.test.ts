// Files: found, looked at, changed, followed to where they come from.
import { axe, expect, keyboard, test, upload } from './desk'

// A name that no other test has.
let count = 0
const unique = (name: string) => `${name}${Date.now().toString(36)}${count++}`

async function documentOf(desk: { client: { call: (m: string, p: string, b?: unknown) => Promise<any> } }, name: string, text: string, type = 'text/plain') {
  const form = new FormData()
  form.append('file', new File([text], name, { type }))
  return (await desk.client.call('POST', '/api/v1/documents', form)).documents[0]
}

test('a file is uploaded, found by a word of its name, tagged, deleted and back', async ({ desk }) => {
  const word = unique('harbour')
  const page = await desk.open('/files')
  await page.locator('input[type=file]').setInputFiles({ name: `${word} plan.txt`, mimeType: 'text/plain', buffer: Buffer.from('a plan') })
  await desk.sees(page.getByRole('region', { name: 'Uploads' }).getByRole('link', { name: `${word} plan.txt` }))
  await page.getByRole('searchbox').fill(word.slice(0, -1))
  await expect.poll(() => page.url()).toContain('q=harbour')
  const row = page.getByRole('listitem').filter({ hasText: word })
  await desk.sees(row.getByRole('link'))
  await axe(page)

  await row.getByRole('checkbox').check()
  const selection = page.getByRole('region', { name: 'Chosen files' })
  await selection.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Tags' }).click()
  await page.getByLabel(/separated by commas/).fill('blue, plan')
  await page.getByRole('button', { name: 'Save' }).click()
  await desk.sees(row.getByRole('link', { name: 'blue' }))

  await selection.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Delete 1 document' }).click()
  await desk.misses(row.getByRole('checkbox'))
  await page.getByRole('button', { name: 'Undo' }).click()
  await desk.sees(row.getByRole('checkbox'))
})

test('rows are chosen from the keyboard and packed into one download', async ({ desk }) => {
  const word = unique('pack')
  for (const n of [1, 2, 3]) await documentOf(desk, `${word}-${n}.txt`, `text ${n}`)
  const page = await desk.open(`/files?q=${word}`)
  await desk.sees(page.getByRole('link', { name: `${word}-3.txt` }))
  await keyboard(page, 'j x J J')
  await desk.sees(page.getByText('3 files'))
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download as archive' }).click()
  expect((await download).suggestedFilename()).toMatch(/\.zip$/)
})

test('pages of a PDF are turned, with their text beside', async ({ desk }) => {
  const { documents: [doc] } = await desk.client.keep('report.pdf')
  const page = await desk.open(`/files/${doc.id}`)
  await desk.sees(page.getByRole('img', { name: 'Page 1 of 3' }))
  await page.getByRole('button', { name: 'Next page' }).click()
  await desk.sees(page.getByRole('img', { name: 'Page 2 of 3' }))
  await page.getByLabel('Text beside').check()
  await desk.sees(page.locator('article').getByText(/\w+/).first())
  await desk.quiet(page)
  await axe(page)
})

test('tables are sorted, JSON is searched, archives are listed', async ({ desk }) => {
  const csv = await documentOf(desk, `${unique('t')}.csv`, 'name,height\nb,9\na,10\n', 'text/csv')
  const page = await desk.open(`/files/${csv.id}`)
  await page.getByRole('button', { name: 'height' }).click()
  await expect.poll(() => page.getByRole('cell').allInnerTexts()).toEqual(['b', '9', 'a', '10'])
  await page.getByRole('button', { name: 'height' }).click()
  await expect.poll(() => page.getByRole('cell').allInnerTexts()).toEqual(['a', '10', 'b', '9'])
  await axe(page)

  const json = await documentOf(desk, `${unique('j')}.json`, '{"pages":[{"title":"One"},{"title":"Two"}]}', 'application/json')
  await page.goto(`${desk.client.url}/files/${json.id}`)
  await page.getByRole('searchbox').fill('two')
  await desk.sees(page.getByText('1 found'))
  await page.getByRole('button', { name: /"Two"/ }).click()
  await desk.sees(page.getByText('.pages[1].title'))
  await axe(page)

  const { documents: [zip] } = await desk.client.keep('bundle.zip')
  await page.goto(`${desk.client.url}/files/${zip.id}`)
  await desk.sees(page.getByRole('cell', { name: 'letters/march.md' }))
})

test('sound, video and pictures are shown', async ({ desk }) => {
  const page = await desk.open('/files')
  for (const [name, what] of [['clip.mp4', 'video'], ['photo.jpg', 'img'], ['logo.svg', 'img']] as const) {
    const { documents: [doc] } = await desk.client.keep(name)
    await page.goto(`${desk.client.url}/files/${doc.id}`)
    await desk.sees(page.locator(`main ${what}`))
    await desk.quiet(page)
    if (name === 'logo.svg') await axe(page)
  }
  const job = await desk.client.run('media.audio', {}, ['clip.mp4'])
  await page.goto(`${desk.client.url}/files?q=clip&type=audio`)
  await page.getByRole('link', { name: job.outputs[0].name }).first().click()
  await desk.sees(page.locator('svg.wave'))
  await axe(page)
})

test('a text is edited, its version before is shown and restored', async ({ desk }) => {
  const doc = await documentOf(desk, `${unique('note')}.txt`, 'first words')
  const page = await desk.open(`/files/${doc.id}?tab=edit`)
  await page.getByRole('textbox').fill('second words')
  await page.getByRole('link', { name: 'Preview' }).click() // what was typed waits
  await page.getByRole('link', { name: 'Edit' }).click()
  await page.getByRole('button', { name: 'Save as a new version' }).click()
  await page.getByRole('link', { name: /^Versions/ }).click()
  const first = page.getByRole('row').filter({ hasText: 'Restore' })
  await first.getByRole('button', { name: 'Show' }).click()
  await desk.sees(page.getByText('first words'))
  await axe(page)
  await first.getByRole('button', { name: 'Restore' }).click()
  await page.getByRole('link', { name: 'Preview' }).click()
  await desk.sees(page.getByText('first words'))
})

test('who saved first is not overwritten unknowingly', async ({ desk }) => {
  const doc = await documentOf(desk, `${unique('note')}.txt`, 'mine')
  const page = await desk.open(`/files/${doc.id}?tab=edit`)
  await page.getByRole('textbox').fill('mine, changed')
  await page.route('**/api/v1/events**', (route) => route.abort()) // nobody tells the page of it
  await desk.client.call('PATCH', `/api/v1/documents/${doc.id}`, { tags: ['theirs'] })
  desk.allow(/PUT .* 412/, /net::ERR_FAILED/)
  await page.getByRole('button', { name: 'Save as a new version' }).click()
  await desk.sees(page.getByRole('alert'))
  await page.getByRole('button', { name: 'Save over it' }).click()
  await desk.sees(page.getByText('Saved as version 2'))
})

test('a step is run on a file, and the file knows what came of it', async ({ desk }) => {
  const doc = await documentOf(desk, `${unique('source')}.md`, `# ${unique('A heading')}`, 'text/markdown')
  const page = await desk.open(`/files/${doc.id}`)
  await page.getByRole('button', { name: 'Run a step…' }).click()
  await page.getByRole('combobox', { name: /^Step/ }).selectOption('document.extract')
  await axe(page)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL(/\/jobs\/job_/)
  await page.goto(`${desk.client.url}/files/${doc.id}?tab=lineage`)
  await desk.sees(page.getByRole('link', { name: 'document.extract' }))
  await axe(page)
})

test('an output is kept as a document', async ({ desk }) => {
  const job = await desk.client.run('image.convert', { width: 40 }, ['picture.png'])
  const out = job.outputs[0]
  const page = await desk.open(`/files/${out.blob}?name=${out.name}&type=${out.type}&bytes=${out.bytes}&job=${job.id}&index=0`)
  await page.getByRole('button', { name: 'Keep as document' }).click()
  await page.waitForURL(/\/files\/doc_/)
  await desk.sees(page.getByRole('heading', { name: out.name }))
})

test('a file that is dropped on the page is uploaded', async ({ desk }) => {
  const page = await desk.open('/files')
  await upload(page, 'notes.md', 'main')
  await desk.sees(page.getByRole('region', { name: 'Uploads' }).getByRole('link', { name: 'notes.md' }))
})
