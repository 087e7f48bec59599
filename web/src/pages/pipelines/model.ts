// What a pipeline is made of, for pictures and completion: read from a definition (JSON) or from the outline of a text.
export type Section = 'steps' | 'on-failure' | 'finally'
export const sections: Section[] = ['steps', 'on-failure', 'finally']

export type NodeModel = {
  id: string
  section: Section
  kind: 'step' | 'call' | 'wait' | 'none'
  what: string // the step, the pipeline, what is waited for
  needs: string[] // in its own section
  many: 'foreach' | 'matrix' | undefined
  conditional: boolean
}

type Json = Record<string, unknown>
const object = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {})
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

// Every step that the expressions of a value name: steps.X in ${{ … }}, and in keys that are expressions as they stand.
export function named(value: unknown, bare = false): Set<string> {
  const found = new Set<string>()
  const look = (expression: string) => {
    const code = expression.replace(/'(?:[^']|'')*'/g, "''")
    for (const match of code.matchAll(/(?<![\w.-])steps\s*\.\s*([A-Za-z][\w-]*)/g)) found.add(match[1]!)
    for (const match of expression.matchAll(/(?<![\w.-])steps\s*\[\s*'([^']+)'\s*\]/g)) found.add(match[1]!)
  }
  const walk = (now: unknown) => {
    if (typeof now === 'string') {
      if (bare && !now.includes('${{')) look(now)
      for (const match of now.matchAll(/(\$?)\$\{\{(.*?)\}\}/gs)) if (match[1] === '') look(match[2]!)
    } else if (Array.isArray(now)) now.forEach(walk)
    else if (typeof now === 'object' && now !== null) Object.values(now).forEach(walk)
  }
  walk(value)
  return found
}

export function nodesOf(definition: unknown): NodeModel[] {
  const whole = object(definition)
  const nodes: NodeModel[] = []
  const raw = new Map<string, Json>()
  for (const section of sections)
    for (const [id, value] of Object.entries(object(whole[section]))) {
      const node = object(value)
      raw.set(id, node)
      const kind = 'uses' in node ? 'step' : 'call' in node ? 'call' : 'wait' in node ? 'wait' : 'none'
      const what = kind === 'none' ? '' : textOf(node[kind === 'step' ? 'uses' : kind])
      const many = 'foreach' in node ? 'foreach' : 'matrix' in node ? 'matrix' : undefined
      nodes.push({ id, section, kind, what, needs: [], many, conditional: 'if' in node })
    }
  for (const node of nodes) {
    const { if: condition, needs, ...rest } = raw.get(node.id)!
    const all = [...(Array.isArray(needs) ? needs : [needs]).map(textOf), ...named(rest), ...named(condition, true)]
    node.needs = [...new Set(all)].filter((id) => id !== node.id && nodes.some((other) => other.id === id && other.section === node.section))
  }
  return nodes
}
