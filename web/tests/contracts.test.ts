// Every text of the server's contracts has a translation: a sentence that changes there is noticed here.
import { expect, test } from 'vitest'
// @ts-expect-error: a tool in JavaScript, which node runs as it is
import { gone, languages, missing, texts, translations } from '../tools/contracts.mjs'

test('the texts are found where they are kept', () => {
  const all = texts() as string[]
  expect(all.length).toBeGreaterThan(700)
  for (const one of ['Extract text', 'The input is damaged or cut short.', 'An item of the batch ended.', 'What the key may do.', 'Every night'])
    expect(all).toContain(one)
})

test.each(languages as string[])('%s says all of them, and nothing that is gone', (language) => {
  expect(missing(language), 'node tools/contracts.mjs --list LANGUAGE shows them, --add puts translations in').toEqual([])
  expect(gone(language), 'node tools/contracts.mjs --prune removes them').toEqual([])
})

test.each(languages as string[])('%s keeps what is not to be translated', (language) => {
  const known = translations(language) as Record<string, string>
  const code = (text: string) => [...text.matchAll(/`platen [a-z. ]+|#rrggbb|whsec_|\{"\w+"\}|--[a-z-]+|https/g)].map((m) => m[0]!.trim()).sort()
  const differs = Object.entries(known).filter(([text, said]) => code(text).join() !== code(said).join())
  expect(differs).toEqual([])
})
