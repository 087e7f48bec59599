// What the page of batches decides by itself: which input takes the files, what is asked of the server, how fast it goes.
import { expect, test } from 'vitest'
import { leftMs, rate, remember, type Sample } from '../src/pages/batch/pace'
import { bodyOf, inputOf, type FileInput } from '../src/pages/batch/start'

const file = (name: string, required: boolean): FileInput => ({ name, required, help: '', accepts: '', many: false })

test('the input is the one that is chosen, the only one that needs a file, or the only one', () => {
  const of = (wanted: string, ...files: FileInput[]) => inputOf({ kind: 'pipeline', files }, wanted)?.name
  expect(of('', file('a', true), file('b', false))).toBe('a')
  expect(of('b', file('a', true), file('b', false))).toBe('b')
  expect(of('', file('a', false))).toBe('a')
  expect(of('', file('a', true), file('b', true))).toBeUndefined()
  expect(of('', file('a', false), file('b', false))).toBeUndefined()
  expect(inputOf({ kind: 'step', files: [] }, '')).toBeUndefined()
})

test('a step and a pipeline are asked in their own words', () => {
  const asked = {
    files: [{ blob: 'aa', name: 'a.txt', type: 'text/plain' }], input: 'source', values: { tone: 'warm' }, options: { priority: 5 },
    shared: { logo: { document: 'doc_1' } },
  }
  expect(bodyOf({ kind: 'step' }, asked)).toEqual({ priority: 5, params: { tone: 'warm' }, inputs: asked.files })
  expect(bodyOf({ kind: 'pipeline' }, asked)).toEqual({
    priority: 5, input: 'source', inputs: { tone: 'warm', logo: { document: 'doc_1' }, source: asked.files },
  })
})

const seen = (...pairs: [number, number][]): Sample[] => pairs.reduce<Sample[]>((all, [at, ended]) => remember(all, { at, ended }), [])

test('nothing is said of the pace before enough was seen', () => {
  expect(rate(seen())).toBeUndefined()
  expect(rate(seen([0, 0], [4000, 100]))).toBeUndefined() // too short
  expect(rate(seen([0, 0], [20_000, 4]))).toBeUndefined() // too few
  expect(rate(seen([0, 0], [10_000, 20]))).toBe(2)
  expect(leftMs(seen([0, 0], [10_000, 20]), 60)).toBe(30_000)
})

test('only the last minute counts, and a retry begins anew', () => {
  expect(rate(seen([0, 0], [50_000, 500], [70_000, 520], [100_000, 550]))).toBe(1)
  expect(rate(seen([0, 0], [10_000, 50], [11_000, 40]))).toBeUndefined()
})
