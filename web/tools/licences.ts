// The npm packages whose code is in the bundle, with their licences, as the module virtual:licences. Which ones are in it is known
// when the chunks are rendered, so the module is a mark until then. While the app is being written (vite serve) it is empty.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const id = 'virtual:licences'
const mark = '__LICENCES__'

export type Licence = { name: string; version: string; licence: string; text: string }

// The folder of the package that a file belongs to: below the last node_modules.
export function packageOf(file: string): string | undefined {
  const found = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(file.replace(/^\0/, '').replace(/\?.*$/, ''))
  return found?.[1]
}

export function licenceOf(folder: string): Licence {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string; version: string; license?: string }
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.|$)/i.test(name))
  return { name: about.name, version: about.version, licence: about.license ?? '', text: file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim() }
}

export function licences(): Plugin {
  let building = false
  return {
    name: 'licences',
    configResolved: (config) => void (building = config.command === 'build'),
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load: (source) => (source === `\0${id}` ? `export default JSON.parse(${building ? `'${mark}'` : "'[]'"})` : undefined),
    renderChunk: {
      order: 'pre',
      handler(code) {
        if (!code.includes(mark)) return null
        const folders = new Set([...this.getModuleIds()].map(packageOf).filter((f): f is string => f !== undefined))
        const all = [...folders].filter((f) => existsSync(join(f, 'package.json'))).map(licenceOf)
        all.sort((a, b) => a.name.localeCompare(b.name))
        return { code: code.replace(new RegExp(`(['"\`])${mark}\\1`), () => JSON.stringify(JSON.stringify(all))), map: null }
      },
    },
  }
}
