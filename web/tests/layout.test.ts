// The picture of a pipeline: layers, no boxes upon each other, sections one below the other.
import { describe, expect, test } from 'vitest'
import { box, layout } from '../src/pages/pipelines/layout'
import { nodesOf } from '../src/pages/pipelines/model'

const definition = {
  name: 'x',
  steps: {
    scan: { uses: 'security.scan', with: { file: '${{ inputs.source }}' } },
    text: { uses: 'document.extract', with: { file: '${{ inputs.source }}' }, if: "steps.scan.verdict != 'steps.none'" },
    many: { call: 'words', foreach: '${{ steps.text.list }}', with: { a: 'x $${{ steps.scan }} ${{ steps["no"] }}' } },
    wait: { wait: 'approval', needs: 'many' },
    last: { uses: 'archive.create', needs: ['scan', 'wait'], with: { inputs: ["${{ steps['text'].output }}"] } },
  },
  'on-failure': { tell: { uses: 'data.transform', with: { value: '${{ failure }}' } } },
  finally: { count: { uses: 'data.transform', with: { value: '${{ steps.text.state }}' } } },
}

describe('the model', () => {
  const nodes = nodesOf(definition)
  const needs = Object.fromEntries(nodes.map((n) => [n.id, n.needs]))
  test('what each needs: by needs and by its expressions, in its own section', () => {
    expect(needs).toEqual({ scan: [], text: ['scan'], many: ['text'], wait: ['many'], last: ['scan', 'wait', 'text'], tell: [], count: [] })
  })
  test('what each is', () => {
    expect(nodes.map((n) => n.kind)).toEqual(['step', 'step', 'call', 'wait', 'step', 'step', 'step'])
    expect(nodes.find((n) => n.id === 'many')?.many).toBe('foreach')
    expect(nodes.find((n) => n.id === 'text')?.conditional).toBe(true)
  })
  test('something that is no pipeline has none', () => {
    for (const wrong of [null, 3, [], { steps: [] }, { steps: null }, { steps: { a: null } }]) expect(nodesOf(wrong).length).toBeLessThan(2)
  })
})

describe('the layout', () => {
  const nodes = nodesOf(definition)
  const found = layout(nodes)
  test('a node is below all it needs', () => {
    const y = Object.fromEntries(found.nodes.map((p) => [p.node.id, p.y]))
    for (const { node } of found.nodes) for (const need of node.needs) expect(y[node.id]!).toBeGreaterThan(y[need]!)
  })
  test('boxes do not lie upon each other, and all are in the picture', () => {
    for (const a of found.nodes) {
      expect(a.x).toBeGreaterThanOrEqual(0)
      expect(a.x + box.width).toBeLessThanOrEqual(found.width)
      expect(a.y + box.height).toBeLessThanOrEqual(found.height)
      for (const b of found.nodes)
        if (a !== b) expect(Math.abs(a.x - b.x) >= box.width || Math.abs(a.y - b.y) >= box.height, `${a.node.id} ${b.node.id}`).toBe(true)
    }
  })
  test('an edge for each need, sections one below the other', () => {
    expect(found.edges.length).toBe(nodes.reduce((sum, n) => sum + n.needs.length, 0))
    expect(found.bands.map((b) => b.section)).toEqual(['steps', 'on-failure', 'finally'])
  })
  test('the same nodes give the same picture', () => expect(layout(nodesOf(definition))).toEqual(found))
  test('a cycle is drawn too', () => {
    const round = layout(nodesOf({ steps: { a: { uses: 'x', needs: 'b' }, b: { uses: 'x', needs: 'a' } } }))
    expect(round.nodes.length).toBe(2)
  })
  test('two hundred nodes take no time to speak of', () => {
    const steps = Object.fromEntries([...Array(200).keys()].map((i) => [`n${i}`, { uses: 'x', needs: [...new Set([i >> 1, i - 7])].filter((k) => k >= 0 && k < i).map((k) => `n${k}`) }]))
    expect(layout(nodesOf({ steps })).nodes.length).toBe(200)
  })
})
