// The files that go into a step: sent to the server as soon as they are chosen, so that they wait there when it starts.
import type { Schemas } from '$lib/api/client'
import { typeOf, upload, type Upload } from './upload'

export type Reference = { blob: string; name: string; type: string } | { document: string }

let next = 0

export class Given {
  readonly key = next++
  readonly name: string
  readonly type: string
  readonly bytes: number
  readonly local: Blob | undefined // the bytes, when they are here
  readonly url: string | undefined // where they can be read, when they are at the server
  state = $state<'sending' | 'ready' | 'failed'>('ready')
  sent = $state(0)
  problem = $state.raw<unknown>(undefined)
  reference: Reference | undefined
  private sending: Upload | undefined

  private constructor(name: string, type: string, bytes: number, local?: Blob, url?: string) {
    this.name = name
    this.type = type
    this.bytes = bytes
    this.local = local
    this.url = url
  }

  static file(file: Blob, name: string): Given {
    const given = new Given(name, typeOf(name, file.type), file.size, file)
    given.start()
    return given
  }

  static document(d: Schemas['Document']): Given {
    const given = new Given(d.name, typeOf(d.name, d.type), d.bytes, undefined, `/api/v1/documents/${d.id}/content`)
    given.reference = { document: d.id }
    return given
  }

  static output(f: Schemas['File'], url: string): Given {
    const given = new Given(f.name, typeOf(f.name, f.type), f.bytes, undefined, url)
    given.reference = { blob: f.blob, name: f.name, type: f.type }
    return given
  }

  start() {
    this.state = 'sending'
    this.sent = 0
    this.problem = undefined
    this.sending = upload(this.local!, this.name, (sent) => (this.sent = sent))
    this.sending.done.then(
      (stored) => {
        this.reference = { blob: stored.blob, name: this.name, type: this.type }
        this.state = 'ready'
      },
      (cause: unknown) => {
        this.problem = cause
        this.state = 'failed'
      },
    )
  }

  cancel() {
    this.sending?.cancel()
  }
}

export const references = (files: Given[]): Reference[] => files.flatMap((f) => (f.reference === undefined ? [] : [f.reference]))
export const allReady = (files: Given[]): boolean => files.every((f) => f.state === 'ready')
