import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NO_MARKS } from '../../../peer/people/person-marks.ts'
import type { ConversationSummary, PersonMarks } from '../../../peer/peer-api.ts'
import { loadLanguage } from '../../../web/src/i18n/language.ts'
import {
  MessageNotifications,
  type Notice,
  type NoticePlatform
} from '../../../web/src/notifications/message-notifications.svelte.ts'
import { ChatList, isLoud } from '../../../web/src/state/chat-list.svelte.ts'
import { message, person, summary } from '../../support/fixture-world.ts'

/** A chat with a person of this name, with one message in it. */
function chat(name: string, marks: Partial<PersonMarks> = {}, change: Partial<ConversationSummary> = {}) {
  const other = person(name, { marks: { ...NO_MARKS, answer: 'accepted', ...marks } })
  return summary(other, [message(other, 1, 'Hello')], change)
}

const titles = (chats: readonly ConversationSummary[]): string[] => chats.map(({ title }) => title)

describe('the list of chats', () => {
  const all = [
    chat('Bob'),
    chat('Carol', { pinned: true }),
    chat('Dan', { archived: true }, { unread: 1 }),
    chat('Eve', { answer: null }),
    chat('Frank', {}, { unread: 3 }),
    chat('Gina', {}, { kind: 'group', title: 'Gina' })
  ]
  const listOf = (filter: ChatList['chosen'], chats = all): ChatList => {
    const list = new ChatList(() => chats)
    list.chosen = filter
    return list
  }

  it('has pinned chats first, and neither requests nor what is archived', () => {
    expect(titles(listOf('all').shown)).toEqual(['Carol', 'Bob', 'Frank', 'Gina'])
  })

  it('can be narrowed', () => {
    expect(titles(listOf('unread').shown)).toEqual(['Frank'])
    expect(titles(listOf('groups').shown)).toEqual(['Gina'])
    expect(titles(listOf('requests').shown)).toEqual(['Eve'])
    expect(titles(listOf('archived').shown)).toEqual(['Dan'])
  })

  it('offers requests and the archive only while there is something in them', () => {
    expect(listOf('all').offered).toEqual(['all', 'unread', 'groups', 'requests', 'archived'])
    const few = listOf('archived', [chat('Bob')])
    expect([few.offered, few.filter]).toEqual([['all', 'unread', 'groups'], 'all'])
  })

  it('counts neither muted nor archived chats nor requests on the app', () => {
    expect(titles(all.filter(isLoud))).toEqual(['Bob', 'Carol', 'Frank', 'Gina'])
    expect(isLoud(chat('Hal', { muted: true }))).toBe(false)
  })
})

describe('notifications', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  /** Notifications of a device whose browser answers as said, with chats and what is kept. */
  async function notifying(options: {
    chats?: ConversationSummary[]
    permission?: NotificationPermission | null
    answer?: NotificationPermission
    kept?: string
    seen?: string
  }) {
    const items = new Map(options.kept ? [['volo-notifications', options.kept]] : [])
    const shown: Notice[] = []
    const asked = vi.fn<() => void>()
    const platform: NoticePlatform = {
      permission: () => (options.permission === undefined ? 'granted' : options.permission),
      ask: async () => {
        asked()
        return options.answer ?? 'granted'
      },
      show: async notice => void shown.push(notice)
    }
    const language = await loadLanguage(['en'])
    const notifications = new MessageNotifications({
      platform,
      storage: {
        getItem: key => items.get(key) ?? null,
        setItem: (key, value) => void items.set(key, value),
        removeItem: key => void items.delete(key)
      },
      conversation: id => options.chats?.find(each => each.id === id),
      language: () => language,
      isSeen: id => id === options.seen
    })
    const hear = async (from: ConversationSummary): Promise<Notice[]> => {
      notifications.arrived({ ...from.lastMessage!, conversationId: from.id, fromName: 'Bob' })
      await vi.runAllTimersAsync()
      return shown
    }
    return { notifications, asked, items, hear }
  }

  it('are off, and nothing is asked, until the person chooses them', async () => {
    const bob = chat('Bob', {}, { unread: 1 })
    const { notifications, asked, hear } = await notifying({ chats: [bob], permission: 'default' })
    expect(notifications.isOn).toBe(false)
    expect(await hear(bob)).toEqual([])
    expect(asked).not.toHaveBeenCalled()
    await notifications.choose('on')
    expect(asked).toHaveBeenCalledOnce()
    expect((await hear(bob)).map(({ title, body }) => [title, body])).toEqual([['Bob', 'Hello']])
  })

  it('stay off where the browser or the person says no', async () => {
    const { notifications, items } = await notifying({ permission: 'default', answer: 'denied' })
    await notifications.choose('on')
    expect([notifications.setting, notifications.permission, items.size]).toEqual(['off', 'denied', 0])
    const without = await notifying({ permission: null, kept: 'on' })
    expect(without.notifications.isOn).toBe(false)
  })

  it('can keep names and texts to themselves', async () => {
    const bob = chat('Bob', {}, { unread: 1 })
    const { hear } = await notifying({ chats: [bob], kept: 'hidden' })
    const [notice] = await hear(bob)
    expect([notice!.title, notice!.body, notice!.tag]).toEqual(['Volo', 'New message', 'volo'])
    expect(JSON.stringify([notice!.link, notice!.title, notice!.body])).not.toMatch(/Bob|Hello/)
  })

  it('are not shown for what is muted, archived, a request, read meanwhile or on the screen', async () => {
    const quiet = [
      chat('Muted', { muted: true }, { unread: 1 }),
      chat('Archived', { archived: true }, { unread: 1 }),
      chat('Stranger', { answer: null }, { unread: 1 }),
      chat('Read', {}, { unread: 0 }),
      chat('Seen', {}, { unread: 1 })
    ]
    const { hear } = await notifying({ chats: quiet, kept: 'on', seen: quiet[4]!.id })
    for (const each of quiet) expect(await hear(each), each.title).toEqual([])
  })

  it('are kept on this device, and end when they are switched off', async () => {
    const { notifications, items } = await notifying({ kept: 'on' })
    expect(notifications.isOn).toBe(true)
    await notifications.choose('off')
    expect([notifications.isOn, items.size]).toEqual([false, 0])
  })
})
