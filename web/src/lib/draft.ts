// What somebody has typed and not yet stored stays on this device, in localStorage under "AREA.draft.NAME" (the editor of pipelines keeps
// its own: pages/pipelines/store.ts). It belongs to who typed it: signing out, and somebody else signing in, take it away.
export const drafts = (): string[] => Object.keys(localStorage).filter((key) => key.includes('.draft.'))

export function dropDrafts(): void {
  for (const key of drafts()) localStorage.removeItem(key)
}

// A device without room keeps none: the page still has the text.
export function keepText(key: string, text: string): void {
  try {
    localStorage.setItem(key, text)
  } catch {
    localStorage.removeItem(key)
  }
}
