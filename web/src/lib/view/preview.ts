// What the server tells of a file: facts, the shape of its sound, what lies in an archive.
import { request, type Schemas } from '$lib/api/client'
import { previewUrl, type PreviewKind, type ViewFile } from './kind'

export type Facts = Schemas['PreviewInfo']
export type Entry = { path: string; type: string; size?: number; modified?: string }

async function json<T>(file: ViewFile, kind: PreviewKind): Promise<T> {
  return (await request('GET', previewUrl(file, kind))).json() as Promise<T>
}

export const readFacts = (file: ViewFile) => json<Facts>(file, 'info')
export const readWave = (file: ViewFile) => json<{ duration_ms: number; points: [number, number][] }>(file, 'wave')
export const readEntries = (file: ViewFile) => json<{ entries: Entry[] }>(file, 'entries')

// The text of one page, as Markdown. Nothing when the page has none.
export async function readPage(file: ViewFile, page: number): Promise<string> {
  const url = previewUrl(file, 'text', 1)
  return (await request('GET', `${url}&page=${page}`)).text()
}

// A line around the shape of a sound, for an SVG of `width` × `height`.
export function wavePath(points: [number, number][], width: number, height: number): string {
  const middle = height / 2
  const step = width / Math.max(1, points.length - 1)
  const x = (i: number) => (i * step).toFixed(1)
  const y = (value: number) => (middle - value * middle * 0.95).toFixed(1)
  const above = points.map(([, high], i) => `${x(i)} ${y(high)}`)
  const below = points.map(([low], i) => `${x(i)} ${y(low)}`).reverse()
  return points.length === 0 ? '' : `M${above.join('L')}L${below.join('L')}Z`
}
