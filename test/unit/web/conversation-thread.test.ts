import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ChatMessage } from '../../../peer/peer-api.ts'
import { ConversationThread } from '../../../web/src/state/conversation-thread.svelte.ts'
import { EndPin, type ListGeometry } from '../../../web/src/state/end-pin.ts'
import { firstUnreadId, rowIndexOf, threadRows } from '../../../web/src/state/thread-rows.ts'
import { FakePeer } from '../../support/fake-peer.ts'
import { busyWorld, conversationId, message, person, type World } from '../../support/fixture-world.ts'
import { waitFor } from '../../support/wait-for.ts'

const bob = person('Bob')
const id = conversationId(bob)

function longWorld(count: number): World {
  const messages = Array.from({ length: count }, (_, index) => message(bob, count - index, `Line ${index}`))
  return { ...busyWorld(), messages: { [id]: messages } }
}

function withMessages(world: World, change: (messages: World['messages'][string]) => World['messages'][string]): World {
  return { ...world, messages: { ...world.messages, [id]: change(world.messages[id]!) } }
}

async function opened(world: World, unread = 0) {
  const peer = new FakePeer(world)
  const thread = new ConversationThread(peer, id, unread)
  await thread.open()
  return { peer, thread }
}

const texts = (thread: ConversationThread) => thread.messages.map(each => each.text)

afterEach(() => vi.restoreAllMocks())

describe('an open conversation', () => {
  it('starts with the newest page', async () => {
    const { thread } = await opened(longWorld(150))
    expect(thread.state).toBe('ready')
    expect(texts(thread)).toHaveLength(60)
    expect(texts(thread).at(-1)).toBe('Line 149')
    expect(thread.hasOlder).toBe(true)
  })

  it('shows what arrives while the first page is on its way', async () => {
    const world = longWorld(2)
    const peer = new FakePeer(world)
    const thread = new ConversationThread(peer, id, 0)
    const read = peer.messages.page
    const answered = Promise.withResolvers<void>()
    peer.messages.page = async (...asked) => {
      peer.messages.page = read
      const page = await read(...asked)
      await answered.promise
      return page
    }
    const opening = thread.open()
    peer.show(withMessages(world, messages => [...messages, message(bob, 0, 'Just now')]))
    answered.resolve()
    await opening
    await waitFor(() => expect(texts(thread)).toEqual(['Line 0', 'Line 1', 'Just now']))
  })

  it('calls people as they are called now, once it is told to', async () => {
    const { peer, thread } = await opened(longWorld(2))
    const read = peer.messages.page
    peer.messages.page = async (...asked) => (await read(...asked)).map(each => ({ ...each, fromName: 'Bobby' }))
    thread.renew()
    await waitFor(() => expect(thread.messages.map(({ fromName }) => fromName)).toEqual(['Bobby', 'Bobby']))
  })

  it('gets older pages before what is there, each once', async () => {
    const { thread } = await opened(longWorld(150))
    await Promise.all([thread.loadOlder(), thread.loadOlder()])
    expect(texts(thread)).toEqual(Array.from({ length: 120 }, (_, index) => `Line ${index + 30}`))
    expect(thread.grewAtStart).toBe(true)
    await thread.loadOlder()
    expect(texts(thread)[0]).toBe('Line 0')
    expect(thread.hasOlder).toBe(false)
  })

  it('jumps to a message however far back it is, and stays where it is for one that is not there', async () => {
    const world = longWorld(1_300)
    const { thread } = await opened(world)
    const target = world.messages[id]![17]!
    await thread.jump(target.id)
    expect(thread.target).toBe(target.id)
    expect(thread.messages.map(each => each.id)).toContain(target.id)
    await thread.jump('00'.repeat(32))
    expect(thread.target).toBe(target.id)
    expect(thread.hasOlder).toBe(false)
  })

  it('shows a message that arrives, and what becomes of it, once', async () => {
    const world = longWorld(3)
    const { peer, thread } = await opened(world)
    const arrived = message(bob, 0, 'New')
    const next = withMessages(world, messages => [...messages, arrived])
    peer.show(next)
    await waitFor(() => expect(texts(thread).at(-1)).toBe('New'))
    expect(thread.grewAtStart).toBe(false)
    await peer.messages.sendText(id, 'Mine')
    await waitFor(() => expect(thread.messages.at(-1)?.state).toBe('delivered'))
    expect(texts(thread)).toEqual(['Line 0', 'Line 1', 'Line 2', 'New', 'Mine'])
  })

  it('puts a late message where the peer says, not at the end', async () => {
    const world = longWorld(3)
    const { peer, thread } = await opened(world)
    peer.show(withMessages(world, ([first, ...rest]) => [first!, message(bob, 2.5, 'Late'), ...rest]))
    await waitFor(() => expect(texts(thread)).toEqual(['Line 0', 'Late', 'Line 1', 'Line 2']))
  })

  it('keeps older pages when newer messages arrive', async () => {
    const world = longWorld(100)
    const { peer, thread } = await opened(world)
    await thread.loadOlder()
    peer.show(withMessages(world, messages => [...messages, message(bob, 0, 'New')]))
    await waitFor(() => expect(texts(thread)).toHaveLength(101))
    expect(texts(thread)[0]).toBe('Line 0')
  })

  it('ignores other conversations, and everything after it was closed', async () => {
    const world = longWorld(2)
    const { peer, thread } = await opened(world)
    const charles = person('Charles')
    peer.show({ ...world, messages: { ...world.messages, [conversationId(charles)]: [message(charles, 0, 'Hi')] } })
    thread.close()
    peer.show(withMessages(world, messages => [...messages, message(bob, 0, 'New')]))
    await Promise.resolve()
    expect(texts(thread)).toEqual(['Line 0', 'Line 1'])
  })

  it('says so when it cannot be read, and can be opened again', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const peer = new FakePeer(longWorld(2))
    const { page } = peer.messages
    peer.messages.page = async () => {
      throw new Error('the store is closed')
    }
    const thread = new ConversationThread(peer, id, 0)
    await thread.open()
    expect(thread.state).toBe('failed')
    peer.messages.page = page
    await thread.open()
    expect(thread.state).toBe('ready')
  })

  it('remembers where the unread messages began', async () => {
    const { thread } = await opened(longWorld(5), 2)
    expect(thread.messages.find(each => each.id === thread.firstUnread)?.text).toBe('Line 3')
  })
})

