// Who uses this browser. A key is changed for a cookie that no script can read (POST /api/v1/session); nothing here keeps a key.
//
// A link of `platen serve` or `platen open` carries a key behind #, which no server sees: it is taken out of the address before
// anything else happens, and changed for a session.
import { api, must, Problem, whenRefused, type Schemas } from '$lib/api/client'
import { dropDrafts } from '$lib/draft'
import { stopLive } from '$lib/live.svelte'

export type Who = Schemas['Session']

class Session {
  who = $state.raw<Who | undefined>(undefined)
  away = $state(false) // the server did not answer; `who` is who it was the last time
  problem = $state.raw<unknown>(undefined) // why signing in by a link did not work
  justCame = $state(false) // signed in on this page, not remembered
  waitingKey = '' // of that link, for another attempt; gone with the page
}
export const session = new Session()

const whoKey = 'platen.who'
const channel = new BroadcastChannel('platen.session')

const ranks = ['viewer', 'runner', 'reviewer', 'editor', 'owner']
// May this person do what needs at least `role`?
export const may = (role: string) => ranks.indexOf(session.who?.role ?? '') >= ranks.indexOf(role)

export async function startSession(): Promise<void> {
  whenRefused(signedOut)
  channel.onmessage = () => location.reload() // another tab has signed in or out
  addEventListener('hashchange', () => void useLink().then((used) => used && location.reload()))
  addEventListener('online', () => void look())
  if (await useLink()) return
  // Who was here before sees the app while the server is asked; a session that is over leads back to the way in. Who was never
  // here has none to ask about.
  session.who = remembered()
  if (session.who !== undefined) void look()
}

// True: the address held a key, and it let in.
async function useLink(): Promise<boolean> {
  const key = takeKey()
  if (key === '') return false
  try {
    await signIn(key)
    return true
  } catch (problem) {
    session.problem = problem
    session.waitingKey = key
    return false
  }
}

// #key=pk_… of the address, and the address without it, in the history as well.
function takeKey(): string {
  const found = /^#key=([\w-]+)$/.exec(location.hash)
  if (found === null) return ''
  history.replaceState(history.state, '', location.pathname + location.search)
  return found[1]!
}

export async function look(): Promise<void> {
  try {
    known(await must(api.GET('/api/v1/session')))
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.status === 401) return
    // No answer: what was opened before can still be read.
    session.who = remembered()
    session.away = session.who !== undefined
    session.problem = session.who === undefined ? problem : undefined
  }
}

export async function signIn(key: string): Promise<void> {
  const before = remembered()
  const who = await must(api.POST('/api/v1/session', { body: { key } }))
  if (before !== undefined && (before.project.id !== who.project.id || before.key.id !== who.key.id)) await forget()
  session.waitingKey = ''
  session.justCame = true
  known(who)
  channel.postMessage('in')
}

export async function signOut(): Promise<void> {
  await must(api.DELETE('/api/v1/session'))
  await forget()
  signedOut()
  channel.postMessage('out')
}

function known(who: Who): void {
  session.who = who
  session.away = false
  session.problem = undefined
  localStorage.setItem(whoKey, JSON.stringify(who))
}

function signedOut(): void {
  session.who = undefined
  session.away = false
  stopLive()
  localStorage.removeItem(whoKey)
}

function remembered(): Who | undefined {
  try {
    return (JSON.parse(localStorage.getItem(whoKey) ?? 'null') as Who | null) ?? undefined
  } catch {
    return undefined
  }
}

// What belongs to one person does not stay for the next: answers kept for reading offline, drafts, the place in the feed.
async function forget(): Promise<void> {
  for (const key of Object.keys(localStorage)) if (key.startsWith('platen.')) localStorage.removeItem(key)
  dropDrafts()
  const names = 'caches' in window ? await caches.keys() : []
  await Promise.all(names.filter((name) => name.startsWith('platen.read')).map((name) => caches.delete(name)))
}
