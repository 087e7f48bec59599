import { expect, test } from 'vitest'
import { rank } from '../src/shell/rank'
import { matcher } from '../src/lib/live.svelte'

test('a start counts more than the inside, all words must be there', () => {
  expect(rank('Convert image', 'conv')).toBeGreaterThan(rank('Image: convert', 'conv'))
  expect(rank('Image: convert', 'conv')).toBeGreaterThan(rank('Reconvert', 'conv'))
  expect(rank('Convert image', 'im conv')).toBeGreaterThan(0)
  expect(rank('Convert image', 'im x')).toBe(0)
  expect(rank('Anything', '')).toBeGreaterThan(0)
})

test('patterns of events', () => {
  const matches = matcher(['job.*', 'document.added'])
  expect(['job.done', 'document.added', 'document.deleted', 'jobs.x'].map(matches)).toEqual([true, true, false, false])
})
