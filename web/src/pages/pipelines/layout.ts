// Where the nodes of a pipeline stand in its picture: layers from top to bottom (a node is below all it needs), few crossings, every
// section a band of its own. Pure: the same nodes give the same picture.
import { sections, type NodeModel, type Section } from './model'

export const box = { width: 176, height: 52, gapX: 28, gapY: 44, head: 34 }

export type Placed = { node: NodeModel; x: number; y: number; layer: number }
export type Edge = { from: string; to: string; path: string }
export type Band = { section: Section; y: number }
export type Layout = { nodes: Placed[]; edges: Edge[]; bands: Band[]; width: number; height: number }

// A cycle is a fault of the text and still has to be drawn: an edge that would close one is left out of the layers.
function layersOf(nodes: NodeModel[]): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const layer = new Map<string, number>()
  const open = new Set<string>()
  const visit = (id: string): number => {
    const known = layer.get(id)
    if (known !== undefined) return known
    open.add(id)
    let most = -1
    for (const need of byId.get(id)?.needs ?? []) if (byId.has(need) && !open.has(need)) most = Math.max(most, visit(need))
    open.delete(id)
    layer.set(id, most + 1)
    return most + 1
  }
  for (const node of nodes) visit(node.id)
  return layer
}

type Slot = { id: string; node?: NodeModel } // without a node: an edge passes through here

function slotsOf(nodes: NodeModel[], layer: Map<string, number>): { rows: Slot[][]; links: [string, string][]; chains: Map<string, string[]> } {
  const rows: Slot[][] = []
  const links: [string, string][] = []
  const chains = new Map<string, string[]>()
  for (const node of nodes) (rows[layer.get(node.id)!] ??= []).push({ id: node.id, node })
  for (const node of nodes)
    for (const need of node.needs) {
      const from = layer.get(need)!
      const to = layer.get(node.id)!
      const chain = [need]
      for (let l = from + 1; l < to; l++) {
        const id = `${need}→${node.id}@${l}`
        rows[l]!.push({ id })
        chain.push(id)
      }
      chain.push(node.id)
      if (to > from) for (let i = 1; i < chain.length; i++) links.push([chain[i - 1]!, chain[i]!])
      chains.set(`${need}→${node.id}`, chain)
    }
  return { rows, links, chains }
}

// Each row in the order of the middle of its neighbours, down and up a few times.
function untangle(rows: Slot[][], links: [string, string][]): void {
  const up = new Map<string, string[]>()
  const down = new Map<string, string[]>()
  for (const [a, b] of links) {
    down.set(a, [...(down.get(a) ?? []), b])
    up.set(b, [...(up.get(b) ?? []), a])
  }
  const sweep = (row: Slot[], other: Slot[], next: Map<string, string[]>) => {
    const place = new Map(other.map((slot, i) => [slot.id, i / Math.max(1, other.length - 1)]))
    const middle = new Map(row.map((slot, i) => {
      const around = (next.get(slot.id) ?? []).map((id) => place.get(id)).filter((p) => p !== undefined)
      return [slot.id, around.length === 0 ? i / Math.max(1, row.length - 1) : around.reduce((a, b) => a + b, 0) / around.length]
    }))
    row.sort((a, b) => middle.get(a.id)! - middle.get(b.id)!)
  }
  for (let round = 0; round < 4; round++) {
    for (let l = 1; l < rows.length; l++) sweep(rows[l]!, rows[l - 1]!, up)
    for (let l = rows.length - 2; l >= 0; l--) sweep(rows[l]!, rows[l + 1]!, down)
  }
}

const widthOf = (slot: Slot) => (slot.node === undefined ? 16 : box.width)
const rowWidth = (row: Slot[]) => row.reduce((sum, slot) => sum + widthOf(slot), 0) + (row.length - 1) * box.gapX

export function layout(nodes: NodeModel[]): Layout {
  const out: Layout = { nodes: [], edges: [], bands: [], width: 0, height: 0 }
  const parts = sections.map((section) => ({ section, nodes: nodes.filter((node) => node.section === section) })).filter((p) => p.nodes.length > 0)
  const drawn = parts.map((part) => {
    const layer = layersOf(part.nodes)
    const { rows, links, chains } = slotsOf(part.nodes, layer)
    untangle(rows, links)
    return { ...part, layer, rows, chains }
  })
  out.width = Math.max(box.width, ...drawn.flatMap((part) => part.rows.map(rowWidth)))
  let y = 0
  for (const part of drawn) {
    if (parts.length > 1) {
      out.bands.push({ section: part.section, y })
      y += box.head
    }
    const centre = new Map<string, { x: number; y: number }>()
    part.rows.forEach((row, l) => {
      let x = (out.width - rowWidth(row)) / 2
      for (const slot of row) {
        const top = y + l * (box.height + box.gapY)
        centre.set(slot.id, { x: x + widthOf(slot) / 2, y: top })
        if (slot.node !== undefined) out.nodes.push({ node: slot.node, x, y: top, layer: part.layer.get(slot.id)! })
        x += widthOf(slot) + box.gapX
      }
    })
    for (const [name, chain] of part.chains) {
      const [from, to] = name.split('→') as [string, string]
      out.edges.push({ from, to, path: curve(chain.map((id) => centre.get(id)!)) })
    }
    y += part.rows.length * (box.height + box.gapY)
  }
  out.height = Math.max(box.height, y - box.gapY)
  return out
}

// From the bottom of the first, past those between, to the top of the last.
function curve(points: { x: number; y: number }[]): string {
  const first = points[0]!
  let path = `M${first.x} ${first.y + box.height}`
  let last = { x: first.x, y: first.y + box.height }
  points.slice(1).forEach((point, i) => {
    const bend = (point.y - last.y) / 2
    path += ` C${last.x} ${last.y + bend} ${point.x} ${point.y - bend} ${point.x} ${point.y}`
    last = { x: point.x, y: point.y }
    if (i < points.length - 2) {
      path += ` V${point.y + box.height}`
      last = { x: point.x, y: point.y + box.height }
    }
  })
  return path
}
