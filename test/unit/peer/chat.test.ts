import { afterEach, describe, expect, test } from 'vitest'
import { MAX_DRAFT_UNITS } from '../../../protocol/limits.ts'
import { FakeNetwork } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'
import { eventually } from '../../support/wait-for.ts'

const running: TestPeer[] = []

async function pair(nodes = 1): Promise<{ network: FakeNetwork; ada: TestPeer; bob: TestPeer }> {
  const network = await FakeNetwork.create(nodes)
  const ada = new TestPeer(network)
  const bob = new TestPeer(network)
  await ada.register('ada')
  await bob.register('bob')
  running.push(ada, bob)
  return { network, ada, bob }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

describe('two peers', () => {
  test('a message arrives, and its ticks go from waiting to delivered', async () => {
    const { ada, bob } = await pair()
    const taken = await ada.send(bob, 'Hello Bob')
    expect(taken.state).toBe('waiting')
    await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
    expect(await bob.received(ada)).toEqual(['Hello Bob'])
    await eventually(async () => (await ada.messages(bob))[0]?.state === 'delivered', 'delivered')
  })

  test('both write, and each sees the other in order', async () => {
    const { ada, bob } = await pair()
    for (let i = 0; i < 10; i++) {
      await ada.send(bob, `a${i}`)
      await bob.send(ada, `b${i}`)
    }
    await eventually(
      async () => (await bob.received(ada)).length === 10 && (await ada.received(bob)).length === 10,
      'all arrived'
    )
    expect(await bob.received(ada)).toEqual(Array.from({ length: 10 }, (_, i) => `a${i}`))
    expect(await ada.received(bob)).toEqual(Array.from({ length: 10 }, (_, i) => `b${i}`))
  })

  test('hundreds of messages taken at once arrive in order, over several sessions', async () => {
    const { network, ada, bob } = await pair()
    const texts = Array.from({ length: 250 }, (_, i) => `message ${i}`)
    await Promise.all(texts.map(text => ada.send(bob, text)))
    expect((await ada.engine.snapshot()).status.waiting).toBeGreaterThan(0)
    await eventually(async () => (await bob.received(ada)).length === texts.length, 'all arrived')
    expect(await bob.received(ada)).toEqual(texts)
    await eventually(async () => (await ada.messages(bob)).every(({ state }) => state === 'delivered'), 'all delivered')
    expect((await ada.engine.snapshot()).status.waiting).toBe(0)
    // A session takes 100 messages, an envelope what fits into its payload.
    expect(network.submissions).toBeLessThan(40)
  })

  test('reading tells the sender, and the count of unread messages goes to zero', async () => {
    const { ada, bob } = await pair()
    await ada.send(bob, 'one')
    await ada.send(bob, 'two')
    await eventually(async () => (await bob.received(ada)).length === 2, 'both are there')
    const [conversation] = (await bob.engine.snapshot()).conversations
    expect(conversation!.unread).toBe(2)
    await bob.engine.conversations.markRead(conversation!.id)
    expect((await bob.engine.snapshot()).conversations[0]!.unread).toBe(0)
    await eventually(async () => (await ada.messages(bob)).every(({ state }) => state === 'read'), 'read')
  })

  test('only what was on a screen counts as read, and only that is told', async () => {
    const { ada, bob } = await pair()
    for (const text of ['one', 'two', 'three']) await ada.send(bob, text)
    await eventually(async () => (await bob.received(ada)).length === 3, 'all are there')
    const [conversation] = (await bob.engine.snapshot()).conversations
    const [first, second] = (await bob.messages(ada)).filter(({ kind }) => kind === 'text')
    const unread = async () => (await bob.engine.snapshot()).conversations[0]!.unread
    await bob.engine.conversations.markRead(conversation!.id, second!.id)
    expect(await unread()).toBe(1)
    await bob.engine.conversations.markRead(conversation!.id, first!.id)
    await bob.engine.conversations.markRead(conversation!.id, 'ff'.repeat(32))
    expect(await unread()).toBe(1)
    const states = async () => (await ada.messages(bob)).filter(({ kind }) => kind === 'text').map(({ state }) => state)
    await eventually(async () => (await states()).filter(state => state === 'read').length === 2, 'two are read')
    expect((await states()).at(-1)).toBe('delivered')
    await bob.engine.conversations.markRead(conversation!.id)
    expect(await unread()).toBe(0)
  })

  test('more unread messages than one look takes are all counted down', async () => {
    const { ada, bob } = await pair()
    const { id } = await bob.engine.conversations.open(ada.me.accountId)
    for (let n = 0; n < 520; n++) await ada.send(bob, `number ${n}`)
    await eventually(async () => (await bob.engine.snapshot()).conversations[0]!.unread === 520, 'all are there')
    const newest = await bob.engine.messages.page(id, { limit: 30 })
    await bob.engine.conversations.markRead(id, newest[0]!.id)
    expect((await bob.engine.snapshot()).conversations[0]!.unread).toBe(29)
  })

  test('notes to self stay on the only device', async () => {
    const { network, ada } = await pair()
    const note = await ada.send(ada, 'remember the milk')
    await eventually(async () => (await ada.messages(ada))[0]?.state === 'delivered', 'it is kept')
    expect(network.submissions).toBe(0)
    expect((await ada.engine.snapshot()).conversations[0]).toMatchObject({
      kind: 'notes-to-self',
      title: 'Notes to self'
    })
    expect(await ada.engine.messages.receipts(note.id)).toEqual([])
  })

  test('messages are paged backwards, and survive a restart with the conversation', async () => {
    const { ada, bob } = await pair()
    for (let i = 0; i < 7; i++) await ada.send(bob, `m${i}`)
    const { id } = await ada.engine.conversations.open(bob.me.accountId)
    await ada.engine.conversations.saveDraft(id, 'half a thought')
    await ada.restart()
    const newest = await ada.engine.messages.page(id, { limit: 3 })
    expect(newest.map(({ text }) => text)).toEqual(['m4', 'm5', 'm6'])
    const older = await ada.engine.messages.page(id, { limit: 3, before: newest[0]!.id })
    expect(older.map(({ text }) => text)).toEqual(['m1', 'm2', 'm3'])
    const [conversation] = (await ada.engine.snapshot()).conversations
    expect(conversation).toMatchObject({ draft: 'half a thought', lastMessage: { text: 'm6' } })
  })

  test('a draft that is too long to send survives a restart whole, and one past the bound of drafts is refused', async () => {
    const { ada, bob } = await pair()
    const { id } = await ada.engine.conversations.open(bob.me.accountId)
    const draft = `${'a'.repeat(19_999)}😀${'b'.repeat(5_000)}`
    await ada.engine.conversations.saveDraft(id, draft)
    const refused = ada.engine.conversations.saveDraft(id, 'x'.repeat(MAX_DRAFT_UNITS + 1))
    await expect(refused).rejects.toMatchObject({ code: 'message-too-long' })
    await ada.restart()
    expect((await ada.engine.snapshot()).conversations[0]!.draft).toBe(draft)
  })

  test('half a surrogate pair is replaced for the sender as for the receiver', async () => {
    const { ada, bob } = await pair()
    const taken = await ada.send(bob, 'half \ud83d smile')
    expect(taken.text).toBe('half \ufffd smile')
    await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
    expect(await bob.received(ada)).toEqual(['half \ufffd smile'])
  })

  test('an empty text, a text that is too long and an unknown conversation are refused', async () => {
    const { ada, bob } = await pair()
    const { id } = await ada.engine.conversations.open(bob.me.accountId)
    await expect(ada.engine.messages.sendText(id, '  ')).rejects.toMatchObject({ code: 'message-empty' })
    await expect(ada.engine.messages.sendText(id, 'x'.repeat(20_001))).rejects.toMatchObject({
      code: 'message-too-long',
      facts: { length: 20_001, limit: 20_000 }
    })
    await expect(ada.engine.messages.sendText('00'.repeat(32), 'hi')).rejects.toMatchObject({ code: 'no-conversation' })
    const long = 'ä'.repeat(20_000)
    await ada.engine.messages.sendText(id, long)
    await eventually(async () => (await bob.received(ada))[0] === long, 'the longest text arrives')
  })
})
