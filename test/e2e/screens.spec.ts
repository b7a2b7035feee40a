import { expect, test } from '@playwright/test'
import { FIXTURE_FOLDER, serveApp } from '../support/fixture-app.ts'
import { person } from '../support/fixture-world.ts'
import { HOSTILE_TEXTS } from '../support/hostile-texts.ts'
import { hostileWorld } from '../support/hostile-world.ts'
import { SCREENS_BY_AREA, screenNamed } from './screens/all-screens.ts'
import { TELLING, WALKS } from './screens/views.ts'
import { accessibilityFaults, type AxeRules } from './support/axe.ts'
import { watchForeignRequests } from './support/foreign-requests.ts'
import { changeView, changeWindow, contextOptions, openScreen, pageFaults, prepareView } from './support/screen-page.ts'

test.describe.configure({ mode: 'parallel' })

/** A busy machine may need seconds for what usually takes a moment. */
const SCREEN_PATIENCE_MS = 60_000

let app: Awaited<ReturnType<typeof serveApp>>

test.beforeAll(async () => {
  app = await serveApp(FIXTURE_FOLDER)
})

test.afterAll(async () => app?.stop())

for (const walk of WALKS) {
  for (const [area, screens] of Object.entries(SCREENS_BY_AREA)) {
    test(`every screen is accessible and fits: ${area}: ${walk.name}`, async ({ browser }) => {
      test.setTimeout(600_000)
      // One page for all screens of a walk: a new profile would load, compile and start everything again for each.
      const context = await browser.newContext(contextOptions(walk))
      const page = await context.newPage()
      page.setDefaultTimeout(SCREEN_PATIENCE_MS)
      const otherFaults = pageFaults(page)
      const check = async (what: string, rules: AxeRules): Promise<void> =>
        expect.soft([...(await accessibilityFaults(page, rules)), ...(await otherFaults())], what).toEqual([])
      await prepareView(page, walk.first)
      for (const screen of screens) {
        const isTelling = TELLING.has(screen.name)
        await changeWindow(page, walk.first)
        await openScreen(page, app.byName, screen, walk.first.language)
        // What a screen is made of was checked in the first walk; another window can only change how it looks.
        await check(screen.name, walk === WALKS[0] || isTelling ? 'all' : 'looks')
        for (const view of isTelling ? walk.then : []) {
          await changeView(page, view)
          await check(`${screen.name}, ${view.name}`, 'looks')
        }
      }
      await context.close()
    })
  }
}

test('the app can be used by keyboard alone', async ({ page }) => {
  await openScreen(page, app.byName, screenNamed('chats'))

  // Ctrl+K, a few letters, Enter: in a chat, ready to write.
  await page.keyboard.press('Control+k')
  await page.keyboard.type('charl')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Charles Babbage' })).toBeVisible()
  const composer = page.getByRole('textbox', { name: 'Write to Charles Babbage' })
  await expect(composer).toBeFocused()

  // Shift+Enter is a line, Enter sends.
  await composer.press('Control+a')
  await page.keyboard.type('One')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('Two')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('article', { name: /^You, .*delivered$/ }).last()).toContainText('One\nTwo')
  await expect(composer).toHaveValue('')

  // Other chats, and back to the list.
  await page.keyboard.press('Alt+ArrowDown')
  await expect(page.getByRole('heading', { name: 'Bob' })).toBeVisible()
  await page.keyboard.press('Alt+ArrowUp')
  await expect(page.getByRole('heading', { name: 'Charles Babbage' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByText('Choose a conversation')).toBeVisible()

  // The list of keys, which gives the focus back.
  await page.getByRole('link', { name: 'New chat' }).first().focus()
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)

  // The focus goes through everything, and is always to be seen.
  const seen = new Set<string>()
  for (let presses = 0; presses < 20; presses++) {
    await page.keyboard.press('Tab')
    const { name, outline } = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement
      return {
        name: element.ariaLabel ?? element.textContent.trim(),
        // After the last control the focus leaves the page.
        outline: element === document.body ? null : getComputedStyle(element).outlineStyle
      }
    })
    if (outline === null) continue
    seen.add(name)
    expect(outline, name).not.toBe('none')
  }
  // What is unread is part of a name: Bob's chat was on the screen for too short a time to be read.
  const names = ['Chats', 'People', 'You', 'Search chats', 'Width of the list']
  expect(names.filter(name => ![...seen].some(each => each.startsWith(name)))).toEqual([])
})