describe('unread messages', () => {
  it('are all fetched, however many pages they take, and the divider stands before the first', async () => {
    const { thread } = await opened(longWorld(1_300), 1_290)
    expect(thread.messages.find(each => each.id === thread.firstUnread)?.text).toBe('Line 10')
    expect(thread.hasOlder).toBe(false)
  })

  it('start at the first message if nothing was ever read', async () => {
    const { thread } = await opened(longWorld(700), 700)
    expect(thread.firstUnread).toBe(thread.messages[0]!.id)
  })

  it('are seen forwards only', async () => {
    const { thread } = await opened(longWorld(5), 5)
    const ids = thread.messages.map(({ id }) => id)
    thread.seen(ids[2]!)
    thread.seen(ids[1]!)
    thread.seen('unknown')
    expect(thread.lastSeen).toBe(ids[2])
  })
})

describe('the end of a list', () => {
  const list = (change: Partial<ListGeometry> = {}): ListGeometry => ({
    scrollTop: 600,
    scrollHeight: 1_000,
    clientHeight: 400,
    ...change
  })

  function pinned() {
    const pin = new EndPin()
    expect(pin.moved(list(), 0)).toBe(false)
    return pin
  }

  it('stays pinned when the window shrinks, as for a keyboard or a longer draft', () => {
    const pin = pinned()
    expect(pin.moved(list({ clientHeight: 200 }), 1)).toBe(true)
    expect(pin.moved(list({ clientHeight: 200, scrollTop: 800 }), 2)).toBe(false)
  })

  it('stays pinned when a box that is measured pushes the list up for a moment', () => {
    expect(pinned().moved(list({ scrollTop: 500, clientHeight: 380 }), 1)).toBe(true)
  })

  it('stays pinned when rows grow, as when an image has loaded', () => {
    expect(pinned().moved(list({ scrollHeight: 1_300 }), 1)).toBe(true)
  })

  it('is let go by a reader who scrolls up, also while rows are measured', () => {
    const pin = pinned()
    pin.input(10)
    expect(pin.moved(list({ scrollTop: 300, scrollHeight: 1_100 }), 20)).toBe(false)
    expect(pin.isPinned).toBe(false)
    const other = pinned()
    expect(other.moved(list({ scrollTop: 300 }), 5_000)).toBe(false)
  })

  it('does not take back the first pixels of a smooth scroll', () => {
    const pin = pinned()
    pin.input(10)
    expect(pin.moved(list({ scrollTop: 590 }), 20)).toBe(false)
    expect(pin.moved(list({ scrollTop: 540 }), 30)).toBe(false)
    expect(pin.isPinned).toBe(false)
  })

  it('pins again once it is reached', () => {
    const pin = pinned()
    pin.moved(list({ scrollTop: 300 }), 1)
    pin.moved(list({ scrollTop: 590 }), 2)
    expect(pin.moved(list({ scrollTop: 590, clientHeight: 300 }), 3)).toBe(true)
  })
})

