// Two texts side by side, or in one column where there is no room. A chunk of its own.
import { MergeView, unifiedMergeView } from '@codemirror/merge'
import { EditorState, type Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { basics, languageOf } from './open'

export { languageOf }

export type Compared = {
  root: ShadowRoot
  parent: HTMLElement
  from: { text: string; label: string }
  to: { text: string; label: string }
  language: Extension
  phrases: Record<string, string>
  narrow: boolean
}

export function compare(o: Compared): { close(): void } {
  const fixed = (label: string) => [
    basics(o.language, o.phrases),
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': 'true', tabindex: '0' }),
    EditorView.lineWrapping,
  ]
  const collapseUnchanged = { margin: 3, minSize: 6 }
  if (o.narrow) {
    const view = new EditorView({
      parent: o.parent,
      root: o.root,
      doc: o.to.text,
      extensions: [fixed(o.to.label), unifiedMergeView({ original: o.from.text, mergeControls: false, collapseUnchanged })],
    })
    return { close: () => view.destroy() }
  }
  const view = new MergeView({
    a: { doc: o.from.text, extensions: fixed(o.from.label) },
    b: { doc: o.to.text, extensions: fixed(o.to.label) },
    parent: o.parent,
    root: o.root,
    collapseUnchanged,
  })
  return { close: () => view.destroy() }
}