test('nothing that people write runs, loads anything, or becomes a part of the page', async ({ page, context }) => {
  expect(HOSTILE_TEXTS.length).toBeGreaterThan(200)
  const foreign = watchForeignRequests(context, [app.origin])
  const faults = pageFaults(page)
  page.on('dialog', dialog => {
    foreign.push(dialog.message())
    void dialog.dismiss()
  })
  const look = async (where: string): Promise<void> => {
    const found = await page.evaluate(() => ({
      ran: 'hostile' in globalThis,
      // The app makes none of these, and no handler in markup.
      elements: document.querySelectorAll(
        '#app :is(script, iframe, object, embed, style, link, meta, base, marquee, template, math, animate, use)'
      ).length,
      handlers: [...document.querySelectorAll('#app *')].filter(each =>
        each.getAttributeNames().some(name => name.startsWith('on'))
      ).length,
      links: [...document.querySelectorAll<HTMLAnchorElement>('#app a[href]')].filter(
        each => !/^https?:$/.test(each.protocol)
      ).length
    }))
    expect.soft(found, where).toEqual({ ran: false, elements: 0, handlers: 0, links: 0 })
  }
  const hostile = person('hostile 3').accountId
  await openScreen(page, app.origin, { name: 'hostile', world: hostileWorld })
  // Hundreds of rows: what a role is would be worked out for each of them at every look.
  const rows = page.locator('[aria-label=Conversations] a')
  await expect(rows).toHaveCount(HOSTILE_TEXTS.length + 2)
  await look('chats')
  await page.getByLabel('Search chats').fill(HOSTILE_TEXTS[2]!)
  await look('search')
  await page.getByLabel('Search chats').fill('')
  for (const hash of [
    '#/people',
    `#/people/${hostile}`,
    `#/people/${hostile}/record`,
    `#/people/${hostile}/check`,
    '#/you'
  ]) {
    await page.evaluate(to => (location.hash = to), hash)
    await expect(page.locator('[aria-busy=true]')).toHaveCount(0)
    await look(hash)
  }
  await page.evaluate(to => (location.hash = to), '#/')
  await rows.first().click()
  await expect(page.getByRole('article').last()).toBeVisible()
  await page.getByRole('log').evaluate(log => (log.scrollTop = log.scrollHeight / 2))
  await look('thread')
  await rows.nth(1).click()
  await look('group')
  expect(foreign).toEqual([])
  expect((await faults()).filter(fault => !fault.startsWith('something is wider'))).toEqual([])
})

test('a long thread stays where one reads, and follows when one is at its end', async ({ page }) => {
  await openScreen(page, app.byName, screenNamed('thread'))
  const log = page.getByRole('log')
  const fromEnd = () => log.evaluate(list => list.scrollHeight - list.clientHeight - list.scrollTop)
  await expect(log.getByText('Shall I bring the drawings?')).toBeInViewport()

  // At the end: an own message pushes the list along.
  await page.getByRole('textbox', { name: 'Write to Bob' }).fill('Bring them all')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('article').filter({ hasText: 'Bring them all' })).toBeInViewport()
  expect(await fromEnd()).toBeLessThan(4)

  // Up to the beginning: older pages come, and only what is near the screen is in the page.
  await log.hover()
  await expect(async () => {
    await page.mouse.wheel(0, -4_000)
    await expect(log.getByText('Line 1 of our long letter.')).toBeInViewport({ timeout: 300 })
  }).toPass()
  expect(await page.getByRole('article').count()).toBeLessThan(60)
  const jump = page.getByRole('button', { name: 'Jump to newest' })
  await jump.click()
  await expect(log.getByText('Bring them all')).toBeInViewport()
  await expect(jump).toHaveCount(0)
})
