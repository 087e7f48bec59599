// The outline of a pipeline's text while somebody writes it: YAML or JSON, with lines and places, forgiving. The server's parser says
// what is right; this one only has to know where things are, also in a text that is not finished.
//
//   const root = readOutline(text)
//   find(root, 'steps', 'text', 'uses')?.value

export type Item = {
  key: string // '[2]' in a list
  line: number // from 1
  from: number // of the key
  to: number // after the key
  end: number // after everything that belongs to it
  indent: number
  value?: string // a scalar, without its quotes
  valueFrom: number
  valueTo: number
  quoted: boolean
  items?: Item[]
  list?: boolean
  bare: boolean // no colon yet: a word that may become a key
}

type Line = { from: number; text: string; indent: number; no: number }

const keyPattern = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#"'{}[\],&*!|>%@`-][^#]*?|-[^\s#:][^#]*?))\s*:(?=\s|$)/

class Reader {
  lines: Line[] = []
  at = 0

  constructor(readonly text: string) {
    let from = 0
    text.split('\n').forEach((raw, i) => {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
      this.lines.push({ from, text: line, indent: line.length - line.trimStart().length, no: i + 1 })
      from += raw.length + 1
    })
  }

  blank(line: Line): boolean {
    const rest = line.text.trim()
    return rest === '' || rest.startsWith('#') || rest === '---' || rest === '...'
  }

  next(): Line | undefined {
    while (this.at < this.lines.length && this.blank(this.lines[this.at]!)) this.at++
    return this.lines[this.at]
  }

