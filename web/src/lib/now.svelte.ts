// The time, once a second, for everything that says "3 minutes ago": one timer for all of it, none while nobody looks.
import { createSubscriber } from 'svelte/reactivity'

let current = Date.now()
const subscribe = createSubscriber((update) => {
  const timer = setInterval(() => {
    if (document.visibilityState !== 'visible') return
    current = Date.now()
    update()
  }, 1000)
  return () => clearInterval(timer)
})

export function now(): number {
  subscribe()
  return current
}
