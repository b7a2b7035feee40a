import { expect } from '@playwright/test'
import { busyWorld, conversationId, filesWorld, newcomerWorld, person } from '../../support/fixture-world.ts'
import { saidWorld } from '../../support/said-world.ts'
import { FIXTURE_PICTURE } from '../../support/fixture-picture.ts'
import { alarmed, hostile, offline, oneOperator } from './worlds.ts'
import { BOB_THREAD, MARY_THREAD } from './addresses.ts'
import type { Screen } from './screen.ts'

/** The list of chats, and a chat with what can be opened from it. */
export const CHAT_SCREENS: Screen[] = [
  { name: 'chats-empty', world: newcomerWorld },
  { name: 'chats', world: busyWorld },
  {
    name: 'chats-search-nothing',
    world: busyWorld,
    act: (page, words) => page.getByLabel(words.chats.search).fill('zuse')
  },
  {
    name: 'chats-offline',
    world: () => offline(busyWorld()),
    act: (page, words) => page.getByText(words.status.offline).first().waitFor()
  },
  {
    name: 'chats-arriving',
    world: () => ({
      ...busyWorld(),
      history: { state: 'receiving', from: 'ab', chats: 14, chatsTotal: 32, messages: 4_711, shipping: [] }
    })
  },
  { name: 'thread', world: busyWorld, hash: BOB_THREAD },
  {
    name: 'thread-end',
    world: busyWorld,
    hash: BOB_THREAD,
    act: async (page, words) => {
      await page.getByRole('log').evaluate(log => (log.scrollTop = log.scrollHeight))
      await page
        .getByLabel(words.thread.write('Bob'))
        .fill('One line\nand another one\nand a third, which is quite a bit longer than the others')
    }
  },
  {
    name: 'thread-middle',
    world: busyWorld,
    hash: BOB_THREAD,
    act: async (page, words) => {
      await page.getByText('Shall I bring the drawings?').last().waitFor()
      await page.getByRole('log').hover()
      // Until the thread has its place, it scrolls by itself, and may undo what the wheel did.
      await expect(async () => {
        await page.mouse.wheel(0, -1_000)
        await page.getByRole('button', { name: words.thread.newest }).waitFor({ timeout: 500 })
      }).toPass()
    }
  },
  { name: 'thread-held', world: busyWorld, hash: MARY_THREAD },
  { name: 'thread-notes', world: busyWorld, hash: `#/chats/${conversationId(person('Ada Lovelace'))}` },
  {
    name: 'thread-empty',
    world: busyWorld,
    hash: '#/new?find=grace_hopper',
    act: async (page, words) => {
      await page.getByRole('button', { name: words.people.messageTo('Grace Hopper') }).click()
      await page.getByText(words.thread.hello('Grace Hopper')).waitFor()
    }
  },
  {
    name: 'thread-menu',
    world: busyWorld,
    hash: BOB_THREAD,
    act: async page => {
      await page.getByText('Are you there?').first().waitFor()
      await page.locator('.note', { hasText: 'Shall I bring the drawings' }).click({ button: 'right' })
      await page.getByRole('menu').waitFor()
    }
  },
  {
    name: 'thread-said',
    world: saidWorld,
    hash: BOB_THREAD,
    act: async (page, words) => {
      await page.locator('.note', { hasText: 'This one does not stay' }).click({ button: 'right' })
      await page.getByRole('menuitem', { name: words.messages.reply }).click()
    }
  },
  {
    name: 'thread-delete',
    world: saidWorld,
    hash: BOB_THREAD,
    act: async (page, words) => {
      await page.locator('.note', { hasText: 'This one does not stay' }).click({ button: 'right' })
      await page.getByRole('menuitem', { name: words.messages.remove }).click()
    }
  },
  {
    name: 'thread-files',
    world: filesWorld,
    hash: BOB_THREAD,
    act: async (page, words) => {
      await page.getByRole('log').evaluate(log => (log.scrollTop = log.scrollHeight))
      await page.locator('input[type=file]').setInputFiles([
        { name: 'sketch.png', mimeType: 'image/png', buffer: Buffer.from(FIXTURE_PICTURE) },
        { name: 'table.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b') }
      ])
      await page.getByRole('list', { name: words.files.chosen }).locator('img').waitFor()
    }
  },
  {
    name: 'picture-viewer',
    world: filesWorld,
    hash: BOB_THREAD,
    act: async (page, words) => {
      await page.getByRole('button', { name: words.files.openPicture('rose.png') }).click()
      await page.getByRole('button', { name: words.files.zoomIn }).waitFor()
    }
  },
  { name: 'thread-hostile', world: hostile, hash: BOB_THREAD },
  { name: 'thread-alert', world: () => alarmed(busyWorld()), hash: BOB_THREAD },
  {
    name: 'switcher',
    world: busyWorld,
    hash: BOB_THREAD,
    act: async page => {
      await page.keyboard.press('Control+k')
      await page.getByRole('listbox').waitFor()
    }
  },
  {
    name: 'keys',
    world: busyWorld,
    act: async page => {
      await page.keyboard.press('?')
      await page.getByRole('dialog').waitFor()
    }
  },
  { name: 'not-found', world: busyWorld, hash: '#/nowhere' },
  { name: 'one-operator', world: () => oneOperator(busyWorld()) }
]
