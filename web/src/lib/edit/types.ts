// What an editor is told and asks for. Places in the text are offsets in UTF-16 units, lines count from 1.

export type Fault = { line: number; column?: number; text: string }

export type OfferKind = 'key' | 'value' | 'step' | 'pipeline' | 'node' | 'field' | 'function' | 'root'

export type Offer = {
  label: string
  kind: OfferKind
  detail?: string
  help?: string
  insert?: string // what is written; CURSOR in it says where the caret stands after. Missing: the label
  again?: boolean // ask for the next completion at once
}
export const CURSOR = '\u0000'

export type Offers = { from: number; to?: number; offers: Offer[] }
export type Complete = (text: string, at: number) => Offers | null | Promise<Offers | null>

export type Explained = { from: number; to: number; title: string; help: string }
export type Explain = (text: string, at: number) => Explained | null

export type EditorLanguage = 'yaml' | 'markdown' | 'json'
