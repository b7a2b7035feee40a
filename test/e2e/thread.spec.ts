import { expect, test, type Locator, type Page } from '@playwright/test'
import { FIXTURE_FOLDER, serveApp } from '../support/fixture-app.ts'
import { WORLD_CHANNEL } from '../support/fake-peer.ts'
import type { ChatMessage, PromiseView } from '../../peer/peer-api.ts'
import { busyWorld, conversationId, fixtureId, message, person, type World } from '../support/fixture-world.ts'
import { hostile } from './screens/worlds.ts'
import { longestTask } from './support/long-tasks.ts'
import { openScreen } from './support/screen-page.ts'

test.describe.configure({ mode: 'parallel' })

const bob = person('Bob')
const id = conversationId(bob)
const hash = `#/chats/${id}`
let app: Awaited<ReturnType<typeof serveApp>>

test.beforeAll(async () => {
  app = await serveApp(FIXTURE_FOLDER)
})

test.afterAll(async () => app?.stop())

/** Bob wrote so many messages, of which the newest ones are unread. */
function letters(count: number, unread: number): World {
  const world = busyWorld()
  const messages = Array.from({ length: count }, (_, index) => message(bob, count - index, `number ${index}`))
  const conversations = world.snapshot.conversations.map(each =>
    each.id === id ? { ...each, unread, draft: '', lastMessage: messages.at(-1) ?? null } : each
  )
  return { ...world, messages: { ...world.messages, [id]: messages }, snapshot: { ...world.snapshot, conversations } }
}

const open = (page: Page, world: World) => openScreen(page, app.origin, { name: 'thread', world: () => world, hash })
const composer = (page: Page) => page.getByRole('textbox', { name: 'Write to Bob' })
const fromEnd = (log: Locator) => log.evaluate(list => list.scrollHeight - list.clientHeight - list.scrollTop)

/** Texts of at most 20,000 units that took a reader's window seconds, or may: each is allowed. */
const HURTING: Record<string, string> = {
  newlines: 'a' + '\n'.repeat(19_998) + 'b',
  'combining marks': 'a' + '\u0301'.repeat(19_999),
  'one word': 'w'.repeat(20_000),
  links: 'http://a.bc/ '.repeat(1_538).trim(),
  brackets: 'https://' + '('.repeat(19_000),
  'ends of sentences': `https://a.bc/${')'.repeat(2_000)}a `.repeat(9).trim(),
  embeddings: '\u202b'.repeat(19_000) + 'x',
  families: '👨‍👩‍👧'.repeat(2_500),
  'Tibetan vowels': '\u0f40' + '\u0f74\u0f7c'.repeat(9_999),
  spaces: 'a' + ' '.repeat(19_998) + 'b',
  'reversed lines': '\u202eabc\n'.repeat(4_000).trim(),
  ligatures: '\ufdfd'.repeat(20_000)
}

function hostileWorld(): World {
  const world = letters(0, 0)
  world.messages[id] = Object.values(HURTING).map((text, index) => message(bob, index, text))
  return world
}

/** Bob writes one more. */
async function arrive(page: Page, world: World, text: string): Promise<void> {
  world.messages[id] = [...world.messages[id]!, message(bob, 0, text)]
  await page.evaluate(([channel, next]) => new BroadcastChannel(channel).postMessage(next), [
    WORLD_CHANNEL,
    world
  ] as const)
}

