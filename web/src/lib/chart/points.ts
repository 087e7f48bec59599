// Series of what queues did: of the overview and of one queue alike.
import type { Schemas } from '$lib/api/client'
import { t } from '$lib/i18n/language.svelte'
import type { Series } from './series'

type Point = Schemas['QueueHistory']['points'][number]

export function pointSeries(points: Point[]) {
  const of = (label: string, tone: Series['tone'], value: (p: Point) => number | null): Series => ({ label, tone, values: points.map(value) })
  return {
    times: points.map((p) => Date.parse(p.time) / 1000),
    rate: [of(t('chart.ended'), 'accent', (p) => p.ended), of(t('chart.failed'), 'bad', (p) => p.failed)],
    wait: [of(t('chart.p50'), 'accent', (p) => p.wait_p50_ms), of(t('chart.p95'), 'warn', (p) => p.wait_p95_ms)],
    run: [of(t('chart.p50'), 'accent', (p) => p.run_p50_ms), of(t('chart.p95'), 'warn', (p) => p.run_p95_ms)],
    depth: [of(t('chart.depth'), 'accent', (p) => p.depth)],
  }
}
