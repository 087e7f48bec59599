// A file of the list: where its bytes are, what it is called in requests, where it is looked at.
import type { Schemas } from '$lib/api/client'
import { kindOf, previewUrl, type ViewFile } from '$lib/view/kind'

export type AnyFile = Schemas['FileList']['files'][number]
export type Input = { document: string } | { blob: string; name: string }

export const keyOf = (f: AnyFile) => f.document ?? `${f.job}.${f.index}`
export const urlOf = (f: AnyFile) =>
  f.document !== undefined ? `/api/v1/documents/${f.document}/content` : `/api/v1/jobs/${f.job}/outputs/${f.index}`
export const inputOf = (f: AnyFile): Input => (f.document !== undefined ? { document: f.document } : { blob: f.blob, name: f.name })
export const viewOf = (f: AnyFile): ViewFile => ({ url: urlOf(f), name: f.name, type: f.type, bytes: f.bytes, blob: f.blob })

// Where the file has a page of its own. An output is known by its bytes; the rest of the address says where it came from.
export function hrefOf(f: AnyFile): string {
  if (f.document !== undefined) return `/files/${f.document}`
  return hrefOfBytes(f.blob, f.name, f.type, f.bytes, f.job, f.index)
}

export function hrefOfBytes(blob: string, name: string, type: string, bytes: number, job?: string, index?: number): string {
  const query = new URLSearchParams({ name, type, bytes: String(bytes) })
  if (job !== undefined && index !== undefined) {
    query.set('job', job)
    query.set('index', String(index))
  }
  return `/files/${blob}?${query}`
}

// The file that such an address names.
export function fileOfAddress(blob: string, query: URLSearchParams): AnyFile {
  const job = query.get('job')
  return {
    from: 'job',
    name: query.get('name') ?? blob.slice(0, 12),
    type: query.get('type') ?? '',
    bytes: Number(query.get('bytes') ?? 0),
    blob,
    created: '',
    ...(job === null ? {} : { job, index: Number(query.get('index') ?? 0) }),
  }
}

// A small picture beside the name, for what looks like something.
export function thumbnailOf(f: AnyFile): string {
  const kind = kindOf(f.name, f.type)
  return f.bytes > 0 && f.bytes < 200_000_000 && (kind === 'picture' || kind === 'video' || /^application\/pdf/.test(f.type))
    ? previewUrl(viewOf(f), 'picture', 1, 160, true)
    : ''
}

export const isText = (name: string, type: string) => ['markdown', 'text', 'json', 'table', 'lines'].includes(kindOf(name, type))

// "tax, draft " as tags: each once, none empty.
export function readTags(text: string): string[] {
  return [...new Set(text.split(',').map((tag) => tag.trim()).filter((tag) => tag !== ''))].sort()
}
