import { afterEach, describe, expect, test } from 'vitest'
import type { ChatMessage } from '../../../../peer/peer-api.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const running: TestPeer[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

async function people(...names: string[]): Promise<{ network: FakeNetwork; peers: TestPeer[] }> {
  const network = await FakeNetwork.create()
  const peers = names.map(() => new TestPeer(network))
  running.push(...peers)
  for (const [i, peer] of peers.entries()) await peer.register(names[i]!)
  return { network, peers }
}

async function pair() {
  const { network, peers } = await people('ada', 'bob')
  return { network, ada: peers[0]!, bob: peers[1]! }
}

/** The message of this id as a peer shows it. */
const shown = (peer: TestPeer, id: string): Promise<ChatMessage | null> => peer.engine.messages.find(id)

/** A text of Ada's that Bob has, too. */
async function taken(ada: TestPeer, bob: TestPeer, text: string): Promise<string> {
  const { id } = await ada.send(bob, text)
  await eventually(async () => (await shown(bob, id)) !== null, 'Bob has it')
  return id
}

describe('a message', () => {
  test('is answered, and the answer names it on both sides', async () => {
    const { ada, bob } = await pair()
    const id = await taken(ada, bob, 'tea?')
    const { conversationId } = (await shown(bob, id))!
    const answer = await bob.engine.messages.reply(conversationId, id, 'yes')
    expect(answer).toMatchObject({ replyTo: id, text: 'yes', kind: 'text' })
    await eventually(async () => (await shown(ada, answer.id))?.replyTo === id, 'Ada has the answer')
    await eventually(async () => (await shown(bob, answer.id))?.state === 'delivered', 'it is acknowledged')
  })

  test('says which devices have got and read it, until it is deleted', async () => {
    const { network, ada, bob } = await pair()
    const tablet = await linkedDevice(network, bob)
    running.push(tablet)
    const id = await taken(ada, bob, 'hello')
    const heardBy = () => ada.engine.messages.heardBy(id)
    await eventually(async () => (await heardBy()).length === 2, 'both devices have it')
    const devices = [bob, tablet].map(({ me }) => me.deviceId).sort()
    expect((await heardBy()).map(({ deviceId }) => deviceId).sort()).toEqual(devices)
    expect((await heardBy()).every(({ readAt }) => readAt === null)).toBe(true)
    await bob.engine.conversations.markRead((await shown(bob, id))!.conversationId)
    await eventually(async () => (await heardBy()).some(({ readAt }) => readAt !== null), 'it was read')
    expect(await bob.engine.messages.heardBy(id)).toEqual([])
    await ada.engine.amendments.deleteForAll(id)
    expect(await heardBy()).toEqual([])
  })

  test('has one reaction of each person, which is changed and taken back', async () => {
    const { ada, bob } = await pair()
    const id = await taken(ada, bob, 'we won')
    await bob.engine.amendments.react(id, '👍')
    await bob.engine.amendments.react(id, '🎉')
    await ada.engine.amendments.react(id, '🎉')
    const both = [{ emoji: '🎉', from: [ada.me.accountId, bob.me.accountId].sort() }]
    for (const peer of [ada, bob]) {
      await eventually(async () => (await shown(peer, id))!.reactions[0]?.from.length === 2, 'both are there')
      expect((await shown(peer, id))!.reactions).toMatchObject(both)
    }
    await bob.engine.amendments.react(id, null)
    await eventually(async () => (await shown(ada, id))!.reactions[0]?.from.length === 1, 'one is left')
    await expect(bob.engine.amendments.react(id, 'nice')).rejects.toMatchObject({ code: 'emoji' })
  })

  test('is edited by its author only; earlier texts are kept', async () => {
    const { ada, bob } = await pair()
    const id = await taken(ada, bob, 'at sven')
    await ada.engine.amendments.edit(id, 'at seven')
    await ada.engine.amendments.edit(id, 'at eight')
    await eventually(async () => (await shown(bob, id))!.text === 'at eight', 'Bob has the change')
    expect((await shown(bob, id))!.editedAt).not.toBeNull()
    for (const peer of [ada, bob]) {
      const versions = await peer.engine.messages.versions(id)
      expect(versions.map(({ text }) => text)).toEqual(['at sven', 'at seven', 'at eight'])
    }
    await expect(bob.engine.amendments.edit(id, 'never')).rejects.toMatchObject({ code: 'not-author' })
  })

  test('is deleted for all by its author: text, edits and reactions are gone, on both sides and from the list', async () => {
    const { ada, bob } = await pair()
    const id = await taken(ada, bob, 'a secret')
    await ada.engine.amendments.edit(id, 'still a secret')
    await bob.engine.amendments.react(id, '🤫')
    await eventually(async () => (await shown(ada, id))!.reactions.length === 1, 'the reaction came')
    await expect(bob.engine.amendments.deleteForAll(id)).rejects.toMatchObject({ code: 'not-author' })
    await ada.engine.amendments.deleteForAll(id)
    await eventually(async () => (await shown(bob, id))!.kind === 'deleted', 'it is gone at Bob')
    for (const peer of [ada, bob]) {
      expect(await shown(peer, id)).toMatchObject({ kind: 'deleted', text: '', reactions: [], editedAt: null })
      expect(await peer.engine.messages.versions(id)).toEqual([])
    }
    expect((await bob.engine.snapshot()).conversations[0]).toMatchObject({
      unread: 0,
      lastMessage: { kind: 'deleted' }
    })
    await expect(bob.engine.amendments.react(id, '👍')).rejects.toMatchObject({ code: 'no-message' })
  })

  test('that is deleted for oneself is gone from the own devices only, and does not come back', async () => {
    const { network, ada, bob } = await pair()
    const keep = await taken(ada, bob, 'keep')
    const id = await taken(ada, bob, 'remove')
    const tablet = await linkedDevice(network, bob)
    running.push(tablet)
    await eventually(async () => (await shown(tablet, id)) !== null, 'the tablet has it')
    const removed: string[] = []
    bob.engine.on('message', ({ id: which, kind }) => kind === 'removed' && removed.push(which))
    await bob.engine.amendments.deleteForMe([id])
    await eventually(async () => (await shown(tablet, id)) === null, 'it is gone on the tablet')
    expect(removed).toEqual([id])
    for (const peer of [bob, tablet]) {
      expect((await peer.messages(ada)).map(message => message.id)).toEqual([keep])
      await eventually(
        async () => (await peer.engine.snapshot()).conversations[0]!.lastMessage!.id === keep,
        'the list'
      )
    }
    await bob.restart()
    expect((await bob.messages(ada)).map(message => message.id)).toEqual([keep])
    expect((await shown(ada, id))!.text).toBe('remove')
  })

  test('is pinned for all, starred for the own devices, and forwarded without its author', async () => {
    const { network, ada, bob } = await pair()
    const id = await taken(ada, bob, 'the address')
    const tablet = await linkedDevice(network, bob)
    running.push(tablet)
    await eventually(async () => (await shown(tablet, id)) !== null, 'the tablet has it')
    await bob.engine.amendments.pin(id, true)
    await bob.engine.amendments.star(id, true)
    await eventually(async () => (await shown(ada, id))!.isPinned, 'Ada sees the pin')
    await eventually(
      async () => (await shown(tablet, id))!.isStarred && (await shown(tablet, id))!.isPinned,
      'the tablet, both'
    )
    expect((await shown(ada, id))!.isStarred).toBe(false)
    const { conversationId } = (await shown(ada, id))!
    expect((await ada.engine.messages.pinned(conversationId)).map(message => message.id)).toEqual([id])
    await ada.engine.amendments.pin(id, false)
    await eventually(async () => (await bob.engine.messages.pinned(conversationId)).length === 0, 'the pin is gone')
    const notes = await bob.engine.conversations.open(bob.me.accountId)
    const forwarded = await bob.engine.messages.forward(id, notes.id)
    expect(forwarded).toMatchObject({ text: 'the address', isForwarded: true, from: bob.me.accountId })
  })

  test('that asks a question counts one vote of each person, the last one', async () => {
    const { ada, bob } = await pair()
    await taken(ada, bob, 'hello')
    const { id: conversation } = await ada.engine.conversations.open(bob.me.accountId)
    const asked = { question: 'Tea?', options: ['tea', 'coffee'], isMultiple: false }
    const { id } = await ada.engine.messages.createPoll(conversation, asked)
    await eventually(async () => (await shown(bob, id)) !== null, 'Bob has the poll')
    await bob.engine.amendments.vote(id, [0])
    await bob.engine.amendments.vote(id, [1])
    await ada.engine.amendments.vote(id, [1])
    for (const peer of [ada, bob]) {
      await eventually(async () => (await shown(peer, id))!.poll!.options[1]!.votes.length === 2, 'both votes')
      expect((await shown(peer, id))!.poll).toMatchObject({ voters: 2, options: [{ votes: [] }, { isMine: true }] })
    }
    await expect(bob.engine.amendments.vote(id, [0, 1])).rejects.toMatchObject({ facts: { fault: 'one-only' } })
    await expect(bob.engine.amendments.vote(id, [2])).rejects.toMatchObject({ facts: { fault: 'no-option' } })
    const bad = { question: 'Same?', options: ['a', 'a'], isMultiple: false }
    await expect(ada.engine.messages.createPoll(conversation, bad)).rejects.toMatchObject({ code: 'poll' })
  })
})

test('what others did comes to `listen` in the order in which it happened, with the messages', async () => {
  const { ada, bob } = await pair()
  const id = await taken(ada, bob, 'one')
  await ada.engine.amendments.edit(id, 'won')
  await ada.engine.amendments.react(id, '🎉')
  const second = await taken(ada, bob, 'two')
  await ada.engine.amendments.deleteForAll(second)
  await eventually(async () => (await shown(bob, second))!.kind === 'deleted', 'all is there')
  const heard = await bob.engine.unheard.first(10)
  expect(heard.map(({ event, message }) => event?.kind ?? message!.text)).toEqual(['won', 'edit', 'reaction', 'delete'])
  expect(heard[2]!.event).toMatchObject({ messageId: id, emoji: '🎉' })
})
