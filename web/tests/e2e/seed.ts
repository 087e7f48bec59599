// Real data for the pages: files, jobs that ended well and badly, pipelines of ours with a run each, one that waits for a person.
import { fileOf, type Client } from './server'

const files = ['report.pdf', 'photo.jpg', 'notes.md', 'budget.xlsx', 'mail.eml', 'clip.mp4', 'people.csv', 'slides.pptx']

const reading = `name: reading
title: Read and confirm
summary: What a document says and its words; a person looks before it goes on.
inputs:
  source: {type: file, required: true, help: What to read.}
steps:
  text:
    uses: document.extract
    with: {file: "\${{ inputs.source }}"}
  words:
    uses: text.keywords
    with: {file: "\${{ steps.text.markdown }}", count: 5}
  look:
    wait: approval
    needs: [words]
  chunks:
    uses: text.chunk
    needs: [look]
    with: {file: "\${{ steps.text.markdown }}", size: 200}
`

export async function seed(client: Client): Promise<void> {
  await Promise.all(files.map((file) => client.keep(file)))
  await client.call('POST', '/api/v1/pipelines', reading)
  await Promise.all([
    client.run('image.convert', { format: 'webp', width: 320 }, ['photo.jpg']),
    client.run('image.info', {}, ['picture.png']),
    client.run('document.extract', {}, ['report.pdf']),
    client.run('document.extract', {}, ['protected.pdf']), // fails: it asks for a password
    client.run('text.stats', { text: 'The quick brown fox jumps over the lazy dog.' }),
    client.run('media.thumbnail', {}, ['clip.mp4']),
    pipeline(client, 'documents', 'file', 'report.docx').then((job) => client.ended(job.id)),
    pipeline(client, 'reading', 'source', 'report.pdf'), // waits
  ])
}

export function pipeline(client: Client, name: string, input: string, file: string): Promise<any> {
  const form = new FormData()
  form.append(input, fileOf(file))
  return client.call('POST', `/api/v1/pipelines/${name}/run`, form)
}
