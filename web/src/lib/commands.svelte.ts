// What can be done from the keyboard: the palette lists it (Ctrl-K, Cmd-K), and `keys` does it at once.
//
//   command({ id: 'jobs.cancel', title: () => t('jobs.cancel'), keys: 'e', run: cancel })     // while the component is there
//
// keys: "e", "?" (not while typing), "g j" (one after the other), "mod+s" (Ctrl or Cmd; also while typing).
import { untrack } from 'svelte'

export type Command = { id: string; title: () => string; keys?: string; run: () => void }

class Commands {
  list = $state.raw<Command[]>([])
  isOpen = $state(false)
}
export const commands = new Commands()

export function command(c: Command): void {
  $effect(() => {
    untrack(() => (commands.list = [...commands.list, c]))
    return () => untrack(() => (commands.list = commands.list.filter((other) => other !== c)))
  })
}

const followMs = 900
let first: { key: string; at: number } | undefined

export function onKey(event: KeyboardEvent): void {
  const mod = event.ctrlKey || event.metaKey
  if (mod && event.key.toLowerCase() === 'k') {
    event.preventDefault()
    commands.isOpen = !commands.isOpen
    return
  }
  if (commands.isOpen || event.altKey || document.querySelector('dialog[open]') !== null) return
  if (!mod && isTyping(event)) return
  const found = find(mod ? `mod+${event.key.toLowerCase()}` : event.key, event.timeStamp)
  if (found === undefined) return
  event.preventDefault()
  found.run()
}

function find(key: string, at: number): Command | undefined {
  const sequence = first !== undefined && at - first.at < followMs ? `${first.key} ${key}` : undefined
  const match = (keys: string) => commands.list.findLast((c) => c.keys === keys)
  const found = (sequence === undefined ? undefined : match(sequence)) ?? match(key)
  first = found === undefined ? { key, at } : undefined
  return found
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0]
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}
