// The frame around all pages: navigation, palette, shortcuts, language, theme, phone.
import { axe, expect, keyboard, test } from './desk'

test('the palette finds a page from the keyboard', async ({ desk }) => {
  const page = await desk.open('/')
  await keyboard(page, 'Control+k')
  const field = page.getByRole('combobox')
  await desk.sees(field)
  await axe(page)
  await field.fill('image.convert')
  await desk.sees(page.getByRole('option', { name: /image\.convert/ }))
  await keyboard(page, 'Escape')
  await desk.misses(field)
})

test('the palette changes the theme, and it stays', async ({ desk }) => {
  const page = await desk.open('/')
  const theme = () => page.evaluate(() => document.documentElement.dataset['theme'])
  const before = await theme()
  await keyboard(page, 'Control+k')
  await page.getByRole('combobox').fill(before === 'dark' ? 'light' : 'dark')
  await keyboard(page, 'Enter')
  await expect.poll(theme).not.toBe(before)
  await page.reload()
  await expect.poll(theme).not.toBe(before)
})

test('the language is changed at once, and it stays', async ({ desk }) => {
  const page = await desk.open('/')
  for (const [name, lang, word] of [['Русский', 'ru', 'Главная'], ['中文', 'zh', '首页']] as const) {
    await keyboard(page, 'Control+k')
    await page.getByRole('combobox').fill(name)
    await keyboard(page, 'Enter')
    await expect.poll(() => page.locator('html').getAttribute('lang')).toBe(lang)
    await desk.sees(page.getByRole('navigation').getByText(word))
  }
  await page.reload()
  await desk.sees(page.getByRole('navigation').getByText('首页'))
})

test('the language of the browser is the first one', async ({ desk }) => {
  const page = await desk.open('/', { language: 'ru' })
  expect(await page.locator('html').getAttribute('lang')).toBe('ru')
})

test('shortcuts are listed', async ({ desk }) => {
  const page = await desk.open('/')
  await keyboard(page, '?')
  await desk.sees(page.getByRole('dialog'))
  await axe(page)
})

test('on a phone the navigation is behind a button', async ({ desk }) => {
  const page = await desk.open('/', { phone: true })
  const link = page.getByRole('navigation').getByRole('link').first()
  expect(await link.isVisible()).toBe(false)
  await page.getByRole('button', { expanded: false }).first().click()
  await desk.sees(link)
  await axe(page)
})

test('a path that is no page says so and leads on', async ({ desk }) => {
  const page = await desk.open('/nowhere')
  await axe(page)
  await page.locator('main').getByRole('link').first().click()
  await expect.poll(() => new URL(page.url()).pathname).toBe('/')
})
