// Reading from the server inside a component.
//
//   const jobs = load((signal) => must(api.GET('/api/v1/jobs', { params: { query: { state } }, signal })), { live: ['job.*'] })
//   {#if jobs.problem}…{:else if jobs.data}…
//
// It reads again when a reactive value changes that `get` reads before its first await, when one of the `live` events happens (at
// most twice a second), and every `every` ms while the page is seen. What was there stays until the new answer comes.
import { untrack } from 'svelte'
import { listen } from '$lib/live.svelte'

const liveGapMs = 500

export type Loaded<T> = {
  readonly data: T | undefined
  readonly problem: unknown
  readonly loading: boolean
  reload: () => void
  set: (data: T) => void
}

export function load<T>(get: (signal: AbortSignal) => Promise<T>, options: { live?: string[]; every?: number } = {}): Loaded<T> {
  let data = $state.raw<T | undefined>(undefined)
  let problem = $state.raw<unknown>(undefined)
  let loading = $state(true)
  let turn = $state(0)

  $effect(() => {
    void turn
    const control = new AbortController()
    loading = true
    get(control.signal).then(
      (answer) => {
        if (control.signal.aborted) return
        data = answer
        problem = undefined
        loading = false
      },
      (cause: unknown) => {
        if (control.signal.aborted) return
        problem = cause
        loading = false
      },
    )
    return () => control.abort()
  })

  const reload = () => untrack(() => void (turn += 1))
  if (options.live !== undefined) {
    const types = options.live
    $effect(() => {
      const calm = throttle(reload, liveGapMs)
      const stop = listen(types, calm.call)
      return () => (stop(), calm.stop())
    })
  }
  if (options.every !== undefined) {
    const every = options.every
    $effect(() => {
      const timer = setInterval(() => document.visibilityState === 'visible' && reload(), every)
      const seen = () => document.visibilityState === 'visible' && reload()
      document.addEventListener('visibilitychange', seen)
      return () => (clearInterval(timer), document.removeEventListener('visibilitychange', seen))
    })
  }

  return {
    get data() { return data },
    get problem() { return problem },
    get loading() { return loading },
    reload,
    set: (value) => void (data = value),
  }
}

// The first call at once, then one per gap for all that came in it.
export function throttle(fn: () => void, gapMs: number) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let again = false
  const call = () => {
    if (timer !== undefined) {
      again = true
      return
    }
    fn()
    timer = setTimeout(() => {
      timer = undefined
      if (again) {
        again = false
        call()
      }
    }, gapMs)
  }
  return { call, stop: () => clearTimeout(timer) }
}