for (const [name, viewport] of [
  ['a desktop', { width: 1280, height: 800 }],
  ['a phone', { width: 375, height: 740 }]
] as const) {
  test(`the newest message stays on the screen of ${name} while one writes, and what comes is seen`, async ({
    page
  }) => {
    await page.setViewportSize(viewport)
    const world = letters(60, 0)
    await open(page, world)
    const log = page.getByRole('log')
    await expect(log.getByText('number 59', { exact: true })).toBeInViewport()
    await composer(page).pressSequentially(
      'I am writing a rather long answer to all of this, line after line. '.repeat(5)
    )
    expect(await fromEnd(log)).toBeLessThan(2)
    for (let line = 0; line < 4; line++) await composer(page).press('Shift+Enter')
    expect(await fromEnd(log)).toBeLessThan(2)
    await arrive(page, world, 'While you type')
    await expect(log.getByText('While you type')).toBeInViewport()
    // The keyboard opens, the phone turns, and back.
    for (const size of [{ width: viewport.width, height: 420 }, { width: 740, height: 375 }, viewport]) {
      await page.setViewportSize(size)
      await expect.poll(() => fromEnd(log)).toBeLessThan(2)
    }
    await composer(page).fill('')
    await expect(page.getByRole('button', { name: /Jump to newest|new message/ })).toHaveCount(0)
    // A reader further up is left in peace. Until the thread has its place in the new size, it may undo what the wheel did.
    await log.hover()
    await expect(async () => {
      await page.mouse.wheel(0, -600)
      await expect(page.getByRole('button', { name: 'Jump to newest' })).toBeVisible({ timeout: 500 })
      await log.evaluate(async () => {
        for (let frame = 0; frame < 10; frame++) await new Promise(requestAnimationFrame)
      })
      expect(await fromEnd(log)).toBeGreaterThan(200)
    }).toPass()
    await composer(page).fill('One\ntwo\nthree\nfour')
    await arrive(page, world, 'Out of sight')
    await expect(log.getByText('Out of sight')).not.toBeInViewport()
  })
}

for (const unread of [5, 60, 700]) {
  test(`a chat of which all ${unread} messages are unread opens at the first, and only what was seen counts`, async ({
    page
  }) => {
    await open(page, letters(unread, unread))
    await expect(page.getByText('New messages', { exact: true })).toBeInViewport()
    await expect(page.getByText('number 0', { exact: true })).toBeInViewport()
    if (unread === 5) {
      await expect(page).toHaveTitle(/^Bob/)
      return
    }
    const left = async () => Number(/^\((\d+)\)/.exec(await page.title())?.[1] ?? 0)
    await expect.poll(left).toBeLessThan(unread)
    expect(await left()).toBeGreaterThan(unread - 30)
    await page.getByRole('button', { name: /new messages/ }).click()
    await expect(page).toHaveTitle(/^Bob/)
  })
}

test('Enter that ends a word of an input method neither sends nor switches', async ({ page }) => {
  await open(page, letters(3, 0))
  const enter = (target: Locator, isComposing: boolean, keyCode: number) =>
    target.evaluate(
      (element, key) => {
        if (!key.isComposing)
          element.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true, data: 'に' }))
        element.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...key }))
      },
      { isComposing, keyCode }
    )
  await composer(page).fill('にほんご')
  await enter(composer(page), true, 229)
  // Safari: the composition has ended when the key is told.
  await enter(composer(page), false, 229)
  await expect(composer(page)).toHaveValue('にほんご')
  await enter(composer(page), false, 13)
  await expect(composer(page)).toHaveValue('')
  await expect(page.getByRole('article').filter({ hasText: 'にほんご' })).toHaveCount(1)

  await page.keyboard.press('Control+k')
  const field = page.getByRole('combobox')
  await field.fill('Charles')
  await enter(field, true, 229)
  await enter(field, false, 229)
  await expect(field).toBeVisible()
  expect(page.url()).toContain(id)
  await field.press('Enter')
  await expect(page.getByRole('heading', { name: 'Charles Babbage' })).toBeVisible()
})

test('a hostile note is folded', async ({ page }) => {
  await openScreen(page, app.origin, { name: 'hostile', world: hostile, hash })
  const notes = page.getByRole('article')
  await expect(page.getByRole('button', { name: 'Show more' }).last()).toBeVisible()
  for (const note of await notes.all())
    expect(await note.evaluate(element => element.getBoundingClientRect().height)).toBeLessThan(1_200)
})

/** Longest task of the window, in milliseconds of the processor: more is felt as a freeze. */
const MAX_TASK_MS = 100
test('no hostile text freezes the window: not as it comes, unfolds, or is laid out again', async ({
  page,
  browser
}) => {
  const world = letters(3, 0)
  await open(page, world)
  const slow: string[] = []
  const watched = async (what: string, act: () => Promise<void>) => {
    const ms = await longestTask(browser, page, act)
    if (ms > MAX_TASK_MS) slow.push(`${what}: ${Math.round(ms)} ms`)
  }
  for (const [name, text] of Object.entries(HURTING)) {
    const notes = page.getByRole('article')
    await watched(`${name}, as it comes`, async () => {
      await arrive(page, world, text)
      await expect.poll(() => notes.last().evaluate(note => note.textContent)).toContain(text.slice(0, 8))
    })
    await watched(`${name}, unfolding`, async () => {
      for (let times = 0; times < 2; times++) {
        const more = notes.last().getByRole('button', { name: 'Show more' })
        if ((await more.count()) > 0) await more.click()
      }
    })
    world.messages[id] = world.messages[id]!.slice(0, 3)
    await open(page, world)
  }
  await openScreen(page, app.origin, { name: 'hostile', world: () => hostileWorld(), hash })
  await watched('all of them, in a narrow window', async () => {
    await page.setViewportSize({ width: 375, height: 740 })
    await expect(composer(page)).toBeVisible()
  })
  expect(slow).toEqual([])
})

