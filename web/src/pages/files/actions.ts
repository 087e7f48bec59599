// What can be done with files, the same in the list and on a file's own page.
import { api, must, request } from '$lib/api/client'
import { t } from '$lib/i18n/language.svelte'
import { fail, toast } from '$lib/ui/toast.svelte'
import { inputOf, type AnyFile } from './file'

type Job = { id: string; state: string; outputs?: { name: string }[] }

// Documents go at once and can come back: the toast says so for as long as it is there, the server for a day.
export async function remove(files: AnyFile[], gone: (keys: string[]) => void, back: () => unknown): Promise<void> {
  const ids = files.flatMap((f) => (f.document === undefined ? [] : [f.document]))
  const path = (id: string) => ({ params: { path: { id } } })
  const done: string[] = []
  try {
    for (const id of ids) {
      await must(api.DELETE('/api/v1/documents/{id}', path(id)))
      done.push(id)
    }
  } catch (problem) {
    fail(problem)
  }
  if (done.length === 0) return
  gone(done)
  const undo = async () => {
    try {
      for (const id of done) await must(api.POST('/api/v1/documents/{id}/restore', path(id)))
      back()
    } catch (problem) {
      fail(problem)
    }
  }
  toast(t('files.deleted', { n: done.length }), { undo })
}

// Many files in one: a job packs them, and its output is what is downloaded.
export async function archiveOf(files: AnyFile[]): Promise<void> {
  try {
    toast(t('files.packing', { n: files.length }))
    const body = JSON.stringify({ inputs: files.map(inputOf), wait: 60 })
    const answer = await request('POST', '/api/v1/steps/archive.create', body, { 'Content-Type': 'application/json' })
    const job = (await answer.json()) as Job
    const output = job.outputs?.[0]
    if (job.state !== 'done' || output === undefined) {
      toast(t('files.packing_goes_on'))
      return
    }
    save(`/api/v1/jobs/${job.id}/outputs/0`, output.name)
  } catch (problem) {
    fail(problem)
  }
}

export function save(url: string, name: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}

export async function keep(file: AnyFile): Promise<string | undefined> {
  try {
    const body = { blob: file.blob, name: file.name, type: file.type }
    const kept = await must(api.POST('/api/v1/documents/keep', { body, params: {} }))
    toast(t('files.kept'))
    return kept.documents[0]?.id
  } catch (problem) {
    fail(problem)
    return undefined
  }
}
