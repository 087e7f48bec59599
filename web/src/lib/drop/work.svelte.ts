// Files that somebody brought, and what is done with them at once: file.detect says what each is, then the steps of its family run with
// their defaults.
import { api, must, request, type Schemas } from '$lib/api/client'
import { Given } from '$lib/form/given.svelte'

export type Job = Schemas['Job']

// The first step gives what is shown first.
const byFamily: Record<string, string[]> = {
  document: ['document.extract'],
  text: ['document.extract'],
  image: ['image.optimize', 'ocr.image'],
  audio: ['media.probe'],
  video: ['media.probe'],
  archive: ['archive.list'],
}
const detectStep = 'file.detect'
const waitSeconds = 30

export class Work {
  readonly given: Given
  state = $state<'sending' | 'looking' | 'working' | 'done' | 'failed'>('sending')
  kind = $state('') // "PDF document"
  jobs = $state.raw<Job[]>([])
  doing = $state('') // the step that runs
  problem = $state.raw<unknown>(undefined)

  constructor(given: Given) {
    this.given = given
  }

  async run(): Promise<void> {
    try {
      await ready(this.given)
      this.state = 'looking'
      const found = await this.step(detectStep)
      const data = (found.data ?? {}) as { name?: string; family?: string }
      this.kind = data.name ?? ''
      this.state = 'working'
      for (const step of byFamily[data.family ?? ''] ?? []) this.jobs = [...this.jobs, await this.step(step)]
      this.state = 'done'
    } catch (problem) {
      this.problem = problem
      this.state = 'failed'
    } finally {
      this.doing = ''
    }
  }

  private async step(name: string): Promise<Job> {
    this.doing = name
    return run(`/api/v1/steps/${name}`, { inputs: [this.given.reference], wait: waitSeconds })
  }
}

// The file is at the server.
export async function ready(given: Given): Promise<void> {
  while (given.state === 'sending') await new Promise((resolve) => setTimeout(resolve, 50))
  if (given.state === 'failed') throw given.problem
}

// A step or pipeline, to its end, whatever becomes of it.
export async function run(path: string, body: unknown): Promise<Job> {
  const answer = await request('POST', path, JSON.stringify(body), { 'Content-Type': 'application/json' })
  return ended((await answer.json()) as Job)
}

export async function ended(job: Job, seen: (job: Job) => void = () => {}): Promise<Job> {
  while (!['done', 'failed', 'canceled'].includes(job.state)) {
    job = await must(api.GET('/api/v1/jobs/{id}', { params: { path: { id: job.id }, query: { wait: 20 } } }))
    seen(job)
  }
  return job
}

// Plain facts of a job's data, for people.
export function facts(job: Job): [string, string | number | boolean][] {
  const data = (job.data ?? {}) as Record<string, unknown>
  return Object.entries(data).flatMap(([name, value]): [string, string | number | boolean][] => {
    if (Array.isArray(value)) return listed(value) === '' ? [] : [[name, listed(value)]]
    return (typeof value === 'string' && value !== '') || typeof value === 'number' || typeof value === 'boolean' ? [[name, value]] : []
  })
}

// A list in one line: its texts, or the first text of each of its objects.
function listed(values: unknown[]): string {
  const text = (value: unknown): string =>
    typeof value === 'object' && value !== null ? text(Object.values(value).find((part) => typeof part === 'string')) : String(value ?? '')
  return values.slice(0, 10).map(text).filter((part) => part !== '').join(', ')
}
