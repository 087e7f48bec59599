// Files on their way to the server. They go on while the person looks at other pages; three at a time. What is shown is bytes that
// left this machine; "storing" is the wait until the server has them on disk.
import { Problem, type Schemas } from '$lib/api/client'

export type Upload = {
  readonly id: number
  readonly name: string
  readonly total: number
  sent: number
  state: 'waiting' | 'sending' | 'storing' | 'done' | 'failed'
  problem?: unknown
  document?: Schemas['Document']
  file: File
  request?: XMLHttpRequest
}

const atOnce = 3

class Uploads {
  list = $state<Upload[]>([])
  // Rises with each document that arrived: lists read again.
  arrived = $state(0)
  readonly busy = $derived(this.list.filter((u) => u.state !== 'done' && u.state !== 'failed').length)

  add(files: Iterable<File>): void {
    for (const file of files)
      this.list.push({ id: nextId++, name: file.name, total: file.size, sent: 0, state: 'waiting', file })
    this.#next()
  }

  cancel(id: number): void {
    const upload = this.list.find((u) => u.id === id)
    upload?.request?.abort()
    this.list = this.list.filter((u) => u.id !== id)
    this.#next()
  }

  retry(id: number): void {
    const upload = this.list.find((u) => u.id === id)
    if (upload === undefined) return
    upload.state = 'waiting'
    upload.sent = 0
    this.#next()
  }

  clear(): void {
    this.list = this.list.filter((u) => u.state !== 'done' && u.state !== 'failed')
  }

  #next(): void {
    const running = this.list.filter((u) => u.state === 'sending' || u.state === 'storing').length
    for (const upload of this.list.filter((u) => u.state === 'waiting').slice(0, Math.max(0, atOnce - running))) this.#send(upload)
  }

  #send(upload: Upload): void {
    const request = new XMLHttpRequest()
    upload.request = request
    upload.state = 'sending'
    request.open('POST', '/api/v1/documents')
    request.setRequestHeader('X-Platen', 'web')
    request.responseType = 'json'
    request.upload.onprogress = (e) => (upload.sent = Math.min(e.loaded, upload.total))
    request.upload.onload = () => (upload.state = 'storing')
    request.onload = () => {
      const body = (request.response ?? {}) as Partial<Schemas['DocumentList'] & Schemas['Problem']>
      const document = body.documents?.[0]
      if (request.status === 201 && document !== undefined) this.#done(upload, document)
      else this.#failed(upload, new Problem(request.status, body))
    }
    request.onerror = () => this.#failed(upload, new Problem(0, { reason: 'offline', detail: 'The server does not answer.' }))
    const form = new FormData()
    form.append('file', upload.file, upload.name)
    request.send(form)
  }

  #done(upload: Upload, document: Schemas['Document']): void {
    upload.sent = upload.total
    upload.state = 'done'
    upload.document = document
    this.arrived++
    this.#next()
  }

  #failed(upload: Upload, problem: unknown): void {
    upload.state = 'failed'
    upload.problem = problem
    this.#next()
  }
}

let nextId = 1
export const uploads = new Uploads()
