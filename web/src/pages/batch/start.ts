// What a batch asks of the server: the same call tells what would happen, and does it.
import { request, type Schemas } from '$lib/api/client'
import type { Reference } from '$lib/form/given.svelte'
import type { Json, Param } from '$lib/form/param'
import type { Sent } from './files.svelte'

export type FileInput = NonNullable<Schemas['Pipeline']['files']>[number]
export type Plan = {
  kind: 'step' | 'pipeline'
  name: string
  title: string
  summary: string
  accepts: string
  params: Param[]
  options: Param[]
  files: FileInput[] // inputs of a pipeline that are files
}
export type Asked = {
  files: Pick<Sent, 'blob' | 'name' | 'type'>[]
  input: string | undefined
  values: Record<string, Json>
  options: Record<string, Json>
  shared: Record<string, Reference | Reference[]>
}

// Which input takes the files, as the server decides: the one that was chosen, the only one that needs a file, the only one.
export function inputOf(plan: Pick<Plan, 'kind' | 'files'>, wanted: string): FileInput | undefined {
  if (plan.kind === 'step') return undefined
  const required = plan.files.filter((f) => f.required)
  return plan.files.find((f) => f.name === wanted) ?? (required.length === 1 ? required[0] : plan.files.length === 1 ? plan.files[0] : undefined)
}

export function bodyOf(plan: Pick<Plan, 'kind'>, asked: Asked): Record<string, unknown> {
  const files = asked.files.map(({ blob, name, type }) => ({ blob, name, type }))
  return plan.kind === 'step'
    ? { ...asked.options, params: asked.values, inputs: files }
    : { ...asked.options, input: asked.input, inputs: { ...asked.values, ...asked.shared, [asked.input!]: files } }
}

export async function begin(plan: Plan, asked: Asked, dry: boolean): Promise<Schemas['Job']> {
  const path = `/api/v1/${plan.kind}s/${encodeURIComponent(plan.name)}/batch`
  const body = JSON.stringify({ ...bodyOf(plan, asked), ...(dry ? { dry_run: true } : {}) })
  return (await request('POST', path, body, { 'Content-Type': 'application/json' })).json() as Promise<Schemas['Job']>
}
