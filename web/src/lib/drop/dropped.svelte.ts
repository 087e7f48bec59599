// What was dropped on the window. A page that wants the files for itself sets `take` while it is there (the welcome page does).
import type { Given } from '$lib/form/given.svelte'

class Dropped {
  files = $state.raw<Given[]>([])
  take: ((files: File[]) => boolean) | undefined
}
export const dropped = new Dropped()
