// The logic of the viewers: what a file is shown as, tables, JSON, bytes.
import { expect, test } from 'vitest'
import { isNumeric, parseRows, parseTable, separatorOf, sortRows, tableOfLines } from '../src/lib/view/csv'
import { hexLines } from '../src/lib/view/hex'
import { pathText, search, type Value } from '../src/lib/view/json'
import { kindOf, previewUrl } from '../src/lib/view/kind'
import { renderMarkdown } from '../src/lib/view/markdown'
import { wavePath } from '../src/lib/view/preview'
import { decode, isUtf8 } from '../src/lib/view/read'

test.each([
  ['a.md', 'text/plain', 'markdown'], ['a', 'text/markdown; charset=utf-8', 'markdown'], ['a.csv', 'text/plain', 'table'],
  ['a.jsonl', 'application/octet-stream', 'lines'], ['a.JSON', '', 'json'], ['a', 'application/ld+json', 'json'],
  ['a.png', '', 'picture'], ['a', 'image/heic', 'picture'], ['a.pdf', 'application/octet-stream', 'pages'],
  ['a', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'pages'], ['a.tar.gz', '', 'archive'],
  ['a.mp3', 'audio/mpeg', 'sound'], ['a', 'video/mp4', 'video'], ['a', '', 'unknown'], ['a.c', '', 'text'], ['a.svg', 'image/svg+xml', 'picture'],
])('%s of type "%s" is shown as %s', (name, type, kind) => {
  expect(kindOf(name, type)).toBe(kind)
})

test('previews are asked for by the bytes', () => {
  const file = { url: '/x', name: 'a b.pdf', type: 'application/pdf', bytes: 1 }
  expect(previewUrl(file, 'picture')).toBe('')
  expect(previewUrl({ ...file, blob: 'ff' }, 'picture', 2, 320)).toBe('/api/v1/blobs/ff/preview?kind=picture&name=a+b.pdf&width=320&page=2')
})

test.each([
  ['a,b\n1,2\n', [['a', 'b'], ['1', '2']]],
  ['a,b\r\n1,2', [['a', 'b'], ['1', '2']]],
  ['"a ""x""","b\nc",d', [['a "x"', 'b\nc', 'd']]],
  ['a,\n,b', [['a', ''], ['', 'b']]],
  ['\ufeffa,b', [['a', 'b']]],
  ['"open, never closed', [['open, never closed']]],
  ['"x"y,z', [['xy', 'z']]],
  ['', []],
])('rows of %j', (text, rows) => {
  expect(parseRows(text, ',')).toEqual(rows)
})

test('the separator is the one that divides all lines alike', () => {
  expect(separatorOf('a;b;c\n1,5;2;3\n')).toBe(';')
  expect(separatorOf('a\tb\n1\t2\n')).toBe('\t')
  expect(separatorOf('"a;b",c\n"d;e",f\n')).toBe(',')
  expect(separatorOf('one column\nonly\n')).toBe(',')
})

test('a table is as wide as its widest row; half a row at a cut is left out', () => {
  expect(parseTable('a,b\n1\n1,2,3\n')).toEqual({ head: ['a', 'b', ''], rows: [['1', '', ''], ['1', '2', '3']], cut: false })
  expect(parseTable('a,b\n1,2\n3,', ',', false).rows).toEqual([['1', '2']])
})

test('columns of numbers are sorted by value, empty cells last, and equal rows keep their order', () => {
  const rows = [['10', 'x'], ['9', 'b'], ['', 'a'], ['1.5', 'x']]
  expect(isNumeric(rows, 0)).toBe(true)
  expect(isNumeric(rows, 1)).toBe(false)
  expect(sortRows(rows, { column: 0, down: false }, 'en').map((r) => r[0])).toEqual(['1.5', '9', '10', ''])
  expect(sortRows(rows, { column: 0, down: true }, 'en').map((r) => r[0])).toEqual(['10', '9', '1.5', ''])
  expect(sortRows(rows, { column: 1, down: false }, 'en').map((r) => r[0])).toEqual(['', '9', '10', '1.5'])
})

test('JSON Lines of objects are a table, others are not', () => {
  expect(tableOfLines('{"a":1,"b":{"c":2}}\n{"b":null,"d":"x"}\n')).toEqual(
    { head: ['a', 'b', 'd'], rows: [['1', '{"c":2}', ''], ['', '', 'x']], cut: false })
  expect(tableOfLines('[1]\n')).toBeUndefined()
  expect(tableOfLines('{"a":\n')).toBeUndefined()
  expect(tableOfLines('{"a":1}\n{"a"', false)?.rows).toEqual([['1']])
})

test('paths and finds in JSON', () => {
  const value: Value = { pages: [{ title: 'One' }, { title: 'two' }], 'a b': null }
  expect(search(value, 'TWO').paths.map(pathText)).toEqual(['.pages[1].title'])
  expect(search(value, 'title').paths.length).toBe(2)
  expect(search(value, 'title', 1)).toEqual({ paths: [['pages', 0, 'title']], more: true })
  expect([pathText([]), pathText(['a b', 0]), pathText([0])]).toEqual(['.', '.["a b"][0]', '.[0]'])
})

test('bytes become text, whatever they are', () => {
  expect(decode(new TextEncoder().encode('größe'))).toBe('größe')
  expect(decode(new Uint8Array([0xff, 0xfe, 0x41, 0]))).toBe('A')
  expect(decode(new Uint8Array([0x67, 0xf6]))).toBe('gö')
  expect(decode(new TextEncoder().encode('a日').subarray(0, 3))).toBe('a')
  expect([isUtf8(new TextEncoder().encode('日')), isUtf8(new Uint8Array([0x67, 0xf6]))]).toEqual([true, false])
})

test('bytes as people read them', () => {
  expect(hexLines(new Uint8Array([0x50, 0x4b, 3, 4]))).toBe(`000000  50 4b 03 04${' '.repeat(36)}  PK..`)
})

test('Markdown shows no HTML of its own and no dangerous link', () => {
  const html = renderMarkdown('<script>x</script> [a](javascript:x) [b](https://e.org) ![p](https://e.org/p.png)\n\n| a |\n|--:|\n| 1 |\n')
  expect(html).not.toMatch(/<script|href="javascript|<img|style=/)
  expect(html).toContain('href="https://e.org" target="_blank" rel="noopener noreferrer nofollow"')
  expect(html).toContain('class="align-right"')
})

test('the shape of a sound is one closed line', () => {
  expect(wavePath([[-1, 1], [0, 0]], 10, 20)).toBe('M0.0 0.5L10.0 10.0L10.0 10.0L0.0 19.5Z')
  expect(wavePath([], 10, 20)).toBe('')
})
