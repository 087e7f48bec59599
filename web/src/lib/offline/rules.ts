// What the service worker keeps, and what its notifications say. Only the worker and the tests read this: it must not be shared
// with the app, or the worker would have to load a file of the app to start.

export const limits = { entries: 400, bytes: 8_000_000 }

// Reading that is worth having without a connection: what was opened. Nothing that grows for ever (streams), that is fetched in parts,
// that waits, and nothing of keys and secrets.
export function isKept(url: URL, headers: Headers): boolean {
  if (!url.pathname.startsWith('/api/v1/')) return false
  if (/^\/api\/v1\/(keys|secrets|push|webhooks|backup|bridges|session)(\/|$)/.test(url.pathname)) return false
  if (/\/(archive|socket)$/.test(url.pathname)) return false
  if (url.searchParams.has('wait')) return false
  return !headers.has('range') && !(headers.get('accept') ?? '').includes('text/event-stream')
}

// Pages of the app; everything else on this address is the server's own.
export function isPage(url: URL): boolean {
  return !/^\/(api|docs|health|metrics|openapi\.json)(\/|$)/.test(url.pathname)
}

export type PushData = {
  type: string
  path?: string
  job?: string | null
  name?: string
  reason?: string
  detail?: string
  node?: string
  language?: string
}

type Words = { done: string; failed: string; canceled: string; approval: string; test: string; testBody: string; other: string }
const words: Record<string, Words> = {
  en: {
    done: '{name} is done', failed: '{name} failed', canceled: '{name} was cancelled', approval: '{name} waits for your approval',
    test: 'Notifications work', testBody: 'This browser will hear of what you chose.', other: 'Something happened in platen',
  },
  ru: {
    done: '{name}: готово', failed: '{name}: ошибка', canceled: '{name}: отменено', approval: '{name}: ждёт вашего решения',
    test: 'Уведомления работают', testBody: 'Этот браузер узнает о том, что вы выбрали.', other: 'В platen что-то произошло',
  },
  zh: {
    done: '{name} 已完成', failed: '{name} 失败', canceled: '{name} 已取消', approval: '{name} 等待您的审批',
    test: '通知可用', testBody: '此浏览器将收到您选择的通知。', other: 'platen 中有新动态',
  },
}

// A notification's words and where it leads.
export function notice(data: PushData, language: string): { title: string; body: string; tag: string; path: string } {
  const say = words[data.language ?? ''] ?? words[language.slice(0, 2)] ?? words['en']!
  const named = (text: string) => text.replace('{name}', data.name === undefined || data.name === '' ? 'platen' : data.name)
  const path = data.path !== undefined && /^\/[^/\\]/.test(data.path) ? data.path : '/'
  const tag = data.job ?? data.type
  switch (data.type) {
    case 'job.done': return { title: named(say.done), body: '', tag, path }
    case 'job.failed': return { title: named(say.failed), body: data.detail ?? data.reason ?? '', tag, path }
    case 'job.canceled': return { title: named(say.canceled), body: '', tag, path }
    case 'wait.approval': return { title: named(say.approval), body: data.node ?? '', tag, path }
    case 'test': return { title: say.test, body: say.testBody, tag, path }
    default: return { title: say.other, body: named('{name}'), tag, path }
  }
}
