// Which of many titles somebody means by a few letters: all words of the query must be in it; a start counts more than a word's
// start, that more than a place inside. 0: not meant. Without a query everything is meant equally.
export function rank(title: string, query: string): number {
  if (query.trim() === '') return 1
  const text = title.toLowerCase()
  let sum = 0
  for (const word of query.toLowerCase().split(/\s+/).filter((w) => w !== '')) {
    const at = text.indexOf(word)
    if (at < 0) return 0
    sum += at === 0 ? 3 : /[^\p{L}\p{N}]/u.test(text[at - 1] ?? '') ? 2 : 1
  }
  return sum + 1 / (1 + text.length)
}
