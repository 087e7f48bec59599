// The sections of the settings: a file each, and a line here. Its title is t(`settings.${id}`).
import type { Component } from 'svelte'

export type Section = { id: string; load: () => Promise<{ default: Component }> }

export const sections: Section[] = [
  { id: 'keys', load: () => import('./Keys.svelte') },
  { id: 'webhooks', load: () => import('./Webhooks.svelte') },
  { id: 'schedules', load: () => import('./Schedules.svelte') },
  { id: 'triggers', load: () => import('./Triggers.svelte') },
  { id: 'queues', load: () => import('./Queues.svelte') },
  { id: 'secrets', load: () => import('./Secrets.svelte') },
  { id: 'bridges', load: () => import('./Bridges.svelte') },
  { id: 'notifications', load: () => import('./Notifications.svelte') },
  { id: 'appearance', load: () => import('./Appearance.svelte') },
  { id: 'session', load: () => import('./Session.svelte') },
  { id: 'about', load: () => import('./About.svelte') },
]
