// Health: in plain words, with what to do.
import { axe, test } from './desk'

test('checks, engines and layers; an alert comes and leads on', async ({ desk }) => {
  await desk.own()
  await desk.client.run('text.tokens', { text: 'one two' })
  const page = await desk.open('/system')
  await desk.sees(page.getByRole('region', { name: 'Checks' }).getByText('Database'))
  await desk.sees(page.getByRole('row', { name: /text .*ready/ }))
  await desk.sees(page.getByRole('region', { name: 'What encloses the engines' }).getByText('system call filter'))
  await desk.sees(page.getByRole('region', { name: 'This server' }).getByText(/SQLite/))
  await desk.client.call('POST', '/api/v1/steps/test.fail', { params: { reason: 'internal' }, attempts: 1, wait: 10 })
  const alerts = page.getByRole('region', { name: 'Alerts' })
  await desk.sees(alerts.getByText('The task went to the dead letters.'))
  await axe(page)
  await alerts.getByRole('link', { name: 'Have a look' }).first().click()
  await desk.sees(page.getByText('internal'))
})