test('a draft of 20,000 lines costs what a bare text box costs, and is sent', async ({ page, browser }) => {
  await open(page, letters(3, 0))
  const text = HURTING['newlines']!
  const ms = await longestTask(browser, page, () =>
    composer(page).evaluate((field: HTMLTextAreaElement, pasted) => {
      field.value = pasted
      field.dispatchEvent(new Event('input', { bubbles: true }))
    }, text)
  )
  // 200 ms in a bare box, five times that where the direction of all lines is looked at for each line.
  expect(ms).toBeLessThan(700)
  await composer(page).press('Enter')
  await expect(page.getByRole('article').last()).toHaveAccessibleName(/^You/)
  await expect(composer(page)).toHaveValue('')
})

test('a message has a menu by right click and by keyboard, with its text to copy and its times', async ({
  page,
  context
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await open(page, letters(5, 0))
  await page.getByRole('log').getByText('number 4', { exact: true }).click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Copy text' }).click()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('number 4')
  await expect(page.getByRole('menu')).toHaveCount(0)
  await page
    .getByRole('button', { name: /^Message from Bob, .*menu$/ })
    .last()
    .focus()
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menuitemcheckbox').first()).toBeFocused()
  const details = page.getByRole('menuitem', { name: 'Details' })
  const items = await page.getByRole('menu').locator('button').count()
  for (let step = 0; step < items; step++) {
    if (await details.evaluate(node => node === document.activeElement)) break
    await page.keyboard.press('ArrowDown')
  }
  await expect(details).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog', { name: 'Bob' })).toContainText('Arrived on this device')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
})

test('the details of a sent message say which operator keeps it, and which one broke its promise', async ({ page }) => {
  const world = letters(5, 0)
  const [last, ...before] = world.messages[id]!.toReversed()
  const own: ChatMessage = { ...last!, mine: true, state: 'sent' }
  const facts = { mailbox: '', deliveryId: '', promisedAt: 0, sentence: null }
  const promises: PromiseView[] = [
    { ...facts, node: fixtureId('node a'), operator: 'aaaaaaaa', state: 'kept' },
    { ...facts, node: fixtureId('node b'), operator: 'bbbbbbbb', state: 'broken' }
  ]
  const messages = { ...world.messages, [id]: [...before.toReversed(), own] }
  await open(page, { ...world, messages, promises: { [own.id]: promises } })
  await page.getByRole('log').getByText('number 4', { exact: true }).click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Details' }).click()
  await page.getByRole('button', { name: 'Ask who still keeps it' }).click()
  await expect(page.getByRole('dialog')).toContainText('Kept by operator aaaaaaaa')
  await expect(page.getByRole('dialog')).toContainText('it broke its promise')
})

test('the safety number and the record open beside the chat', async ({ page }) => {
  await open(page, letters(5, 0))
  await page.getByTitle('About Bob').click()
  await page.getByRole('link', { name: 'Compare safety number' }).click()
  await expect(page.getByLabel('Sixty digits')).toBeVisible()
  await expect(composer(page)).toBeVisible()
  const groups = page.getByLabel('Sixty digits').locator('span')
  const tops = new Set(await groups.evaluateAll(all => all.map(each => Math.round(each.getBoundingClientRect().top))))
  expect([await groups.count(), tops.size]).toEqual([12, 4])
  await page.getByRole('button', { name: 'They are the same' }).click()
  await page.getByRole('link', { name: 'Back' }).last().click()
  await expect(page.getByText('Verified', { exact: true }).last()).toBeVisible()
  await page.getByText('Details', { exact: true }).click()
  await page.getByRole('link', { name: 'Open the public record' }).click()
  await expect(page.getByRole('heading', { name: 'Public record' })).toBeVisible()
  await expect(composer(page)).toBeVisible()
})
