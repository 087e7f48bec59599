// The types of the server's answers, from the OpenAPI document that the tests hold to the server (tests/golden/openapi.json).
// What is there once per step (its own path, parameters and data) is left out: the app reads contracts at run time.
//
//   node tools/types.mjs ../tests/golden/openapi.json src/lib/api/schema.d.ts
import { readFileSync, writeFileSync } from 'node:fs'
import openapiTS, { astToString } from 'openapi-typescript'

const [from, to] = process.argv.slice(2)
const document = JSON.parse(readFileSync(from, 'utf8'))
const former = /^\/api\/v1\/(process|ocr|extract|sync|job|queue)\//
for (const path of Object.keys(document.paths)) {
  const isStep = path.startsWith('/api/v1/steps/') && !path.includes('{')
  if (isStep || former.test(path)) delete document.paths[path]
}
for (const name of Object.keys(document.components.schemas))
  if (/\.(params|data)$/.test(name)) delete document.components.schemas[name]
const text = astToString(await openapiTS(document))
writeFileSync(to, '// Written by tools/types.mjs from the server\'s OpenAPI document.\n' + text)
