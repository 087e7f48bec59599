// The beginning of a file, as text: what a viewer reads of a large one. Never more than `limit` bytes cross the line.
import { request } from '$lib/api/client'

export const TEXT_LIMIT = 1_000_000
// utf8: what would be written back is what was read.
export type Beginning = { text: string; whole: boolean; bytes: number; utf8: boolean }

export async function readText(url: string, bytes: number, limit = TEXT_LIMIT): Promise<Beginning> {
  const part = bytes > limit
  const response = await request('GET', url, undefined, part ? { Range: `bytes=0-${limit - 1}` } : {})
  const buffer = new Uint8Array(await response.arrayBuffer()).subarray(0, limit)
  return { text: decode(buffer), whole: buffer.length >= bytes, bytes: buffer.length, utf8: isUtf8(buffer) }
}

export async function readBytes(url: string, limit: number): Promise<Uint8Array> {
  const response = await request('GET', url, undefined, { Range: `bytes=0-${limit - 1}` })
  return new Uint8Array(await response.arrayBuffer()).subarray(0, limit)
}

// UTF-8, UTF-16 by its mark; what is neither is read as Windows-1252, which never fails. A character that the limit cut in
// two is left out.
export function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
