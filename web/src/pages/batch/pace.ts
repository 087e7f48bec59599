// How fast items end, from what was seen here: a rate and an end are only said when enough was seen for them to mean something.
export type Sample = { at: number; ended: number }

const spanMs = 60_000
const leastMs = 5000
const leastEnded = 5

export function remember(samples: Sample[], next: Sample): Sample[] {
  const last = samples.at(-1)
  // Items that run again are not ended any more: what was seen before says nothing then.
  if (last !== undefined && next.ended < last.ended) return [next]
  return [...samples.filter((s) => next.at - s.at <= spanMs), next]
}

// Items per second.
export function rate(samples: Sample[]): number | undefined {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined) return undefined
  const ms = last.at - first.at
  const ended = last.ended - first.ended
  return ms < leastMs || ended < leastEnded ? undefined : (ended * 1000) / ms
}

export function leftMs(samples: Sample[], left: number): number | undefined {
  const perSecond = rate(samples)
  return perSecond === undefined ? undefined : (left * 1000) / perSecond
}
