// What the service worker keeps and says.
import { describe, expect, test } from 'vitest'
import { isKept, isPage, notice } from '../src/lib/offline/rules'

const kept = (path: string, headers: Record<string, string> = {}) => isKept(new URL(path, 'http://here'), new Headers(headers))

describe('what is kept for reading offline', () => {
  test.each(['/api/v1/jobs/job_1', '/api/v1/jobs/job_1/outputs/0', '/api/v1/steps', '/api/v1/jobs?state=failed', '/api/v1/documents/doc_1/content'])(
    '%s', (path) => expect(kept(path)).toBe(true))
  test.each(['/api/v1/keys', '/api/v1/secrets', '/api/v1/push', '/api/v1/session', '/api/v1/webhooks/whk_1', '/api/v1/jobs/job_1/archive',
    '/api/v1/jobs/job_1/socket', '/api/v1/jobs/job_1?wait=20', '/health', '/docs', '/'])('not %s', (path) => expect(kept(path)).toBe(false))
  test('no streams, no parts', () => {
    expect(kept('/api/v1/events', { Accept: 'text/event-stream' })).toBe(false)
    expect(kept('/api/v1/blobs/abc', { Range: 'bytes=0-9' })).toBe(false)
  })
  test('names that only begin alike are kept', () => expect(kept('/api/v1/keysmith')).toBe(true))
})

test.each([['/', true], ['/jobs/job_1', true], ['/docsy', true], ['/docs', false], ['/docs/x.js', false], ['/api/v1/jobs', false],
  ['/openapi.json', false], ['/metrics', false]] as const)('%s is a page: %s', (path, page) => expect(isPage(new URL(path, 'http://here'))).toBe(page))

describe('notifications', () => {
  test('say what happened in the language that was chosen', () => {
    const job = { type: 'job.failed', job: 'job_1', name: 'image.convert', detail: 'it is cut short', path: '/jobs/job_1' }
    expect(notice({ ...job, language: 'en' }, 'ru')).toEqual({ title: 'image.convert failed', body: 'it is cut short', tag: 'job_1', path: '/jobs/job_1' })
    expect(notice({ ...job, language: 'ru' }, 'en').title).toBe('image.convert: ошибка')
    expect(notice(job, 'zh-CN').title).toBe('image.convert 失败')
    expect(notice(job, 'fr').title).toBe('image.convert failed')
  })
  test.each(['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', ''])('lead nowhere else: %s', (path) =>
    expect(notice({ type: 'job.done', path }, 'en').path).toBe('/'))
  test('of unknown kinds say something', () => expect(notice({ type: '' }, 'en').title).toBe('Something happened in platen'))
})
