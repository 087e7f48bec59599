// Where in a pipeline's text the caret is: the path of keys, whether a key or a value is written there, and within which expression.
import { readOutline, type Item } from './outline'

export type Where = {
  root: Item // of the text with the mark in it
  path: Item[] // from the top to where the caret is; the last one holds the caret
  at: 'key' | 'value'
  item: Item
  siblings: Item[]
  from: number // where the word before the caret begins
  word: string
  expression?: { before: string; whole: boolean } // the code before the caret; whole: the value is nothing else
}

// A letter that nobody writes: it takes the place of the caret, so that the outline has an item there whatever is missing around it.
const mark = '\uE000'
const wholeExpressions = new Set(['if', 'foreach', 'until'])

function pathTo(item: Item, at: number): Item[] | undefined {
  for (const child of item.items ?? []) {
    if (at < child.from || at > child.end) continue
    const deeper = pathTo(child, at)
    if (deeper !== undefined) return [child, ...deeper]
    const inKey = at >= child.from && at <= child.to && (child.key.includes(mark) || child.bare)
    const inValue = child.value?.includes(mark) === true
    if (inKey || inValue) return [child]
  }
  return undefined
}

export function whereIs(text: string, at: number): Where | null {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at)
  if (/(^|\s)#[^"']*$/.test(line)) return null
  const root = readOutline(text.slice(0, at) + mark + text.slice(at))
  const path = pathTo(root, at)
  const item = path?.at(-1)
  if (path === undefined || item === undefined) return null
  const parent = path.at(-2) ?? root
  const inKey = item.value?.includes(mark) !== true
  const inList = parent.list === true
  const word = /[\w.-]*$/.exec(text.slice(0, at))![0]
  const where: Where = { root, path, item, at: inKey && !inList ? 'key' : 'value', siblings: (parent.items ?? []).filter((i) => i !== item),
    from: at - word.length, word }
  if (where.at === 'value') {
    const before = (item.value ?? '').slice(0, (item.value ?? '').indexOf(mark))
    const open = before.lastIndexOf('${{')
    if (open >= 0 && !before.slice(open).includes('}}') && before[open - 1] !== '$')
      where.expression = { before: before.slice(open + 3), whole: before.slice(0, open).trim() === '' }
    else if (wholeExpressions.has(item.key) && !before.includes('${{') && item.key !== 'until' && item.key !== 'foreach')
      where.expression = { before, whole: true }
  }
  if (item.value !== undefined) item.value = item.value.replace(mark, '')
  item.key = item.key.replace(mark, '')
  return where
}

export const keysOf = (where: Where): string[] => where.path.slice(0, -1).map((item) => item.key)
