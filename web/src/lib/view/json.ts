// JSON as a tree: what a line says, where a value lies, and which values a search finds.
export type Value = null | boolean | number | string | Value[] | { [name: string]: Value }
export type Path = (string | number)[]

export const isBranch = (value: Value): value is Value[] | { [name: string]: Value } => typeof value === 'object' && value !== null

export function members(value: Value[] | { [name: string]: Value }): [string | number, Value][] {
  return Array.isArray(value) ? value.map((item, i) => [i, item]) : Object.entries(value)
}

// As jq and JavaScript write it: .pages[3].title, .["a b"].
export function pathText(path: Path): string {
  const text = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : /^[A-Za-z_]\w*$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`))
    .join('')
  return text === '' ? '.' : text.startsWith('[') ? `.${text}` : text
}

export const pathKey = (path: Path) => JSON.stringify(path)

export type Found = { paths: Path[]; more: boolean }

// Names and values that contain the words, in the order of the document; at most `max`.
export function search(root: Value, words: string, max = 500): Found {
  const wanted = words.toLowerCase()
  const paths: Path[] = []
  const walk = (value: Value, path: Path): boolean => {
    const name = path[path.length - 1]
    const says = isBranch(value) ? '' : String(value).toLowerCase()
    if (path.length > 0 && ((typeof name === 'string' && name.toLowerCase().includes(wanted)) || says.includes(wanted))) {
      if (paths.length === max) return false
      paths.push(path)
    }
    if (!isBranch(value)) return true
    return members(value).every(([key, item]) => walk(item, [...path, key]))
  }
  const more = wanted !== '' && !walk(root, [])
  return { paths, more }
}
