// A real server of the build under test (PLATEN_BUILD, else build/), with its data in a temporary folder.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
export const build = resolve(process.env['PLATEN_BUILD'] ?? join(root, 'build'))
export const sample = (name: string) => join(root, 'samples', name)

const program = join(build, 'platen')
export const sanitized = existsSync(program) && readFileSync(program).includes('__asan_init')
export const slow = sanitized ? 4 : 1 // deadlines are that many times longer under sanitizers

// What a test says to the server without a browser: JSON in, JSON out.
export class Client {
  constructor(readonly url: string, readonly key: string) {}

  async call<T = any>(method: string, path: string, body?: unknown): Promise<T> {
    const raw = body instanceof FormData || typeof body === 'string'
    const answer = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${this.key}`, ...(body === undefined || raw ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: raw ? (body as BodyInit) : JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`)
    return (answer.headers.get('Content-Type')?.includes('json') ? JSON.parse(text) : text) as T
  }

  // Run a step to its end, whatever became of it. files: names in samples/, or paths.
  async run(step: string, params: Record<string, unknown> = {}, files: string[] = []): Promise<any> {
    const form = new FormData()
    for (const [name, value] of Object.entries(params)) form.append(name, typeof value === 'string' ? value : JSON.stringify(value))
    for (const file of files) form.append('file', fileOf(file))
    const job = files.length === 0
      ? await this.call('POST', `/api/v1/steps/${step}`, { params, wait: 60 })
      : await this.call('POST', `/api/v1/steps/${step}?wait=60`, form)
    return this.ended(job.id)
  }

  async ended(id: string): Promise<any> {
    for (;;) {
      const job = await this.call('GET', `/api/v1/jobs/${id}?wait=20`)
      if (['done', 'failed', 'canceled'].includes(job.state)) return job
    }
  }

  // Store a document.
  async keep(file: string): Promise<any> {
    const form = new FormData()
    form.append('file', fileOf(file))
    return this.call('POST', '/api/v1/documents', form)
  }
}

// As a browser sends it: with the type that goes with the name.
const types: Record<string, string> = {
  csv: 'text/csv', docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', eml: 'message/rfc822', jpg: 'image/jpeg',
  md: 'text/markdown', mp4: 'video/mp4', pdf: 'application/pdf', png: 'image/png', txt: 'text/plain',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}

export function fileOf(file: string): File {
  const path = existsSync(file) ? file : sample(file)
  return new File([readFileSync(path)], basename(path), { type: types[extname(path).slice(1)] ?? '' })
}

export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), 'platen-web-'))
  url = ''
  key = ''
  private process: ChildProcess | undefined
  private ended: Promise<number | null> | undefined

  static async start(...args: string[]): Promise<Server> {
    const server = new Server()
    await server.open(args)
    return server
  }

  private async open(args: string[]): Promise<void> {
    if (!existsSync(program)) throw new Error(`there is no ${program}; \`make build\` first, or set PLATEN_BUILD`)
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PLATEN_')))
    const child = spawn(program, ['serve', '--data', join(this.folder, 'data'), '--listen', '127.0.0.1:0', '--log-level', 'warn', ...args], {
      stdio: ['ignore', 'pipe', openSync(join(this.folder, 'log'), 'a')],
      env: { ASAN_OPTIONS: 'detect_stack_use_after_return=0', ...env },
    })
    this.process = child
    process.once('exit', () => child.kill('SIGKILL'))
    this.ended = new Promise((done) => child.on('exit', (status) => done(status)))
    const key = await new Promise<string>((found, failed) => {
      let text = ''
      child.stdout!.on('data', (bytes: Buffer) => {
        text += bytes.toString()
        const shown = /owner key\s+(?:\x1b\[\d+m)*(pk_[\w-]{43})/.exec(text)
        if (shown) found(shown[1]!)
      })
      void this.ended!.then((status) => failed(new Error(`the server ended with ${status}: ${this.log()}`)))
    })
    this.key = key
    this.url = JSON.parse(readFileSync(join(this.folder, 'data/server.json'), 'utf8')).url
  }

  get client(): Client {
    return new Client(this.url, this.key)
  }

  log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8')
  }

  // SIGTERM, and what the log says: an error of its own or a sanitizer's report fails.
  async stop(): Promise<void> {
    this.process?.kill('SIGTERM')
    const status = await this.ended
    const log = this.log()
    rmSync(this.folder, { recursive: true, force: true })
    if (status !== 0) throw new Error(`the server ended with ${status}: ${log.slice(-3000)}`)
    const bad = /ERROR: \w+Sanitizer|runtime error:|"level":"error"/.exec(log)
    if (bad) throw new Error(`in the server's log: ${log.slice(Math.max(0, bad.index - 500), bad.index + 3000)}`)
  }

  kill(): void {
    this.process?.kill('SIGKILL')
  }
}
