// Sending a file with progress that is true: bytes that left this machine, then the wait until they are on the server's disk.
// XMLHttpRequest, because fetch does not say how much of a body has been sent.
import { Problem, type Schemas } from '$lib/api/client'

export type Upload = { done: Promise<Schemas['Blob']>; cancel: () => void }

export function upload(file: Blob, name: string, progress: (sent: number, total: number) => void): Upload {
  const request = new XMLHttpRequest()
  const done = new Promise<Schemas['Blob']>((resolve, reject) => {
    request.open('POST', '/api/v1/blobs')
    request.setRequestHeader('X-Platen', 'web')
    request.responseType = 'json'
    request.upload.onprogress = (e) => progress(Math.min(e.loaded, file.size), file.size)
    request.onload = () => {
      const body = (request.response ?? {}) as object
      if (request.status >= 200 && request.status < 300) resolve(body as Schemas['Blob'])
      else reject(new Problem(request.status, body))
    }
    request.onerror = () => reject(new Problem(0, { reason: 'offline', detail: 'The server does not answer.' }))
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'))
    const form = new FormData()
    form.append('file', file, name)
    request.send(form)
  })
  return { done, cancel: () => request.abort() }
}

// Media types, as a step's contract names them.

const endings: Record<string, string> = {
  md: 'text/markdown', markdown: 'text/markdown', txt: 'text/plain', csv: 'text/csv', tsv: 'text/tab-separated-values',
  json: 'application/json', jsonl: 'application/x-ndjson', ndjson: 'application/x-ndjson', yaml: 'application/yaml', yml: 'application/yaml',
  xml: 'application/xml', html: 'text/html', htm: 'text/html', rtf: 'application/rtf', srt: 'application/x-subrip', vtt: 'text/vtt',
  eml: 'message/rfc822', msg: 'application/vnd.ms-outlook', epub: 'application/epub+zip', pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  odt: 'application/vnd.oasis.opendocument.text', ods: 'application/vnd.oasis.opendocument.spreadsheet',
  odp: 'application/vnd.oasis.opendocument.presentation', doc: 'application/msword', xls: 'application/vnd.ms-excel',
  ppt: 'application/vnd.ms-powerpoint', zip: 'application/zip', tar: 'application/x-tar', gz: 'application/gzip', '7z': 'application/x-7z-compressed',
  heic: 'image/heic', avif: 'image/avif', jxl: 'image/jxl', mkv: 'video/x-matroska', opus: 'audio/ogg', flac: 'audio/flac',
}

export function typeOf(name: string, said = ''): string {
  return said !== '' ? said.split(';')[0]!.trim() : (endings[name.split('.').at(-1)!.toLowerCase()] ?? '')
}

// A type that nobody knows, or bytes of any kind, are for the step to judge.
export function accepted(accepts: string | undefined, type: string): boolean {
  if (type === '' || type === 'application/octet-stream') return true
  return (accepts ?? '').split(',').map((a) => a.trim()).some((a) => {
    if (a === '' || a === '*/*' || a === 'application/octet-stream') return true
    return a.endsWith('/*') ? type.startsWith(a.slice(0, -1)) : a === type
  })
}

// What a step takes, in a few words: "PDF, images".
export function kinds(accepts: string | undefined): { families: string[]; types: string[] } {
  const all = (accepts ?? '').split(',').map((a) => a.trim()).filter((a) => a !== '' && a !== 'application/octet-stream')
  if (all.includes('*/*')) return { families: ['*'], types: [] }
  const families = [...new Set(all.filter((a) => a.endsWith('/*')).map((a) => a.slice(0, -2)))]
  const names = all.filter((a) => !a.endsWith('/*') && !families.includes(a.split('/')[0]!)).map(short)
  return { families, types: [...new Set(names.filter((n) => n !== ''))] }
}

const named = new Map(Object.entries(endings).map(([ending, type]) => [type, ending.toUpperCase()]).reverse() as [string, string][])
function short(type: string): string {
  const known = named.get(type)
  if (known !== undefined) return known
  const tail = type.split('/')[1]!
  return /^(vnd|x-|prs)/.test(tail) ? '' : tail.toUpperCase()
}
