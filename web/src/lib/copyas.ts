// A run as something to paste elsewhere: curl, the command line, Python, TypeScript, a pipeline. Each does what the form did: the same
// parameters (those that are not their defaults), the same files by name, the same result. The key is $PLATEN_KEY and secrets are
// variables of the environment, never their values. tests/e2e/test_copyas.py runs every one of them.
import type { Json } from './form/param'

export type CopyFile = { name: string; type: string }
export type CopyRun = {
  server: string // http://host:port
  params: Record<string, Json>
  secrets: string[] // parameters whose value comes from the environment
  options?: Record<string, Json> // of the job: priority, timeout_ms …
} & (
  | { step: string; accepts?: string; returns?: string; many: boolean; files: CopyFile[] } // as its contract says
  | { pipeline: string; files: Record<string, CopyFile[]> }
)
export type Language = 'curl' | 'cli' | 'python' | 'typescript' | 'yaml'
export const languages: Language[] = ['curl', 'cli', 'python', 'typescript', 'yaml']

// undefined: it cannot be said there (a list whose items have commas is no flag; a pipeline's run is no pipeline).
export function copyAs(language: Language, run: CopyRun): string | undefined {
  return { curl, cli, python, typescript, yaml }[language](run)
}

// An uploaded file's folder is not known, and a name is not to be taken for an option or standard input.
const path = (file: CopyFile) => (/^(-|@)/.test(file.name) ? `./${file.name}` : file.name)
const typeOf = (file: CopyFile) => (/^[\w.+-]+\/[\w.+-]+$/.test(file.type) ? file.type : 'application/octet-stream')
export const variable = (secret: string) => secret.toUpperCase().replace(/\W/g, '_')
const address = (run: CopyRun) => ('step' in run ? `/api/v1/steps/${run.step}` : `/api/v1/pipelines/${run.pipeline}/run`)
const allFiles = (run: CopyRun): { field: string; file: CopyFile }[] =>
  'step' in run
    ? run.files.map((file) => ({ field: 'file', file }))
    : Object.entries(run.files).flatMap(([field, files]) => files.map((file) => ({ field, file })))

// A form field or a flag is a text; a list of them is parted at commas.
const partable = (value: Json) =>
  !Array.isArray(value) || value.every((v) => typeof v !== 'string' || (v !== '' && v === v.trim() && !/[,\n]/.test(v)))
const isList = (value: Json): value is string[] => Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === 'string')
const asField = (value: Json) => (typeof value === 'string' ? value : isList(value) ? value.join() : JSON.stringify(value))
// A text that is a JSON parameter's value has to be written as JSON: only the contract knows, so the form says it (jsonParams).
export type Typed = CopyRun & { jsonParams?: string[] }
const fieldOf = (run: Typed, name: string, value: Json) =>
  run.jsonParams?.includes(name) === true ? JSON.stringify(value) : asField(value)
const asFields = (run: Typed) =>
  Object.entries(run.params).every(([name, value]) => run.jsonParams?.includes(name) === true || (partable(value) && !isEmptyList(value)))
const isEmptyList = (value: Json) => Array.isArray(value) && value.length === 0

// Shell

