// The build of the web app: one folder of files with hashed names, which the server carries inside (tools/embed_web.py).
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { licences } from './tools/licences'
import { workerPlugin } from './tools/worker'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// `npm run dev` shows the app of a running server: PLATEN_SERVER=http://127.0.0.1:8080
const server = process.env['PLATEN_SERVER'] ?? 'http://127.0.0.1:8080'

// What every page needs is one file: fifty small ones take longer to ask for than to read, and compress worse.
function chunkOf(id: string): string | undefined {
  const path = id.split('?')[0]!.split('/web/').at(-1)!
  if (/node_modules\/(svelte|esm-env|clsx|openapi-fetch)\//.test(path) || path.startsWith('\0')) return 'shell'
  return /^src\/(lib\/(ui|api|i18n)\/|lib\/[^/]+$|shell\/|texts\/en\/|pages\.ts$)/.test(path) ? 'shell' : undefined
}

export default defineConfig({
  plugins: [svelte(), licences(), workerPlugin(at('./public'))],
  resolve: { alias: { $lib: at('./src/lib') } },
  build: {
    target: 'es2022',
    outDir: process.env['PLATEN_WEB_OUT'] ?? 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy of the page allows no data: URLs for code and styles
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      input: { index: at('./index.html'), worker: at('./src/worker.ts') },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'worker' ? 'worker.js' : 'assets/[name]-[hash].js'),
        manualChunks: chunkOf,
      },
    },
  },
  test: { include: ['tests/*.test.ts'] },
  server: { proxy: { '/api': server, '/health': server, '/openapi.json': server, '/docs': server } },
})
