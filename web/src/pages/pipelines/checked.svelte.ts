// What the server says of a text while it is written: asked at each pause, the question before is taken back.
import { Problem } from '$lib/api/client'
import type { Fault } from '$lib/edit/types'
import { check, faultsOf } from './store'

const pauseMs = 350
const againMs = 5000 // when the server could not be reached

export type Verdict = 'checking' | 'fine' | 'faulty' | 'offline' | 'refused'

export class Checked {
  verdict = $state<Verdict>('checking')
  faults = $state.raw<(Fault & { param: string })[]>([])
  private timer: ReturnType<typeof setTimeout> | undefined
  private control: AbortController | undefined

  look = (text: string, after = pauseMs): void => {
    this.stop()
    this.verdict = 'checking'
    this.timer = setTimeout(() => void this.ask(text), after)
  }

  stop = (): void => {
    clearTimeout(this.timer)
    this.control?.abort()
  }

  private async ask(text: string): Promise<void> {
    const control = (this.control = new AbortController())
    try {
      await check(text, control.signal)
      this.set('fine', [])
    } catch (cause) {
      if (control.signal.aborted) return
      if (!(cause instanceof Problem)) throw cause
      if (cause.status === 403 || cause.status === 401) this.set('refused', [])
      else if (cause.reason === 'bad_pipeline') this.set('faulty', faultsOf(cause, text))
      else {
        this.verdict = 'offline' // the faults that were found stay
        this.timer = setTimeout(() => void this.ask(text), againMs)
      }
    }
  }

  private set(verdict: Verdict, faults: (Fault & { param: string })[]): void {
    this.verdict = verdict
    this.faults = faults
  }
}
