// A line that says what was done, with the way back when there is one.
//
//   toast(t('files.deleted', { n }), { undo: restore })
//   fail(problem)                              // what went wrong outside a place of its own
import { t } from '$lib/i18n/language.svelte'
import { Problem } from '$lib/api/client'

export type Toast = { id: number; text: string; hint?: string; bad: boolean; undo?: () => Promise<void> | void }

const shownMs = 6000
const undoMs = 12_000
let nextId = 1

class Toasts {
  list = $state.raw<Toast[]>([])
}
export const toasts = new Toasts()

export function toast(text: string, options: { undo?: () => Promise<void> | void; hint?: string; bad?: boolean } = {}): void {
  const one: Toast = { id: nextId++, text, bad: options.bad ?? false }
  if (options.undo !== undefined) one.undo = options.undo
  if (options.hint !== undefined && options.hint !== '') one.hint = options.hint
  toasts.list = [...toasts.list.slice(-3), one]
  setTimeout(() => drop(one.id), one.undo !== undefined || one.bad ? undoMs : shownMs)
}

export function drop(id: number): void {
  toasts.list = toasts.list.filter((one) => one.id !== id)
}

export function fail(problem: unknown): void {
  if (problem instanceof DOMException && problem.name === 'AbortError') return
  if (problem instanceof Problem) toast(problem.message, { hint: problem.hint, bad: true })
  else toast(problem instanceof Error ? problem.message : t('app.unknown_failure'), { bad: true })
}
