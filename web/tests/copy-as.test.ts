// A run as words for a shell: what is quoted, which options a command has.
import { expect, test } from 'vitest'
import { asCommand, asCurl } from '../src/pages/pipelines/copy-as'

const run = {
  name: 'read', values: { title: "it's new", width: 320, all_pages: true, tags: ['a', 'b'], more: { x: 1 } }, options: { priority: 5, delay_ms: 1000 },
  files: [{ input: 'source', name: 'my report.pdf' }],
}

test('the command has its own flags', () => expect(asCommand(run)).toBe(
  "platen flow run read 'my report.pdf' --title 'it'\\''s new' --width 320 --all-pages --tags a,b --more '{\"x\":1}' --priority 5 --follow"))

test('files of several inputs are named', () => expect(asCommand({ ...run, values: {}, options: {}, files: [
  { input: 'one', name: 'a.pdf' }, { input: 'two', name: 'b.pdf' }] })).toBe('platen flow run read --one a.pdf --two b.pdf --follow'))

test('curl sends a form, options in the query', () => {
  const text = asCurl({ ...run, values: { title: "it's new" } }, 'https://x.example')
  expect(text).toContain("curl -X POST 'https://x.example/api/v1/pipelines/read/run?priority=5&delay_ms=1000'")
  expect(text).toContain("-F 'source=@my report.pdf'")
  expect(text).toContain("-F 'title=it'\\''s new'")
})
