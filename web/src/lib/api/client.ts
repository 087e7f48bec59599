// The server, typed by its own OpenAPI document: a field that changes there does not compile here.
//
//   const page = await must(api.GET('/api/v1/jobs', { params: { query: { state: 'failed' } } }))
//
// `must` gives the answer's body or throws the problem (RFC 9457). The session is a cookie, so nothing here holds a key;
// X-Platen tells the server that the request comes from this page and not from another site's form.
import createClient from 'openapi-fetch'
import type { components, paths } from './schema'

export type Schemas = components['schemas']

export const api = createClient<paths>({ baseUrl: '', headers: { 'X-Platen': 'web' } })

// What the server says when it cannot: reason and remedy included.
export class Problem extends Error {
  readonly status: number
  readonly reason: string
  readonly hint: string
  readonly trace: string
  readonly faults: { param: string; detail: string; line?: number }[] // line: of a pipeline's text

  constructor(status: number, body: Partial<Schemas['Problem']>) {
    super(body.detail ?? body.title ?? `HTTP ${status}`)
    this.status = status
    this.reason = body.reason ?? 'unknown'
    this.hint = body.hint ?? ''
    this.trace = body.trace ?? ''
    this.faults = (body.errors ?? []).map((e) => ({ param: e.param ?? '', detail: e.detail, ...(e.line === undefined ? {} : { line: e.line }) }))
  }
}

type Answer<T> = { data?: T; error?: unknown; response: Response }

export async function must<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await call
  } catch (cause) {
    throw offline(cause)
  }
  if (!answer.response.ok) throw problem(answer.response.status, answer.error)
  return answer.data as T
}

// For requests that the document describes once per step, and for uploads: the same session, the same problems.
export async function request(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {},
  signal?: AbortSignal): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, { method, headers: { 'X-Platen': 'web', ...headers }, ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }) })
  } catch (cause) {
    throw offline(cause)
  }
  if (!response.ok) throw problem(response.status, await response.json().catch(() => undefined))
  return response
}

function offline(cause: unknown): Problem {
  if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
  return new Problem(0, { reason: 'offline', detail: 'The server does not answer.' })
}

// Called when the server does not know who asks: the session is over (session.svelte.ts).
let refused = () => {}
export const whenRefused = (fn: () => void) => void (refused = fn)

function problem(status: number, body: unknown): Problem {
  if (status === 401) refused()
  return new Problem(status, (typeof body === 'object' && body !== null ? body : {}) as Partial<Schemas['Problem']>)
}
