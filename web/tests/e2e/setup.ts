// One server and one browser for all files of tests; both end with the run.
import { chromium, type BrowserServer } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { browserOptions } from './browser'
import { seed } from './seed'
import { Server } from './server'

declare module 'vitest' {
  export interface ProvidedContext {
    browser: string
    url: string
    key: string
  }
}

export default async function setup(project: TestProject) {
  const [server, browser]: [Server, BrowserServer] = await Promise.all([Server.start(), chromium.launchServer(browserOptions)])
  await seed(server.client)
  project.provide('browser', browser.wsEndpoint())
  project.provide('url', server.url)
  project.provide('key', server.key)
  return async () => {
    await browser.close()
    await server.stop()
  }
}
