// What the start page says, from the overview alone.
import type { Schemas } from '$lib/api/client'
import { t } from '$lib/i18n/language.svelte'

type Overview = Schemas['Overview']
type Queue = Overview['queues'][number]
type Step = Overview['steps'][number]

const stepsShown = 5

export function lead(o: Overview): string {
  const running = o.running_more ? `${o.running.length}+` : String(o.running.length)
  return o.failed.count === 0 ? t('home.lead_well', { running }) : t('home.lead', { running, failed: `${o.failed.count}${o.failed.more ? '+' : ''}` })
}

// The fullest first; those in which nothing stands are left to their own page.
export function queuesThatStand(queues: Queue[]): Queue[] {
  const weight = (q: Queue) => q.ready + q.blocked + q.delayed + q.leased
  return queues.filter((q) => weight(q) > 0 || q.paused).sort((a, b) => weight(b) - weight(a)).slice(0, 8)
}

export function busy(steps: Step[]): Step[] {
  return steps.filter((s) => s.ended > 0).sort((a, b) => b.ended - a.ended).slice(0, stepsShown)
}
