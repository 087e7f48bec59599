// What the editor of pipelines knows of the server: contracts, the language, other pipelines. Read once, pipelines again when asked.
import { api, must, type Schemas } from '$lib/api/client'
import { said } from '$lib/i18n/language.svelte'
import { complete as offers, explain as meaning, type Called, type World } from './complete'
import type { Complete, Explain } from '$lib/edit/types'

class Known {
  world = $state.raw<World>()
  titles = $derived<Record<string, string>>(Object.fromEntries([
    ...(this.world?.steps ?? []).map((step) => [step.name, said(step.title)] as const),
    ...(this.world?.pipelines ?? []).filter((p) => p.title !== '').map((p) => [p.name, p.title] as const),
  ]))
}
export const known = new Known()

const called = new Map<string, Called>()
let asked: Promise<void> | undefined

export function learn(): Promise<void> {
  asked ??= ask().catch((problem: unknown) => {
    asked = undefined
    throw problem
  })
  return asked
}

async function ask(): Promise<void> {
  const [language, { steps }, { pipelines }, secrets] = await Promise.all([
    must(api.GET('/api/v1/language')),
    must(api.GET('/api/v1/steps')),
    must(api.GET('/api/v1/pipelines')),
    must(api.GET('/api/v1/secrets')).then((list) => list.secrets.map((s) => s.name), () => []), // for editors only
  ])
  known.world = { language, steps, pipelines, secrets, called: (name) => called.get(name), say: said }
}

export async function learnPipelines(): Promise<void> {
  called.clear()
  if (known.world === undefined) return
  const { pipelines } = await must(api.GET('/api/v1/pipelines'))
  known.world = { ...known.world, pipelines }
}

// The pipelines that a text calls: what they take and give.
async function learnCalled(text: string): Promise<void> {
  const names = [...text.matchAll(/\bcall["']?:\s*["']?([a-z][\w.-]*)/g)].map((m) => m[1]!)
  const unknown = [...new Set(names)].filter((name) => !called.has(name) && known.world?.pipelines.some((p) => p.name === name))
  await Promise.all(unknown.map(async (name) => {
    const p = await must(api.GET('/api/v1/pipelines/{name}', { params: { path: { name } } }))
    called.set(name, asCalled(p))
  }))
}

function asCalled(p: Schemas['Pipeline']): Called {
  const outputs = (p.definition as { outputs?: Record<string, unknown> }).outputs ?? {}
  return {
    inputs: [
      ...p.files.map((f) => ({ name: f.name, help: f.help, file: true, required: f.required })),
      ...(p.contract.params ?? []).map((q) => ({ name: q.name, help: q.help ?? '', file: false, required: q.required ?? false })),
    ],
    outputs: Object.keys(outputs),
  }
}

export const complete: Complete = async (text, at) => {
  await Promise.all([learn(), learnCalled(text)]).catch(() => undefined)
  return known.world === undefined ? null : offers(known.world, text, at)
}
export const explain: Explain = (text, at) => (known.world === undefined ? null : meaning(known.world, text, at))
