// CodeMirror, set up once for all pages. This file is a chunk of its own: it is fetched when the first editor is shown.
import {
  acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion,
  type Completion, type CompletionContext, type CompletionResult,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language'
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { Compartment, EditorState, type Extension, type Text } from '@codemirror/state'
import {
  Decoration, EditorView, MatchDecorator, ViewPlugin, drawSelection, dropCursor, highlightActiveLine, highlightActiveLineGutter,
  hoverTooltip, keymap, lineNumbers, rectangularSelection, type DecorationSet, type ViewUpdate,
} from '@codemirror/view'
import { look } from './look'
import { CURSOR, type Complete, type EditorLanguage, type Explain, type Fault, type Offer } from './types'

export type Options = {
  root: ShadowRoot
  parent: HTMLElement
  text: string
  language: Extension // of languageOf
  prose: boolean
  label: string
  describedBy: string // id of an element in the shadow root
  readonly: boolean
  phrases: Record<string, string>
  complete: Complete | undefined
  explain: Explain | undefined
  onChange: (text: string) => void
  onLine: (line: number) => void
}

export type Open = {
  set(text: string): void
  setFaults(faults: Fault[]): void
  setReadonly(readonly: boolean): void
  reveal(line: number, focus: boolean): void
  focus(): void
  close(): void
}

const expressions = new MatchDecorator({
  regexp: /\$\{\{.*?\}\}/g,
  decoration: Decoration.mark({ class: 'cm-expression' }),
})
const markExpressions = ViewPlugin.fromClass(
  class {
    marks: DecorationSet
    constructor(view: EditorView) {
      this.marks = expressions.createDeco(view)
    }
    update(update: ViewUpdate) {
      this.marks = expressions.updateDeco(update, this.marks)
    }
  },
  { decorations: (plugin) => plugin.marks },
)

// Each language is a chunk of its own: Markdown brings those for HTML and scripts along.
export async function languageOf(name: EditorLanguage): Promise<Extension> {
  if (name === 'json') return (await import('@codemirror/lang-json')).json()
  if (name === 'markdown') return [(await import('@codemirror/lang-markdown')).markdown(), EditorView.lineWrapping]
  return [(await import('@codemirror/lang-yaml')).yaml(), markExpressions]
}

function completion(offer: Offer): Completion {
  const text = offer.insert ?? offer.label
  return {
    label: offer.label,
    type: offer.kind,
    ...(offer.detail === undefined ? {} : { detail: offer.detail }),
    ...(offer.help === undefined ? {} : { info: offer.help }),
    apply: (view, _completion, from, to) => {
      const caret = text.indexOf(CURSOR)
      const insert = text.replace(CURSOR, '')
      const anchor = from + (caret < 0 ? insert.length : caret)
      view.dispatch({ changes: { from, to, insert }, selection: { anchor }, userEvent: 'input.complete', scrollIntoView: true })
      if (offer.again === true) startCompletion(view)
    },
  }
}

function source(complete: Complete) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const found = await complete(context.state.doc.toString(), context.pos)
    if (found === null || found.offers.length === 0 || context.aborted) return null
    const length = found.offers.length // the order of the offers is kept among equal matches
    return {
      from: found.from,
      ...(found.to === undefined ? {} : { to: found.to }),
      options: found.offers.map((offer, i) => ({ ...completion(offer), boost: 50 - Math.round((50 * i) / length) })),
      validFor: /^[\w.-]*$/,
    }
  }
}

function explaining(explain: Explain): Extension {
  return hoverTooltip((view, at) => {
    const found = explain(view.state.doc.toString(), at)
    if (found === null) return null
    return {
      pos: found.from,
      end: found.to,
      above: true,
      create: () => {
        const dom = document.createElement('div')
        dom.className = 'cm-explained'
        const title = document.createElement('b')
        title.textContent = found.title
        const help = document.createElement('p')
        help.textContent = found.help
        dom.append(title, help)
        return { dom }
      },
    }
  })
}

