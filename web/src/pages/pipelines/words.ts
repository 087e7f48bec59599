// Texts that have to fit.
// At most so many letters wide; those of East Asia count twice.
export function cut(text: string, most: number): string {
  let width = 0
  let end = 0
  for (const letter of text) {
    width += letter.codePointAt(0)! > 0x2e7f ? 2 : 1
    if (width > most) return `${text.slice(0, Math.max(0, end - 1))}…`
    end += letter.length
  }
  return text
}