describe('rows of a thread', () => {
  const dayKey = (at: number) => new Date(at).toDateString()

  it('begin each day, and the unread messages, with a divider', () => {
    const now = new Date(2027, 4, 12, 15).getTime()
    const at = (hoursAgo: number, text: string) => ({
      ...message(bob, 0, text),
      id: text,
      sentAt: now - hoursAgo * 3_600_000
    })
    const messages = [at(30, 'a'), at(29.99, 'b'), at(1, 'c'), at(0.5, 'd')]
    const rows = threadRows(messages, dayKey, 'd')
    expect(rows.map(row => (row.kind === 'message' ? row.message.text : row.kind))).toEqual([
      'day',
      'a',
      'b',
      'day',
      'c',
      'unread',
      'd'
    ])
    expect(new Set(rows.map(row => row.key)).size).toBe(rows.length)
  })

  it('of one person within minutes form a run', () => {
    const mine = message(bob, 8, 'mine', { state: 'sent' })
    const rows = threadRows(
      [message(bob, 20, 'a'), message(bob, 10, 'b'), message(bob, 9, 'c'), mine],
      () => 'today',
      null
    )
    expect(rows.flatMap(row => (row.kind === 'message' ? [row.startsRun] : []))).toEqual([true, true, false, true])
  })

  it('show pictures that were sent at once as one album, and others by themselves', () => {
    const file = { name: 'a.png', type: 'image/png', bytes: 9, width: 1, height: 1, thumbnail: null, voice: null }
    const picture = (minutesAgo: number, text: string, change: Partial<ChatMessage> = {}) =>
      message(bob, minutesAgo, text, { kind: 'file', file, ...change })
    const albumsOf = (messages: ChatMessage[], unread: string | null = null) =>
      threadRows(messages, () => 'today', unread).flatMap(row => (row.kind === 'message' ? [row.album.length + 1] : []))
    const three = [picture(9, ''), picture(9, ''), picture(9, 'The hills')]
    expect(albumsOf(three)).toEqual([3])
    expect(albumsOf([message(bob, 9, 'look'), ...three, message(bob, 9, 'nice')])).toEqual([1, 3, 1])
    expect(albumsOf([picture(9, ''), picture(7, '')])).toEqual([1, 1])
    expect(albumsOf([picture(9, 'one'), picture(9, '')])).toEqual([1, 1])
    expect(albumsOf([picture(9, ''), picture(9, '', { from: 'other' })])).toEqual([1, 1])
    expect(albumsOf([picture(9, ''), picture(9, '', { isStarred: true })])).toEqual([1, 1])
    expect(albumsOf([picture(9, ''), picture(9, '', { file: { ...file, type: 'application/pdf' } })])).toEqual([1, 1])
    expect(albumsOf(three, three[1]!.id)).toEqual([1, 2])
    expect(albumsOf(Array.from({ length: 12 }, () => picture(9, '')))).toEqual([10, 2])

    const rows = threadRows(three, () => 'today', null)
    expect(three.map(({ id }) => rows[rowIndexOf(rows, id)]?.key)).toEqual(three.map(() => three[2]!.id))
    expect(rowIndexOf(rows, 'elsewhere')).toBe(-1)
  })

  it('count only messages of others as unread', () => {
    const messages = [message(bob, 4, 'a'), message(bob, 3, 'b'), message(bob, 2, 'mine', { state: 'sent' })]
    expect(firstUnreadId(messages, 1)).toBe(messages[1]!.id)
    expect(firstUnreadId(messages, 9)).toBe(messages[0]!.id)
    expect(firstUnreadId(messages, 0)).toBeNull()
  })
})
