// For tests/e2e/test_copyas.py: runs as JSON on standard input, their texts in every language as JSON on standard output; TypeScript
// also as the JavaScript that Node runs.
import { readFileSync } from 'node:fs'
import { transformSync } from 'esbuild'

const script = (code) => transformSync(code, { loader: 'ts', format: 'esm', target: 'node18' }).code
const source = readFileSync(new URL('../../src/lib/copyas.ts', import.meta.url), 'utf8')
const { copyAs, languages } = await import(`data:text/javascript,${encodeURIComponent(script(source))}`)

const texts = JSON.parse(readFileSync(0, 'utf8')).map((run) => {
  const all = Object.fromEntries(languages.map((language) => [language, copyAs(language, run) ?? null]))
  return { ...all, javascript: script(all.typescript) }
})
process.stdout.write(JSON.stringify(texts))
