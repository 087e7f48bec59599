import { expect, test } from 'vitest'
import { eventParser, type StreamEvent } from '../src/lib/api/sse'

function parse(...pieces: string[]) {
  const events: StreamEvent[] = []
  const parser = eventParser((event) => events.push(event))
  for (const piece of pieces) parser.push(piece)
  return { events, ended: parser.ended }
}

test('an event in any pieces', () => {
  const text = ': hello\n\nid: 7\nevent: task.progress\ndata: {"done":1,\ndata: "total":2}\n\n'
  const whole = parse(text).events
  expect(whole).toEqual([{ id: '7', type: 'task.progress', data: { done: 1, total: 2 } }])
  expect(parse(...text).events).toEqual(whole)
})

test('an id alone is a place', () => {
  expect(parse('id: evt_1\n\n').events).toEqual([{ id: 'evt_1', type: 'message', data: undefined }])
})

test('the last event of a job ends its stream', () => {
  expect(parse('event: job.done\ndata: {}\n\n').ended).toBe(true)
  expect(parse('event: task.done\ndata: {}\n\n').ended).toBe(false)
})

test('what is cut off is no event', () => {
  expect(parse('event: job.done\ndata: {}\n').events).toEqual([])
})
