// The service worker is a file of its own, /worker.js, without a hash: browsers look there for a newer one. The build writes the names
// of the app's files into it, so that each version of the app has a worker of its own.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Plugin, Rollup } from 'vite'

const outside = ['/mark.svg', '/manifest.webmanifest', '/icon-192.png', '/badge-96.png']

// The page's script with all that it imports at once, and its styles.
function startOf(bundle: Rollup.OutputBundle): Set<string> {
  const found = new Set<string>()
  const visit = (name: string) => {
    const chunk = bundle[name]
    if (chunk?.type !== 'chunk' || found.has(name)) return
    found.add(name)
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style)
    chunk.imports.forEach(visit)
  }
  for (const [name, chunk] of Object.entries(bundle)) if (chunk.type === 'chunk' && chunk.isEntry && name !== 'worker.js') visit(name)
  return found
}

export function workerPlugin(publicFolder: string): Plugin {
  return {
    name: 'platen-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const worker = bundle['worker.js']
      if (worker?.type !== 'chunk') throw new Error('the service worker was not built')
      if (worker.imports.length > 0) throw new Error(`the service worker must stand alone; it imports ${worker.imports.join()}`)
      const start = startOf(bundle)
      const assets = Object.keys(bundle).filter((name) => name.startsWith('assets/')).sort()
      const first = ['/', ...outside, ...assets.filter((name) => start.has(name)).map((name) => `/${name}`)]
      const rest = assets.filter((name) => !start.has(name)).map((name) => `/${name}`)
      const hash = createHash('sha256').update(assets.join())
      const page = bundle['index.html']
      if (page?.type === 'asset') hash.update(page.source)
      for (const name of readdirSync(publicFolder).sort()) hash.update(readFileSync(`${publicFolder}/${name}`))
      const version = hash.digest('hex').slice(0, 12)
      worker.code = worker.code.replaceAll('__SHELL__', JSON.stringify({ version, first, rest }))
    },
  }
}
