// axe-core in a page, by the rules of WCAG 2.0 to 2.2, A and AA, and its best practices for headings and landmarks.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
type Axe = { run: (context: unknown, options: RunOptions) => Promise<AxeResults> }

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const rules = { 'heading-order': { enabled: true }, 'page-has-heading-one': { enabled: true }, region: { enabled: true } }

export class AxeRun {
  constructor(private page: Page, private only?: string[], private exclude: string[] = []) {}

  // One line for each: the rule, what is wrong, where.
  async violations(): Promise<string[]> {
    if (!(await this.page.evaluate(() => 'axe' in window))) await this.page.evaluate(source)
    const options: RunOptions = this.only
      ? { runOnly: { type: 'rule', values: this.only } }
      : { runOnly: { type: 'tag', values: tags }, rules }
    await this.page.evaluate(drawn)
    const result = await this.page.evaluate(([exclude, run]) => {
      const context = exclude.length > 0 ? { exclude: exclude.map((e) => [e]) } : document
      return (window as unknown as { axe: Axe }).axe.run(context, run)
    }, [this.exclude, options] as const)
    return result.violations.flatMap((v) => v.nodes.map((node) =>
      `${v.id}: ${v.help}: ${node.target.join(' ')}${v.id === 'color-contrast' ? ` ${node.any[0]?.message ?? ''}` : ''}`))
  }
}

// What was asked for (a theme, a width) is drawn, and no colour is on its way to another.
async function drawn(): Promise<void> {
  const ends = () => document.getAnimations().filter((a) => a.effect?.getComputedTiming().iterations !== Infinity)
  do {
    for (const animation of ends()) animation.finish()
    await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))
  } while (ends().length > 0)
}
