// A text on its way from a file to the editor.
let text: string | undefined

export function carry(next: string): void {
  text = next
}
export function carried(): string | undefined {
  const found = text
  text = undefined
  return found
}
