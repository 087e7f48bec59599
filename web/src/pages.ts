// Every page of the app: a folder in pages/ and a line here. The navigation, the palette, the shortcuts, the screenshots and the
// tests read this table.
//
// A page's component gets `rest`: what follows its path ("/jobs/job_1" gives ["job_1"]). Its title is t(`nav.${id}`).
import type { Component } from 'svelte'
import type { IconName } from '$lib/ui/icons'
import type { Badge } from '$lib/badges.svelte'

export type PageProps = { rest: string[] }
export type Page = {
  id: string
  path: string
  icon: IconName
  key?: string // goes there: g, then this
  badge?: Badge // a number beside its name
  hidden?: boolean // reached from others, not from the navigation
  load: () => Promise<{ default: Component<PageProps> }>
}

export const pages: Page[] = [
  { id: 'welcome', path: '/welcome', icon: 'play', hidden: true, load: () => import('./pages/welcome/Page.svelte') },
  { id: 'home', path: '/', icon: 'home', key: 'h', load: () => import('./pages/home/Page.svelte') },
  { id: 'playground', path: '/playground', icon: 'play', key: 'p', load: () => import('./pages/playground/Page.svelte') },
  { id: 'files', path: '/files', icon: 'file', key: 'f', load: () => import('./pages/files/Page.svelte') },
  { id: 'pipelines', path: '/pipelines', icon: 'flow', key: 'l', load: () => import('./pages/pipelines/Page.svelte') },
  { id: 'jobs', path: '/jobs', icon: 'list', key: 'j', load: () => import('./pages/jobs/Page.svelte') },
  { id: 'approvals', path: '/approvals', icon: 'check', key: 'a', badge: 'approvals', load: () => import('./pages/approvals/Page.svelte') },
  { id: 'batch', path: '/batch', icon: 'layers', key: 'b', load: () => import('./pages/batch/Page.svelte') },
  { id: 'queues', path: '/queues', icon: 'stack', key: 'q', badge: 'dead', load: () => import('./pages/queues/Page.svelte') },
  { id: 'usage', path: '/usage', icon: 'chart', key: 'u', load: () => import('./pages/usage/Page.svelte') },
  { id: 'health', path: '/system', icon: 'pulse', key: 'e', load: () => import('./pages/health/Page.svelte') },
  { id: 'settings', path: '/settings', icon: 'gear', key: 's', load: () => import('./pages/settings/Page.svelte') },
]

export function pageAt(path: string): { page: Page; rest: string[] } | undefined {
  const parts = path.split('/').filter((part) => part !== '').map(decodeURIComponent)
  const page = pages.find((p) => p.path === `/${parts[0] ?? ''}`)
  return page === undefined ? undefined : { page, rest: parts.slice(1) }
}
