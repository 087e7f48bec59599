// Compress the files of a built app beside them, once and as small as it goes: the server sends these bytes as they are.
//
//   node tools/pack.mjs dist
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const packable = /\.(css|html|js|json|svg|txt|wasm|webmanifest)$/

function pack(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) pack(path)
    if (!packable.test(name)) continue
    const body = readFileSync(path)
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length }
    const gzip = gzipSync(body, { level: 9 })
    const brotli = brotliCompressSync(body, { params })
    if (gzip.length < body.length) writeFileSync(path + '.gz', gzip)
    if (brotli.length < Math.min(body.length, gzip.length)) writeFileSync(path + '.br', brotli)
  }
}

pack(process.argv[2])
