// Pipelines at the server: reading and storing their texts, and what is written here and not stored yet.
import { api, must, request, Problem, type Schemas } from '$lib/api/client'
import type { Fault } from '$lib/edit/types'
import { find, readOutline, type Item } from './outline'

export type Info = Schemas['PipelineInfo']

export async function sourceOf(name: string, version?: number): Promise<string> {
  const answer = await request('GET', `/api/v1/pipelines/${encodeURIComponent(name)}/source${version === undefined ? '' : `?version=${version}`}`)
  return answer.text()
}

// base: the version that was changed, 0 for a new pipeline; undefined: whatever is there.
export async function store(text: string, base: number | undefined): Promise<Info> {
  const query = base === undefined ? '' : `?base_version=${base}`
  const answer = await request('POST', `/api/v1/pipelines${query}`, text, { 'Content-Type': 'application/yaml' })
  return (await answer.json()) as Info
}

export async function check(text: string, signal: AbortSignal): Promise<void> {
  await request('POST', '/api/v1/pipelines?dry_run=true', text, { 'Content-Type': 'application/yaml' }, signal)
}

export const remove = (name: string) => must(api.DELETE('/api/v1/pipelines/{name}', { params: { path: { name } } }))

// Faults of a text, each with a line: the server's, or that of the place it names.
export function faultsOf(problem: Problem, text: string): (Fault & { param: string })[] {
  const root = readOutline(text)
  const all = problem.faults.length > 0 ? problem.faults : [{ param: '', detail: problem.message }]
  return all.map((fault) => ({ line: (fault as { line?: number }).line ?? lineOf(root, fault.param), param: fault.param, text: fault.detail }))
}

function lineOf(root: Item, path: string): number {
  let now: Item | undefined = root
  let line = 1
  for (const key of path.replaceAll('[', '.[').split('.').filter((part) => part !== '')) {
    now = find(now, key)
    if (now === undefined) break
    line = now.line
  }
  return line
}

/* --- drafts --- */

export type Draft = { text: string; base: number; at: string }
const keyOf = (name: string) => `pipeline.draft.${name}`

export function readDraft(name: string): Draft | undefined {
  try {
    const found = JSON.parse(localStorage.getItem(keyOf(name)) ?? 'null') as Draft | null
    return typeof found?.text === 'string' ? found : undefined
  } catch {
    return undefined
  }
}
export function keepDraft(name: string, text: string, base: number): void {
  try {
    localStorage.setItem(keyOf(name), JSON.stringify({ text, base, at: new Date().toISOString() }))
  } catch {
    // No room: the text is still in the editor, and leaving asks.
  }
}
export const dropDraft = (name: string) => localStorage.removeItem(keyOf(name))

/* --- texts to begin with --- */

export const blank = `name: my-pipeline
title: My pipeline
inputs:
  source: {type: file, required: true, help: The file to work on.}
steps:
  text:
    uses: document.extract
    with:
      file: "\${{ inputs.source }}"
outputs:
  text: "\${{ steps.text.output }}"
`

// The same text under another name: of a template.
export function renamed(text: string, name: string): string {
  const root = readOutline(text)
  const item = find(root, 'name')
  if (item?.value === undefined) return text
  return text.slice(0, item.valueFrom) + name + text.slice(item.valueTo)
}

export function freeName(wanted: string, taken: Set<string>): string {
  if (!taken.has(wanted)) return wanted
  for (let i = 2; ; i++) if (!taken.has(`${wanted}-${i}`)) return `${wanted}-${i}`
}

export const nameIn = (text: string) => find(readOutline(text), 'name')?.value ?? ''
