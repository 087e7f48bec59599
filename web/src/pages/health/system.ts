// What the page of the server's health concludes.
import type { Schemas } from '$lib/api/client'

type System = Schemas['System']
export type Verdict = 'well' | 'look' | 'bad'

export function verdict(s: Pick<System, 'checks' | 'engines' | 'sandbox' | 'alerts'>): Verdict {
  const bad = s.checks.some((c) => !c.ok) || s.sandbox.some((l) => l.verdict === 'bad') || s.engines.some((e) => e.state === 'broken')
  if (bad) return 'bad'
  return s.alerts.length > 0 ? 'look' : 'well'
}

// Where a person looks next.
export function leadsTo(event: string, subject: string): string | undefined {
  if (event === 'task.dead') return `/queues?tab=dead${subject === '' ? '' : `&queue=${encodeURIComponent(subject)}`}`
  if (event === 'queue.stuck') return '/queues'
  if (event.startsWith('webhook.')) return '/settings/webhooks'
  if (event.startsWith('trigger.')) return '/settings/triggers'
  if (event.startsWith('schedule.')) return '/settings/schedules'
  if (event === 'engine.task_killed') return '/jobs?state=failed'
  return undefined
}

// For a report to somebody else: what it is made of and what is wrong, nothing of the content.
export function facts(s: System): string {
  const engines = s.engines.map((e) => `${e.name} ${e.version} ${e.state}, ${e.tasks} tasks, ${e.failures} failed, ${e.restarts} restarts`)
  const layers = s.sandbox.map((l) => `${l.layer}: ${l.verdict}, ${l.found}`)
  const alerts = s.alerts.map((a) => `${a.time} ${a.level} ${a.event} ${a.subject} x${a.count}`)
  return [`platen ${s.version}`, s.build.compiler, s.build.database, s.build.crypto, `${s.build.kernel} ${s.build.machine}`, ...engines, ...layers, ...alerts].join('\n')
}
