// The picture of a chart: uPlot on a canvas, in the colours of base.css as they are now.
import type uPlot from 'uplot'
import { stack, top, type Series, type Tone } from './series'

export type Drawing = { set: (times: number[], series: Series[]) => void; destroy: () => void }
type Options = {
  target: HTMLElement
  times: number[]
  series: Series[]
  format: (value: number) => string
  at: (time: number) => string
  stacked: boolean
  height: number
  hover: (index: number | undefined) => void
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

const parts: Partial<Record<Tone, number>> = { accent2: 68, accent3: 45, accent4: 26 }
function toneColour(tone: Tone): string {
  const part = parts[tone]
  return part === undefined ? colour(`--${tone}`) : `color-mix(in srgb, ${colour('--accent')} ${part}%, ${colour('--panel')})`
}

// uPlot draws later series over earlier ones: of a stack the highest comes first.
function rows(times: number[], series: Series[], stacked: boolean): uPlot.AlignedData {
  return [times, ...(stacked ? stack(series).reverse() : series.map((s) => s.values))] as uPlot.AlignedData
}

// Words first: a page can be read and used before its pictures are there. Safari has no requestIdleCallback.
const idle = () => new Promise<void>((done) => {
  if ('requestIdleCallback' in window) window.requestIdleCallback(() => done(), { timeout: 1000 })
  else setTimeout(done, 50)
})

export async function draw(o: Options): Promise<Drawing> {
  await idle()
  const [{ default: UPlot }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')])
  const ink = colour('--quiet')
  const line = colour('--line')
  const list = o.stacked ? [...o.series].reverse() : o.series
  const bars = UPlot.paths.bars?.({ size: [0.7, 40], gap: 1 })
  const font = `12px ${colour('--sans')}`
  const axis = { stroke: ink, font, ticks: { show: false }, grid: { stroke: line, width: 1 } }
  const plot = new UPlot(
    {
      width: Math.max(o.target.clientWidth, 50),
      height: o.height,
      padding: [8, 40, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: !o.stacked } },
      scales: { x: { time: false, range: (_u, first, last) => around(o.times.length, o.stacked, first, last) }, y: { range: (_u, _low, high) => [0, top([high])] } },
      axes: [
        { ...axis, grid: { show: false }, size: 24, space: 70, values: (_u, ticks) => ticks.map(o.at), splits: (u) => splits(u.data[0] as number[], o.target.clientWidth) },
        { ...axis, size: 58, space: 34, incrs: whole, values: (_u, ticks) => ticks.map(o.format) },
      ],
      series: [
        {},
        ...list.map((s) => {
          const tone = toneColour(s.tone)
          return o.stacked && bars !== undefined
            ? { label: s.label, stroke: tone, fill: tone, width: 0, paths: bars, points: { show: false } }
            : { label: s.label, stroke: tone, width: 1.5, spanGaps: false, points: { show: lonely(s.values), size: 4, fill: tone } }
        }),
      ],
      hooks: { setCursor: [(u) => o.hover(u.cursor.idx ?? undefined)] },
    },
    rows(o.times, o.series, o.stacked),
    o.target,
  )
  const watch = new ResizeObserver(() => plot.setSize({ width: Math.max(o.target.clientWidth, 50), height: o.height }))
  watch.observe(o.target)
  return {
    set: (times, series) => plot.setData(rows(times, series, o.stacked)),
    destroy: () => {
      watch.disconnect()
      plot.destroy()
    },
  }
}

// Steps of the scale: whole numbers only, for what is counted and for milliseconds.
const whole = Array.from({ length: 13 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat()

// Half a bar of room at both ends, so that the first and the last are whole.
function around(count: number, bars: boolean, first: number, last: number): [number, number] {
  const step = count > 1 ? (last - first) / (count - 1) : 86_400
  const room = bars ? step * 0.6 : first === last ? 60 : 0
  return [first - room, last + room]
}

// Points that have no neighbour would not be seen as a line.
function lonely(values: (number | null)[]): boolean {
  return values.every((v, i) => v === null || ((values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null))
}

// Where the words of the time axis stand: at real points, few enough to be read.
export function splits(times: number[], width: number): number[] {
  const most = Math.max(2, Math.floor(width / 90))
  const every = Math.max(1, Math.ceil(times.length / most))
  return times.filter((_, i) => (times.length - 1 - i) % every === 0)
}
