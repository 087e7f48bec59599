// What a file is shown as: by its media type, or by its name where the type says nothing.
export type Kind =
  | 'markdown' | 'text' | 'json' | 'lines' | 'table' | 'picture' | 'pages' | 'sound' | 'video' | 'archive' | 'unknown'

// A file as the server names it. blob: the SHA-256 of its bytes, by which previews are made.
export type ViewFile = { url: string; name: string; type: string; bytes: number; blob?: string }

const byExtension: Record<string, Kind> = {}
const extensions: [Kind, string][] = [
  ['markdown', 'md markdown mdown'],
  ['json', 'json geojson webmanifest ipynb har'],
  ['lines', 'jsonl ndjson'],
  ['table', 'csv tsv tab'],
  ['text', 'txt log yaml yml toml ini conf xml srt vtt ass tex rst adoc sql c h cc cpp py js ts go rs java rb sh css html htm svelte diff patch'],
  ['picture', 'png jpg jpeg gif webp avif heic heif tif tiff bmp ico svg psd jxl jp2'],
  ['pages', 'pdf docx doc odt rtf pptx ppt odp xlsx xls ods epub fb2 mobi azw3 xps oxps cbz eml msg'],
  ['sound', 'mp3 wav flac ogg oga opus m4a aac wma aiff aif amr'],
  ['video', 'mp4 m4v mov webm mkv avi mpg mpeg wmv flv ts 3gp ogv'],
  ['archive', 'zip tar gz tgz bz2 tbz xz txz zst 7z rar cpio iso jar'],
]
for (const [kind, names] of extensions)
  for (const name of names.split(' ')) byExtension[name] ??= kind

const byType: [RegExp, Kind][] = [
  [/^text\/(x-)?markdown$/, 'markdown'],
  [/^text\/(csv|tab-separated-values)$/, 'table'],
  [/^application\/(x-ndjson|jsonl|json-lines|jsonlines|x-jsonlines)$/, 'lines'],
  [/^application\/json$|\+json$/, 'json'],
  [/^image\//, 'picture'],
  [/^audio\//, 'sound'],
  [/^video\//, 'video'],
  [/^application\/(pdf|msword|rtf|epub\+zip|vnd\.(openxmlformats|oasis|ms-(excel|powerpoint|word))|x-mobipocket|x-fictionbook|oxps|vnd\.ms-xpsdocument)/, 'pages'],
  [/^message\/rfc822$/, 'pages'],
  [/^application\/(zip|x-tar|gzip|x-gzip|x-bzip2|x-xz|zstd|x-7z-compressed|vnd\.rar|x-rar(-compressed)?|x-cpio|x-iso9660-image)$/, 'archive'],
  [/^application\/(yaml|x-yaml|toml|xml|javascript|sql|x-subrip)$|\+xml$/, 'text'],
]

export const extension = (name: string) => (/\.([a-z0-9]+)$/i.exec(name)?.[1] ?? '').toLowerCase()

export function kindOf(name: string, type: string): Kind {
  const media = (type.split(';')[0] ?? '').trim().toLowerCase()
  const named = byExtension[extension(name)]
  // text/plain is what a browser says of many texts: the name knows more.
  if (media === 'text/plain') return named === 'markdown' || named === 'table' || named === 'json' || named === 'lines' ? named : 'text'
  for (const [test, kind] of byType) if (test.test(media)) return kind
  if (media.startsWith('text/')) return 'text'
  return named ?? 'unknown'
}

// Formats that every browser draws by itself; the others come as a preview from the server.
export const drawnByBrowser = (file: ViewFile) =>
  /^image\/(png|jpeg|gif|webp|avif)$/.test(file.type) || (!/^image\//.test(file.type) && /^(png|jpe?g|gif|webp|avif)$/.test(extension(file.name)))

export type PreviewKind = 'picture' | 'text' | 'info' | 'wave' | 'entries'

// The address of what the server makes of a file (GET /api/v1/blobs/{hash}/preview); '' when its blob is not known.
// quiet: where there is none, the answer is empty and not a failure.
export function previewUrl(file: ViewFile, kind: PreviewKind, page = 1, width = 1200, quiet = false): string {
  if (file.blob === undefined || file.blob === '') return ''
  const query = new URLSearchParams({ kind, name: file.name })
  if (kind === 'picture') query.set('width', String(width))
  if (page > 1) query.set('page', String(page))
  if (quiet) query.set('quiet', 'true')
  return `/api/v1/blobs/${file.blob}/preview?${query}`
}
