// Where the person is: the address is the only state that survives a reload, so filters, tabs and selections live in it.
//
//   here.path, here.query.get('state')        // reactive
//   go('/jobs?state=failed')                  // a new entry in the history
//   setQuery({ state: 'failed', q: null })    // the same page, other filters: replaces the entry
import { tick } from 'svelte'

class Here {
  path = $state(location.pathname)
  query = $state.raw(new URLSearchParams(location.search))
  hash = $state(location.hash)

  read() {
    this.path = location.pathname
    this.query = new URLSearchParams(location.search)
    this.hash = location.hash
  }
}

export const here = new Here()

// Where each entry of the history was scrolled to: coming back finds the place again.
const places = new Map<string, number>()
const placeKey = () => String((history.state as { key?: number } | null)?.key ?? 0)
let nextKey = Date.now()

export function go(to: string): void {
  places.set(placeKey(), window.scrollY)
  history.pushState({ key: nextKey++ }, '', to)
  here.read()
  window.scrollTo(0, 0)
}

// The page may still be on its way: it is as long as before only when it is there.
const restoreFrames = 60
function restore(top: number, frames: number): void {
  window.scrollTo(0, top)
  if (window.scrollY < top - 1 && frames > 0) requestAnimationFrame(() => restore(top, frames - 1))
}

export function setQuery(changes: Record<string, string | null>): void {
  const query = new URLSearchParams(here.query)
  for (const [name, value] of Object.entries(changes))
    if (value === null || value === '') query.delete(name)
    else query.set(name, value)
  const text = query.toString()
  history.replaceState(history.state, '', here.path + (text === '' ? '' : `?${text}`) + here.hash)
  here.read()
}

export function startRouter(): void {
  history.scrollRestoration = 'manual'
  window.addEventListener('popstate', async () => {
    here.read()
    await tick()
    const top = places.get(placeKey()) ?? 0
    requestAnimationFrame(() => restore(top, restoreFrames))
  })
  window.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || event.defaultPrevented) return
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    if (link.origin !== location.origin || link.target !== '' || link.hasAttribute('download')) return
    if (/^\/(api|docs|health|metrics|openapi)/.test(link.pathname)) return
    event.preventDefault()
    go(link.pathname + link.search + link.hash)
  })
}
