// Tests in a browser, against a real server (tests/e2e/desk.ts). One file after the other, with one server and one browser for all:
//
//   make build && npm run e2e                       // all; PLATEN_BUILD names another build
//   npm run e2e -- tests/e2e/jobs.test.ts -t state  // some
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { alias: { $lib: fileURLToPath(new URL('./src/lib', import.meta.url)) } },
  test: {
    include: ['tests/e2e/*.test.ts'],
    globalSetup: 'tests/e2e/setup.ts',
    fileParallelism: false,
    isolate: false,
    pool: 'threads',
    retry: 1, // a browser on a busy machine stumbles; what fails twice has failed
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