export function shell(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
const lines = (parts: string[]) => parts.join(' \\\n  ')
const authorization = '-H "Authorization: Bearer $PLATEN_KEY"'
// curl reads the name of a file between quotes with backslashes; what is sent as the name is the last part of it.
const curlFile = (field: string, file: CopyFile) =>
  shell(`${field}=@"${path(file).replace(/[\\"]/g, '\\$&')}";type=${typeOf(file)}`)

function curl(run: Typed): string | undefined {
  const url = `${run.server}${address(run)}?wait=60`
  const files = allFiles(run)
  if (files.length === 0 && run.secrets.length === 0)
    return lines([
      `curl ${authorization}`, `-H 'Content-Type: application/json'`, `--data-binary ${shell(json(body(run, [])))}`, shell(url),
    ])
  if (asFields(run))
    return lines([
      `curl ${authorization}`,
      ...files.map(({ field, file }) => `-F ${curlFile(field, file)}`),
      ...Object.entries({ ...run.params, ...run.options }).map(([name, value]) => `--form-string ${shell(`${name}=${fieldOf(run, name, value)}`)}`),
      ...run.secrets.map((name) => `--form-string "${name}=$${variable(name)}"`),
      shell(url),
    ])
  if (run.secrets.length > 0) return undefined
  // What no form field can say goes as JSON, and the files before it: a file is named by the SHA-256 of its bytes.
  const uploads = files.map(({ file }) =>
    lines([`curl -sf -o /dev/null ${authorization}`, `-F ${curlFile('file', file)}`, shell(`${run.server}/api/v1/blobs`)]))
  const hash = (file: CopyFile) => `'"$(openssl dgst -sha256 -r < ${shell(path(file))} | cut -d' ' -f1)"'`
  const marks = files.map((_, at) => `@blob-${at}@`)
  let text = shell(json(body(run, marks)))
  files.forEach(({ file }, at) => (text = text.replace(marks[at]!, () => hash(file))))
  return [...uploads, lines([`curl ${authorization}`, `-H 'Content-Type: application/json'`, `--data-binary ${text}`, shell(url)])].join(' &&\n')
}

// Of the options of a job the command line has these.
const flagged = new Set(['priority', 'no_memo', 'version'])

function cli(run: Typed): string | undefined {
  const options = Object.entries(run.options ?? {})
  if (!asFields(run) || !options.every(([name]) => 'pipeline' in run && flagged.has(name))) return undefined
  const words = [...Object.entries(run.params), ...options].map(([name, value]) =>
    value === true && run.jsonParams?.includes(name) !== true ? flag(name) : shell(`${flag(name)}=${fieldOf(run, name, value)}`))
  words.push(...run.secrets.map((name) => `${flag(name)}="$${variable(name)}"`))
  const server = `--server ${shell(run.server)}`
  if ('step' in run) {
    const results = run.returns === undefined ? [] : ['--output results']
    return lines([['platen run', run.step, ...run.files.map((f) => shell(path(f)))].join(' '), ...words, ...results, server])
  }
  const files = allFiles(run).map(({ field, file }) => `${flag(field)} ${shell(path(file))}`)
  return lines([`platen flow run ${run.pipeline}`, ...files, ...words, server, '--follow'])
}
const flag = (name: string) => `--${name.replaceAll('_', '-')}`

// JSON is also a literal of Python (but for three words), JavaScript and YAML. What some of them do not take raw is escaped.
const escaped = (text: string) =>
  text.replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
const json = (value: unknown) => escaped(JSON.stringify(value))

function body(run: CopyRun, blobs: string[]): object {
  let at = 0
  const reference = (file: CopyFile) => ({ blob: blobs[at++], name: file.name, type: typeOf(file) })
  if ('step' in run)
    return { params: run.params, ...(run.files.length === 0 ? {} : { inputs: run.files.map(reference) }), ...run.options }
  return { ...run.options, inputs: { ...run.params, ...Object.fromEntries(Object.entries(run.files).map(([name, files]) => [name, files.map(reference)])) } }
}

// Values as literals of a language, indented as people would.

type Words = { none: string; yes: string; no: string; key: (name: string) => string }
const pythonWords: Words = { none: 'None', yes: 'True', no: 'False', key: json }
const scriptWords: Words = { none: 'null', yes: 'true', no: 'false', key: (name) => (/^[a-z_$][\w$]*$/i.test(name) ? name : json(name)) }

class Raw {
  readonly code: string
  constructor(code: string) {
    this.code = code
  }
}
type Literal = Json | Raw | Literal[] | { [name: string]: Literal }

function literal(value: Literal, words: Words, indent: string, step: string): string {
  if (value instanceof Raw) return value.code
  if (value === null) return words.none
  if (typeof value === 'boolean') return value ? words.yes : words.no
  if (typeof value !== 'object') return json(value)
  const inner = indent + step
  const [open, close, parts] = Array.isArray(value)
    ? ['[', ']', value.map((v) => literal(v, words, inner, step))]
    : ['{', '}', Object.entries(value).map(([name, v]) => `${words.key(name)}: ${literal(v, words, inner, step)}`)]
  if (parts.length === 0) return open + close
  const flat = open + parts.join(', ') + close
  return flat.length <= 72 && !flat.includes('\n') ? flat : `${open}\n${parts.map((p) => `${inner}${p},\n`).join('')}${indent}${close}`
}

function request(run: CopyRun, upload: (file: CopyFile) => string, secret: (name: string) => string): Literal {
  const values = { ...run.params, ...Object.fromEntries(run.secrets.map((name) => [name, new Raw(secret(name))])) } as Literal
  const raw = (file: CopyFile) => new Raw(upload(file))
  if ('step' in run) return { params: values, ...(run.files.length === 0 ? {} : { inputs: run.files.map(raw) }), ...run.options }
  return { ...run.options, inputs: { ...(values as object), ...Object.fromEntries(Object.entries(run.files).map(([name, files]) => [name, files.map(raw)])) } }
}

function python(run: Typed): string {
  const upload = (file: CopyFile) => `upload(${json(path(file))}, ${json(typeOf(file))})`
  const what = literal(request(run, upload, (name) => `os.environ[${json(variable(name))}]`), pythonWords, '', '    ')
  const hasFiles = allFiles(run).length > 0
  return `import json, os, urllib.request

server = ${json(run.server)}


def call(path, body=None, media_type="application/json"):
    request = urllib.request.Request(server + path, body, {
        "Authorization": "Bearer " + os.environ["PLATEN_KEY"], "Content-Type": media_type})
    return urllib.request.urlopen(request)

${hasFiles ? `
def upload(path, media_type):
    with open(path, "rb") as file:
        blob = json.load(call("/api/v1/blobs", file.read(), "application/octet-stream"))["blob"]
    return {"blob": blob, "name": os.path.basename(path), "type": media_type}

` : ''}
job = json.load(call(${json(`${address(run)}?wait=60`)}, json.dumps(${what}).encode()))
while job["state"] in ("queued", "running"):
    job = json.load(call("/api/v1/jobs/" + job["id"] + "?wait=60"))
if job["state"] != "done":
    raise SystemExit(f"{job.get('reason', job['state'])}: {job.get('detail', '')}")

print(json.dumps(job["data"], indent=2, ensure_ascii=False))
for index, output in enumerate(job["outputs"]):
    os.makedirs("results", exist_ok=True)
    with open(os.path.join("results", os.path.basename(output["name"])), "wb") as file:
        file.write(call(f"/api/v1/jobs/{job['id']}/outputs/{index}").read())
`
}

function typescript(run: Typed): string {
  const upload = (file: CopyFile) => `await upload(${json(path(file))}, ${json(typeOf(file))})`
  const what = literal(request(run, upload, (name) => `process.env[${json(variable(name))}]`), scriptWords, '', '  ')
  const hasFiles = allFiles(run).length > 0
  return `import { mkdir, ${hasFiles ? 'readFile, ' : ''}writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

const server = ${json(run.server)}

async function call(path: string, body?: BodyInit, type = 'application/json'): Promise<Response> {
  const headers = { Authorization: \`Bearer \${process.env['PLATEN_KEY']}\`, 'Content-Type': type }
  const answer = await fetch(server + path, { method: body === undefined ? 'GET' : 'POST', headers, body })
  if (!answer.ok) throw new Error(await answer.text())
  return answer
}
${hasFiles ? `
async function upload(path: string, type: string) {
  const { blob } = (await (await call('/api/v1/blobs', await readFile(path), 'application/octet-stream')).json()) as { blob: string }
  return { blob, name: basename(path), type }
}
` : ''}
type Job = { id: string; state: string; reason?: string; detail?: string; data: unknown; outputs: { name: string }[] }

let job = (await (await call(${json(`${address(run)}?wait=60`)}, JSON.stringify(${what}))).json()) as Job
while (job.state === 'queued' || job.state === 'running') {
  job = (await (await call(\`/api/v1/jobs/\${job.id}?wait=60\`)).json()) as Job
}
if (job.state !== 'done') throw new Error(\`\${job.reason ?? job.state}: \${job.detail ?? ''}\`)

console.log(JSON.stringify(job.data, null, 2))
for (const [index, output] of job.outputs.entries()) {
  await mkdir('results', { recursive: true })
  const file = await call(\`/api/v1/jobs/\${job.id}/outputs/\${index}\`)
  await writeFile(join('results', basename(output.name)), Buffer.from(await file.arrayBuffer()))
}
`
}

// A pipeline of the one step.

function yaml(run: Typed): string | undefined {
  if (!('step' in run)) return undefined // it is one
  const id = run.step.split('.').at(-1)!.replace(/[^a-z0-9_-]/gi, '-')
  const files = run.files.length > 0
  const one = files && !run.many
  const values = { ...run.params, ...Object.fromEntries(run.secrets.map((name) => [name, `\${{ secrets.${variable(name)} }}`])) }
  const given = Object.entries(values).map(([name, value]) =>
    `      ${name}: ${run.secrets.includes(name) ? json(value) : inYaml(value)}`)
  const input = one ? '      file: "${{ inputs.file }}"' : '      inputs: "${{ inputs.files }}"'
  return [
    `name: ${run.step.replace(/[^a-z0-9]+/gi, '-')}`,
    ...(run.secrets.length > 0 ? [`secrets: [${run.secrets.map(variable).join(', ')}]`] : []),
    ...(files ? ['inputs:', `  ${one ? 'file: {type: file' : 'files: {type: files'}, required: true${accepts(run.accepts)}}`] : []),
    'steps:',
    `  ${id}:`,
    `    uses: ${run.step}`,
    ...(files || given.length > 0 ? ['    with:', ...(files ? [input] : []), ...given] : []),
    '',
  ].join('\n')
}
const accepts = (types: string | undefined) => (types === undefined || types.includes('*/*') ? '' : `, accepts: ${json(types)}`)

// "${{" begins an expression: in a value it is written "$${{".
function inYaml(value: Json): string {
  const plain = (v: Json): Json =>
    typeof v === 'string' ? v.replaceAll('${{', () => '$${{')
    : Array.isArray(v) ? v.map(plain)
    : typeof v === 'object' && v !== null ? Object.fromEntries(Object.entries(v).map(([k, of]) => [k, plain(of)]))
    : v
  const written = plain(value)
  return typeof written === 'string' && /^[a-z][a-z0-9_-]*$/i.test(written) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(written)
    ? written
    : json(written)
}