  lineAt(offset: number): Line {
    let low = 0
    let high = this.lines.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.lines[middle]!.from <= offset) low = middle
      else high = middle - 1
    }
    return this.lines[low]!
  }

  // The members of a block at this column or further in; `start` is where in the first line it begins (after "- ").
  block(least: number): Item[] {
    const items: Item[] = []
    let column: number | undefined
    for (let line = this.next(); line !== undefined && line.indent >= least; line = this.next()) {
      column ??= line.indent
      if (line.indent < column) break
      items.push(this.member(line, line.indent, items.length))
    }
    return items
  }

  member(line: Line, column: number, index: number): Item {
    const rest = line.text.slice(column)
    if (rest === '-' || rest.startsWith('- ')) return this.listed(line, column, index)
    const match = keyPattern.exec(rest)
    const from = line.from + column
    const item: Item = { key: '', line: line.no, from, to: from, end: line.from + line.text.length, indent: column, valueFrom: 0, valueTo: 0,
      quoted: false, bare: match === null }
    if (match === null) {
      if (/^[{[]/.test(rest)) this.flow(item, from)
      else {
        item.key = rest.replace(/\s+#.*$/, '').trimEnd()
        item.to = from + item.key.length
        this.at++
      }
      return item
    }
    item.key = match[1] ?? match[2] ?? match[3] ?? ''
    const colon = from + match[0].length
    item.to = from + match[0].slice(0, -1).trimEnd().length
    this.valueOf(item, line, colon, column)
    return item
  }

  listed(line: Line, column: number, index: number): Item {
    const from = line.from + column
    const item: Item = { key: `[${index}]`, line: line.no, from, to: from + 1, end: line.from + line.text.length, indent: column, valueFrom: 0,
      valueTo: 0, quoted: false, bare: false }
    const inside = column + 1 + (line.text.slice(column + 1).length - line.text.slice(column + 1).trimStart().length)
    const rest = line.text.slice(inside)
    if (keyPattern.test(rest)) {
      // "- name: x": the members stand at the column of the first key.
      const first = this.member(line, inside, 0)
      const more = this.block(inside)
      item.items = [first, ...more]
      item.end = Math.max(first.end, more.at(-1)?.end ?? 0)
      return item
    }
    this.valueOf(item, line, from + 1, column)
    return item
  }

  // What stands behind a colon or a dash: on the line, or in the lines below that stand further in.
  valueOf(item: Item, line: Line, start: number, column: number): void {
    let at = start
    const end = line.from + line.text.length
    while (at < end && (this.text[at] === ' ' || this.text[at] === '\t')) at++
    item.valueFrom = item.valueTo = at
    const rest = this.text.slice(at, end)
    if (rest === '' || rest.startsWith('#')) {
      this.at++
      const below = this.next()
      const sameList = below !== undefined && below.indent === column && /^-(\s|$)/.test(below.text.slice(column)) && !item.key.startsWith('[')
      if (below === undefined || (below.indent <= column && !sameList)) return
      item.items = this.block(sameList ? column : column + 1)
      item.list = item.items[0]?.key === '[0]'
      item.end = item.items.at(-1)?.end ?? item.end
      return
    }
    if (/^[|>]/.test(rest)) {
      this.at++
      for (let l = this.lines[this.at]; l !== undefined && (l.text.trim() === '' || l.indent > column); l = this.lines[++this.at])
        item.end = l.from + l.text.length
      item.value = this.text.slice(end + 1, item.end)
      item.valueFrom = end + 1
      item.valueTo = item.end
      return
    }
    if (/^[{[]/.test(rest)) {
      this.flow(item, at)
      return
    }
    this.scalar(item, at, end, false)
    this.at++
    // Further lines of a plain text.
    for (let l = this.lines[this.at]; l !== undefined && !this.blank(l) && l.indent > column; l = this.lines[++this.at]) {
      item.end = l.from + l.text.length
      if (item.value !== undefined && !item.quoted) item.value += ` ${l.text.trim()}`
    }
  }

  // A scalar from `at` up to `end` at most; in a flow also up to what ends it.
  scalar(item: Item, at: number, end: number, inFlow: boolean): number {
    const quote = this.text[at]
    item.valueFrom = at
    if (quote === '"' || quote === "'") {
      let close = at + 1
      while (close < end && this.text[close] !== quote) close += quote === '"' && this.text[close] === '\\' ? 2 : 1
      close = Math.min(close, end)
      item.quoted = true
      item.valueFrom = at + 1
      item.valueTo = close
      item.value = this.text.slice(at + 1, close)
      return Math.min(close + 1, end)
    }
    let stop = at
    while (stop < end) {
      if (this.text.startsWith('${{', stop)) {
        const close = this.text.indexOf('}}', stop)
        stop = close < 0 || close >= end ? end : close + 2
        continue
      }
      if (inFlow && ',]}'.includes(this.text[stop]!)) break
      if (this.text[stop] === '#' && /\s/.test(this.text[stop - 1] ?? ' ')) break
      stop++
    }
    item.value = this.text.slice(at, stop).trimEnd()
    item.valueTo = at + item.value.length
    return stop
  }

  // {a: b, c: [d]}: may go over lines; what is not closed ends where a line stands no further in than the line it began on.
  flow(item: Item, start: number): void {
    const first = this.lineAt(start)
    let limit = this.text.length
    for (let i = first.no; i < this.lines.length; i++) {
      const line = this.lines[i]!
      if (line.text.trim() !== '' && line.indent <= first.indent && !/^[}\]]/.test(line.text.trim()) && first.indent + first.from !== start) {
        limit = line.from - 1
        break
      }
    }
    item.valueFrom = start
    item.end = item.valueTo = this.members(item, start, limit)
    this.at = this.lineAt(Math.max(item.end - 1, start)).no
  }

  space(at: number, limit: number): number {
    while (at < limit && /[\s,]/.test(this.text[at]!)) at++
    if (this.text[at] === '#' && /\s/.test(this.text[at - 1] ?? ' ')) {
      while (at < limit && this.text[at] !== '\n') at++
      return this.space(at, limit)
    }
    return at
  }

  members(item: Item, start: number, limit: number): number {
    const list = this.text[start] === '['
    const close = list ? ']' : '}'
    item.items = []
    item.list = list
    let at = start + 1
    for (;;) {
      at = this.space(at, limit)
      if (at >= limit) return limit
      const c = this.text[at]!
      if (c === close) return at + 1
      if (c === '}' || c === ']') return at
      const before = at
      at = this.flowMember(item, at, limit, list)
      if (at <= before) at = before + 1
    }
  }

  flowMember(parent: Item, at: number, limit: number, list: boolean): number {
    const line = this.lineAt(at)
    const item: Item = { key: `[${parent.items!.length}]`, line: line.no, from: at, to: at, end: at, indent: at - line.from, valueFrom: at,
      valueTo: at, quoted: false, bare: false }
    parent.items!.push(item)
    if (!list) {
      const rest = this.text.slice(at, Math.min(limit, at + 300))
      const match = /^(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\n])*)'|([^\s"'{}[\],:#][^{}[\],:\n]*))\s*/.exec(rest)
      if (match === null) return at + 1
      item.key = (match[1] ?? match[2] ?? match[3] ?? '').trimEnd()
      item.to = at + match[0].trimEnd().length
      at += match[0].length
      item.end = item.to
      if (this.text[at] !== ':') {
        item.bare = true
        return at
      }
      at++
      while (at < limit && /\s/.test(this.text[at]!)) at++
      item.valueFrom = item.valueTo = item.end = at
    }
    const c = this.text[at]
    if (c === '{' || c === '[') return (item.end = item.valueTo = this.members(item, at, limit))
    if (at >= limit || c === '}' || c === ']' || c === ',') return at
    const eol = this.text.indexOf('\n', at)
    return (item.end = this.scalar(item, at, Math.min(limit, eol < 0 ? limit : eol), true))
  }
}

export function readOutline(text: string): Item {
  const reader = new Reader(text)
  const root: Item = { key: '', line: 1, from: 0, to: 0, end: text.length, indent: -1, valueFrom: 0, valueTo: text.length, quoted: false, bare: false }
  const first = reader.next()
  if (first !== undefined && /^[{[]/.test(first.text.trim())) {
    reader.flow(root, first.from + first.indent)
    return root
  }
  root.items = []
  while (reader.next() !== undefined) root.items.push(...reader.block(0))
  return root
}

export function find(item: Item | undefined, ...path: string[]): Item | undefined {
  let now = item
  for (const key of path) now = now?.items?.find((i) => i.key === key && !i.bare)
  return now
}

// As JSON would hold it; what is not finished is null.
export function plain(item: Item | undefined): unknown {
  if (item === undefined) return null
  if (item.items !== undefined) {
    if (item.list === true) return item.items.map((i) => plain(i))
    return Object.fromEntries(item.items.filter((i) => i.key !== '').map((i) => [i.key, plain(i)]))
  }
  const text = item.value
  if (text === undefined) return null
  if (item.quoted) return text
  if (/^(true|false)$/.test(text)) return text === 'true'
  if (/^(null|~)$/.test(text)) return null
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
