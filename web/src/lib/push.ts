// This browser's notifications: asking the person, subscribing at the browser's push service, telling the server.
import { api, must, type Schemas } from '$lib/api/client'
import { language } from '$lib/i18n/language.svelte'

export type Wants = { mine: boolean; failed: boolean; approvals: boolean }
export type PushBrowser = Schemas['PushBrowser']

// Why it cannot be, or undefined: 'insecure' (the page came without TLS from another machine), 'missing' (the browser has none),
// 'denied' (the person said no to the browser).
export function hindrance(): 'insecure' | 'missing' | 'denied' | undefined {
  if (!window.isSecureContext) return 'insecure'
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return 'missing'
  return Notification.permission === 'denied' ? 'denied' : undefined
}

// "Firefox on Linux"
export function nameOfBrowser(agent = navigator.userAgent): string {
  const find = (names: [RegExp, string][]) => names.find(([pattern]) => pattern.test(agent))?.[1] ?? ''
  const browser = find([[/Edg/, 'Edge'], [/OPR\//, 'Opera'], [/Firefox|FxiOS/, 'Firefox'], [/Chrome|CriOS/, 'Chrome'], [/Safari/, 'Safari']])
  const system = find([[/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Windows/, 'Windows'], [/Mac OS/, 'macOS'], [/Linux|X11/, 'Linux']])
  return [browser, system].filter((part) => part !== '').join(' · ')
}

export async function endpointHere(): Promise<string | undefined> {
  const registration = await navigator.serviceWorker?.getRegistration()
  return (await registration?.pushManager?.getSubscription())?.endpoint
}

// Asks the person when they were not asked yet; call it from a click.
export async function subscribe(key: string, wants: Wants): Promise<PushBrowser> {
  if ((await Notification.requestPermission()) !== 'granted') throw new Error('denied')
  const registration = await navigator.serviceWorker.ready
  let had = await registration.pushManager.getSubscription()
  if (had !== null && !sameKey(had, key)) {
    await had.unsubscribe() // made for another server's key
    had = null
  }
  const made = had ?? (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }))
  return tell(made, wants)
}

function tell(made: PushSubscription, wants: Wants): Promise<PushBrowser> {
  const keys = made.toJSON().keys ?? {}
  return must(api.POST('/api/v1/push', {
    body: {
      endpoint: made.endpoint, p256dh: keys['p256dh'] ?? '', auth: keys['auth'] ?? '', label: nameOfBrowser(), language: language(), ...wants,
    },
  }))
}

export async function unsubscribe(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration()
  await (await registration?.pushManager?.getSubscription())?.unsubscribe()
}

function sameKey(subscription: PushSubscription, key: string): boolean {
  const bytes = subscription.options.applicationServerKey
  if (bytes === null) return false
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)))
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === key
}
