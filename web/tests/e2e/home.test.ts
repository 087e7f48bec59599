// Home: what runs, what failed and why, what waits for somebody, what was used.
import { axe, expect, test } from './desk'

test('an empty project says what will be here', async ({ desk }) => {
  await desk.own()
  const page = await desk.open('/')
  await desk.sees(page.getByRole('heading', { name: 'Nothing has run here yet' }))
  await axe(page)
})

test('what runs, failed, waits and was used, as it happens', async ({ desk }) => {
  await desk.own()
  await desk.client.run('text.tokens', {}, ['notes.md'])
  await desk.client.run('test.fail', { reason: 'input_damaged' })
  const page = await desk.open('/')
  const failed = page.getByRole('region', { name: 'Failed in the last 24 hours' })
  await desk.sees(failed.getByText('input_damaged'))
  expect(await failed.getByRole('link', { name: 'test.fail' }).first().getAttribute('href')).toMatch(/^\/jobs\/job_/)
  await desk.sees(page.getByRole('region', { name: 'Used today' }).getByText('Tokens'))
  await desk.sees(page.getByRole('link', { name: /1 task used up its attempts/ }))
  await desk.sees(page.getByRole('region', { name: 'Queues' }).getByText('Attempts per minute'))

  // Live: a job that starts elsewhere comes without a reload, and goes when it ends.
  const job = await desk.client.call('POST', '/api/v1/steps/test.sleep', { params: { ms: 600000 } })
  const running = page.getByRole('region', { name: 'Running now' })
  await desk.sees(running.getByRole('link', { name: 'test.sleep' }))
  await desk.client.call('POST', `/api/v1/jobs/${job.id}/cancel`)
  await desk.sees(running.getByText('Nothing runs now.'))
  await axe(page)
})

test('a chart is also a table', async ({ desk }) => {
  await desk.client.run('text.stats', { text: 'one' })
  const page = await desk.open('/')
  const chart = page.getByRole('figure').first()
  await desk.sees(chart.locator('canvas'))
  await chart.getByText('As a table').click()
  await desk.sees(chart.getByRole('columnheader', { name: 'ended' }))
})