// The basics that editors and comparisons share.
export function basics(language: Extension, phrases: Record<string, string>): Extension[] {
  return [
    lineNumbers(),
    foldGutter(),
    drawSelection(),
    rectangularSelection(),
    bracketMatching(),
    highlightSelectionMatches(),
    search({ top: true }),
    language,
    EditorState.phrases.of(phrases),
    EditorState.tabSize.of(2),
    indentUnit.of('  '),
    keymap.of([...searchKeymap, ...foldKeymap]),
    matchMedia('(max-width: 640px)').matches ? EditorView.lineWrapping : [],
    look,
  ]
}

function place(doc: Text, fault: Fault): { from: number; to: number } {
  const line = doc.line(Math.min(Math.max(fault.line, 1), doc.lines))
  const indent = line.text.length - line.text.trimStart().length
  const from = line.from + Math.min(fault.column !== undefined ? fault.column - 1 : indent, line.length)
  return { from, to: Math.max(from, line.from + line.text.trimEnd().length) }
}

// The least change that makes one text of the other, so that caret and history stay where they are.
function difference(from: string, to: string): { from: number; to: number; insert: string } {
  let start = 0
  const least = Math.min(from.length, to.length)
  while (start < least && from[start] === to[start]) start++
  let end = 0
  while (end < least - start && from[from.length - 1 - end] === to[to.length - 1 - end]) end++
  return { from: start, to: from.length - end, insert: to.slice(start, to.length - end) }
}

export function open(o: Options): Open {
  const writable = new Compartment()
  const writing = (readonly: boolean) => [EditorState.readOnly.of(readonly), EditorView.editable.of(!readonly),
    EditorView.contentAttributes.of({ tabindex: '0', ...(readonly ? { 'aria-readonly': 'true' } : {}) })]
  let lineNow = 1
  const view = new EditorView({
    parent: o.parent,
    root: o.root,
    state: EditorState.create({
      doc: o.text,
      extensions: [
        writable.of(writing(o.readonly)),
        history(),
        dropCursor(),
        indentOnInput(),
        closeBrackets(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        lintGutter(),
        o.complete === undefined ? [] : autocompletion({ override: [source(o.complete)], icons: false, activateOnTyping: true }),
        o.explain === undefined ? [] : explaining(o.explain),
        basics(o.language, o.phrases),
        EditorView.contentAttributes.of({ 'aria-label': o.label, 'aria-describedby': o.describedBy, spellcheck: String(o.prose),
          autocapitalize: o.prose ? 'sentences' : 'off', autocorrect: 'off' }),
        keymap.of([
          { key: 'Tab', run: acceptCompletion },
          ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) o.onChange(update.state.doc.toString())
          const line = update.state.doc.lineAt(update.state.selection.main.head).number
          if (line !== lineNow && (update.selectionSet || update.docChanged)) o.onLine((lineNow = line))
        }),
      ],
    }),
  })
  return {
    set(text) {
      const now = view.state.doc.toString()
      if (now !== text) view.dispatch({ changes: difference(now, text) })
    },
    setFaults(faults) {
      const doc = view.state.doc
      const found: Diagnostic[] = faults.map((fault) => ({ ...place(doc, fault), severity: 'error', message: fault.text }))
      view.dispatch(setDiagnostics(view.state, found))
    },
    setReadonly(readonly) {
      view.dispatch({ effects: writable.reconfigure(writing(readonly)) })
    },
    reveal(line, focus) {
      const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines))
      const indent = at.text.length - at.text.trimStart().length
      view.dispatch({ selection: { anchor: at.from + indent }, effects: EditorView.scrollIntoView(at.from, { y: 'center' }) })
      if (focus) view.focus()
    },
    focus: () => view.focus(),
    close: () => view.destroy(),
  }
}
