// The build of the web app: one folder of files with hashed names, which the server carries inside (tools/embed_web.py).
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { licences } from './tools/licences'
import { workerPlugin } from './tools/worker'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// `npm run dev` shows the app of a running server: PLATEN_SERVER=http://127.0.0.1:8080
const server = process.env['PLATEN_SERVER'] ?? 'http://127.0.0.1:8080'

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
      output: { entryFileNames: (chunk) => (chunk.name === 'worker' ? 'worker.js' : 'assets/[name]-[hash].js') },
    },
  },
  test: { include: ['tests/*.test.ts'] },
  server: { proxy: { '/api': server, '/health': server, '/openapi.json': server, '/docs': server } },
})
