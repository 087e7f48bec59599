// Numbers beside the names of pages: what waits for the person. A page that counts something says so here.
export type Badge = 'approvals' | 'dead'

class Badges {
  counts = $state<Partial<Record<Badge, number>>>({})
}
export const badges = new Badges()
