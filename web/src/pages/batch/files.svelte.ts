// The files of a batch on their way to the server: a few at a time, folders with all below them. What was sent is not sent again.
import { upload } from '$lib/form/upload'

const atOnce = 4

export class Sent {
  readonly file: File
  readonly name: string
  state = $state<'waiting' | 'sending' | 'sent' | 'failed'>('waiting')
  bytes = $state(0)
  problem = $state.raw<unknown>(undefined)
  blob = ''
  type = ''

  constructor(file: File, name: string) {
    this.file = file
    this.name = name
  }
}

export class Sending {
  list = $state.raw<Sent[]>([])
  sent = $state(0)
  failed = $state(0)
  bytes = $state(0) // on the server's disk
  busy = $state(false)
  private running = 0
  private next = 0
  private stops = new Set<() => void>()

  add(files: { file: File; name: string }[]): void {
    this.list = [...this.list, ...files.map(({ file, name }) => new Sent(file, name))]
    this.go()
  }

  remove(one: Sent): void {
    if (one.state === 'sent') {
      this.sent -= 1
      this.bytes -= one.file.size
    }
    if (one.state === 'failed') this.failed -= 1
    const at = this.list.indexOf(one)
    if (at < this.next) this.next -= 1
    this.list = this.list.filter((other) => other !== one)
  }

  again(): void {
    for (const one of this.list) if (one.state === 'failed') one.state = 'waiting'
    this.failed = 0
    this.next = 0
    this.go()
  }

  clear(): void {
    for (const stop of this.stops) stop()
    this.list = []
    this.sent = this.failed = this.bytes = this.next = 0
  }

  private go(): void {
    while (this.running < atOnce && this.next < this.list.length) {
      const one = this.list[this.next++]!
      if (one.state === 'waiting') void this.send(one)
    }
    this.busy = this.running > 0
  }

  private async send(one: Sent): Promise<void> {
    this.running += 1
    one.state = 'sending'
    const sending = upload(one.file, one.name, (sent) => (one.bytes = sent))
    this.stops.add(sending.cancel)
    try {
      const blob = await sending.done
      one.blob = blob.blob
      one.type = blob.type
      one.state = 'sent'
      if (this.list.includes(one)) {
        this.sent += 1
        this.bytes += one.file.size
      }
    } catch (cause) {
      one.problem = cause
      one.state = 'failed'
      if (this.list.includes(one)) this.failed += 1
    }
    this.stops.delete(sending.cancel)
    this.running -= 1
    this.go()
  }
}

// What was dropped: files, and folders with all that is below them. Hidden files stay out.
export async function dropped(data: DataTransfer): Promise<{ file: File; name: string }[]> {
  // All at once: after the first wait the browser has forgotten what was dropped.
  const items = [...data.items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }))
  const out: { file: File; name: string }[] = []
  for (const { entry, file } of items)
    if (entry !== null) await walk(entry, '', out)
    else if (file !== null) out.push({ file, name: file.name })
  return out
}

async function walk(entry: FileSystemEntry, folder: string, out: { file: File; name: string }[]): Promise<void> {
  if (entry.name.startsWith('.')) return
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    out.push({ file, name: folder + entry.name })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return
    for (const one of some) await walk(one, `${folder}${entry.name}/`, out)
  }
}

// What was picked: a folder's files come with their path.
export function picked(files: Iterable<File>): { file: File; name: string }[] {
  return [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name })).filter(({ name }) => !/(^|\/)\./.test(name))
}
