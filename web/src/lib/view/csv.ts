// Tables as text (RFC 4180): what separates, rows of cells, and how a column is sorted.
export type Table = { head: string[]; rows: string[][]; cut: boolean }

const SEPARATORS = [',', '\t', ';', '|']
const ROWS_MAX = 200_000

// The separator that gives the first lines the same number (more than one) of cells; quoted text does not count.
export function separatorOf(text: string): string {
  let best = ','
  let score = 0
  for (const separator of SEPARATORS) {
    const rows = parseRows(text.slice(0, 20_000), separator, 20).filter((row) => row.length > 1 || row[0] !== '')
    const cells = rows[0]?.length ?? 0
    const same = rows.filter((row) => row.length === cells).length
    const now = cells > 1 ? (same / rows.length) * Math.min(cells, 10) : 0
    if (now > score) [best, score] = [separator, now]
  }
  return best
}

export function parseRows(text: string, separator: string, max = ROWS_MAX): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  const end = text.length
  while (at < end && rows.length < max) {
    let cell: string
    if (text[at] === '"') {
      cell = ''
      at++
      for (;;) {
        const quote = text.indexOf('"', at)
        if (quote < 0) {
          cell += text.slice(at)
          at = end
          break
        }
        cell += text.slice(at, quote)
        at = quote + 1
        if (text[at] !== '"') break
        cell += '"'
        at++
      }
      const rest = at
      while (at < end && text[at] !== separator && text[at] !== '\n' && text[at] !== '\r') at++
      cell += text.slice(rest, at)
    } else {
      const from = at
      while (at < end && text[at] !== separator && text[at] !== '\n' && text[at] !== '\r') at++
      cell = text.slice(from, at)
    }
    row.push(cell)
    if (text[at] === separator) {
      at++
      if (at === end) row.push('')
      else continue
    }
    if (text[at] === '\r') at++
    if (text[at] === '\n') at++
    rows.push(row)
    row = []
  }
  return rows
}

// whole: the text is all of the file, so its last row is not half a row.
export function parseTable(text: string, separator = separatorOf(text), whole = true): Table {
  const rows = parseRows(text, separator)
  if (!whole && rows.length > 1) rows.pop()
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0)
  for (const row of rows) while (row.length < width) row.push('')
  return { head: rows[0] ?? [], rows: rows.slice(1), cut: rows.length >= ROWS_MAX }
}

// JSON Lines as a table, when they are objects; undefined when they are not.
export function tableOfLines(text: string, whole = true): Table | undefined {
  const lines = text.split('\n')
  if (!whole) lines.pop()
  const objects: Record<string, unknown>[] = []
  for (const line of lines.slice(0, ROWS_MAX)) {
    if (line.trim() === '') continue
    try {
      const value: unknown = JSON.parse(line)
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
      objects.push(value as Record<string, unknown>)
    } catch {
      return undefined
    }
  }
  if (objects.length === 0) return undefined
  const head: string[] = []
  const known = new Set<string>()
  for (const object of objects.slice(0, 1000))
    for (const name of Object.keys(object))
      if (!known.has(name) && head.length < 60) {
        known.add(name)
        head.push(name)
      }
  const cell = (value: unknown) => (value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value))
  return { head, rows: objects.map((object) => head.map((name) => cell(object[name]))), cut: lines.length > ROWS_MAX }
}

export type Sort = { column: number; down: boolean }

const NUMBER = /^\s*[-+]?(\d+([.,]\d+)?|\.\d+)(e[-+]?\d+)?\s*%?\s*$/i
const numberOf = (text: string) => Number.parseFloat(text.replace(',', '.'))

// A column whose filled cells are numbers.
export function isNumeric(rows: string[][], column: number): boolean {
  let filled = 0
  for (const row of rows.slice(0, 200)) {
    const cell = row[column] ?? ''
    if (cell.trim() === '') continue
    if (!NUMBER.test(cell)) return false
    filled++
  }
  return filled > 0
}

// Numbers by value, else by the reader's alphabet; empty cells last; equal rows keep their order.
export function sortRows(rows: string[][], sort: Sort, language: string): string[][] {
  const numeric = isNumeric(rows, sort.column)
  const collator = new Intl.Collator(language, { numeric: true })
  const way = sort.down ? -1 : 1
  return [...rows].sort((a, b) => {
    const [x, y] = [a[sort.column] ?? '', b[sort.column] ?? '']
    if (x === '' || y === '') return x === y ? 0 : x === '' ? 1 : -1
    return way * (numeric ? numberOf(x) - numberOf(y) : collator.compare(x, y))
  })
}
