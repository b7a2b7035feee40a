import { afterEach, describe, expect, test } from 'vitest'
import { randomBytes } from 'node:crypto'
import { fromHex } from '../../../../protocol/bytes.ts'
import { createMessageId, encodeMessage, type MessageBody } from '../../../../protocol/conversation/message.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'
import { UnsentQueue } from '../../../../peer/sending/unsent-queue.ts'
import { StateStore } from '../../../../peer/store/state-store.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { TestPeer, until } from '../../../support/peer/test-peer.ts'

const running: TestPeer[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

async function people(network: FakeNetwork, ...names: string[]): Promise<TestPeer[]> {
  const peers = names.map(() => new TestPeer(network))
  running.push(...peers)
  for (const [i, peer] of peers.entries()) await peer.register(names[i]!)
  return peers
}

const texts = async (peer: TestPeer, other: TestPeer): Promise<string[]> =>
  (await peer.messages(other)).filter(({ kind }) => kind === 'text').map(({ text }) => text)

const unread = async (peer: TestPeer): Promise<number> =>
  (await peer.engine.snapshot()).conversations.reduce((sum, conversation) => sum + conversation.unread, 0)

async function linked(network: FakeNetwork, first: TestPeer): Promise<TestPeer> {
  const second = await linkedDevice(network, first)
  running.push(second)
  return second
}

const isDone = async (peer: TestPeer): Promise<boolean> => (await peer.engine.history.status()).state === 'done'

describe('a new device', () => {
  test('gets the whole history, once and in order, with names, read marks and verified marks', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob, carol] = (await people(network, 'ada', 'bob', 'carol')) as [TestPeer, TestPeer, TestPeer]
    for (let i = 0; i < 40; i++) {
      await ada.send(bob, `to bob ${i}`)
      await bob.send(ada, `to ada ${i}`)
    }
    await carol.send(ada, 'hello from carol')
    await until(
      'all are here',
      async () => (await ada.received(bob)).length === 40 && (await ada.received(carol)).length === 1
    )
    const { id } = await ada.engine.conversations.open(bob.me.accountId)
    await ada.engine.conversations.markRead(id)
    const { conversation } = await ada.engine.people.safetyNumber(bob.me.accountId)
    await ada.engine.people.verify(bob.me.accountId, conversation)
    await until('Bob has all', async () => (await bob.received(ada)).length === 40)
    await until('all is told', async () =>
      (await ada.messages(bob)).every(({ state }) => state === null || state !== 'sent')
    )

    const tablet = await linked(network, ada)
    await until('the history is there', () => isDone(tablet), 20_000)
    for (const other of [bob, carol]) {
      expect(await texts(tablet, other)).toEqual(await texts(ada, other))
    }
    const shown = await tablet.messages(bob)
    expect(shown.map(({ mine, sentAt, state }) => [mine, sentAt, state])).toEqual(
      (await ada.messages(bob)).map(({ mine, sentAt, state }) => [mine, sentAt, state])
    )
    expect(await unread(tablet)).toBe(1)
    await until('names are known', async () =>
      (await tablet.engine.snapshot()).conversations.every(({ person }) => person.displayName !== null)
    )
    expect((await tablet.engine.people.find(bob.me.accountId))!.verifiedAt).not.toBeNull()
    expect(await ada.engine.history.status()).toMatchObject({ shipping: [{ isDone: true, chats: 2, chatsTotal: 2 }] })
    // What comes from now on comes after it.
    await bob.send(ada, 'after')
    await until(
      'both have it',
      async () => (await texts(ada, bob)).at(-1) === 'after' && (await texts(tablet, bob)).at(-1) === 'after'
    )
    expect(await texts(tablet, bob)).toEqual(await texts(ada, bob))
  })

  test('goes on after a crash of either side, and after packets were lost and came twice', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = (await people(network, 'ada', 'bob')) as [TestPeer, TestPeer]
    const long = 'x'.repeat(4_000)
    for (let i = 0; i < 60; i++) await ada.send(bob, `${i} ${long}`)
    await until('sent', async () => (await bob.received(ada)).length === 60)
    let count = 0
    network.fate = () => (++count % 5 === 0 ? 'twice' : count % 7 === 0 ? 'later' : 'deliver')
    const tablet = await linked(network, ada)
    await until('it has begun', async () => (await tablet.engine.history.status()).state !== 'waiting', 20_000)
    await tablet.crash()
    await ada.crash()
    await until('the history is there', () => isDone(tablet), 30_000)
    expect(await texts(tablet, bob)).toEqual(await texts(ada, bob))
  })

  test('gets nothing from a device that was not asked to give it', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = (await people(network, 'ada', 'bob')) as [TestPeer, TestPeer]
    await ada.send(bob, 'before')
    await until('sent', async () => (await bob.received(ada)).length === 1)
    const tablet = await linkedDevice(network, ada, { granted: false })
    running.push(tablet)
    await until('it has asked', async () => (await tablet.engine.history.status()).state === 'waiting')
    await bob.engine.people.refresh(ada.me.accountId)
    await bob.send(ada, 'now')
    await until('new messages come', async () => (await tablet.received(bob)).length === 1)
    expect(await tablet.engine.history.status()).toMatchObject({ state: 'waiting', messages: 0 })
  })
})

describe('own devices', () => {
  test('show the same: what is sent, what others have read, and what was read here', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = (await people(network, 'ada', 'bob')) as [TestPeer, TestPeer]
    const tablet = await linked(network, ada)
    await ada.send(bob, 'from the phone')
    await tablet.send(bob, 'from the tablet')
    const both = ['from the phone', 'from the tablet']
    for (const device of [ada, tablet, bob]) {
      const other = device === bob ? ada : bob
      await until('both are there', async () => (await texts(device, other)).sort().join() === both.join())
    }
    const { id } = await bob.engine.conversations.open(ada.me.accountId)
    await bob.engine.conversations.markRead(id)
    for (const device of [ada, tablet]) {
      await until('read on both', async () => (await device.messages(bob)).every(({ state }) => state === 'read'))
    }
    await bob.send(ada, 'one')
    await bob.send(ada, 'two')
    for (const device of [ada, tablet]) await until('unread on both', async () => (await unread(device)) === 2)
    await tablet.engine.conversations.markRead(id)
    await until('read on the other', async () => (await unread(ada)) === 0)
    // The notes hold what devices say to each other, and nothing to see.
    expect((await ada.engine.snapshot()).conversations).toHaveLength(1)
    expect((await tablet.engine.snapshot()).conversations).toHaveLength(1)
  })

  test('agree on names and verified marks; the last change counts, also after a device was off', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = (await people(network, 'ada', 'bob')) as [TestPeer, TestPeer]
    await ada.send(bob, 'hello')
    await until('sent', async () => (await bob.received(ada)).length === 1)
    const tablet = await linked(network, ada)
    await until('the history is there', () => isDone(tablet), 20_000)
    const nameOn = async (device: TestPeer): Promise<string | null> =>
      (await device.engine.devices.list()).find(({ deviceId }) => deviceId === tablet.me.deviceId)!.name
    await ada.engine.devices.rename(tablet.me.deviceId, 'Kitchen')
    await until('the tablet knows its name', async () => (await tablet.engine.snapshot()).me!.deviceName === 'Kitchen')
    // It is off while the other one changes the name and the mark.
    await tablet.engine.stop()
    const { conversation } = await ada.engine.people.safetyNumber(bob.me.accountId)
    await ada.engine.people.verify(bob.me.accountId, conversation)
    await ada.engine.devices.rename(tablet.me.deviceId, 'Bath')
    await tablet.start()
    await until('it catches up', async () => (await nameOn(tablet)) === 'Bath' && (await nameOn(ada)) === 'Bath')
    await until(
      'and has the mark',
      async () => (await tablet.engine.people.find(bob.me.accountId))!.verifiedAt !== null
    )
    await tablet.engine.people.unverify(bob.me.accountId)
    await until('the mark is gone', async () => (await ada.engine.people.find(bob.me.accountId))!.verifiedAt === null)
    await expect(ada.engine.devices.rename('00'.repeat(16), 'x')).rejects.toMatchObject({ code: 'no-device' })
    await expect(ada.engine.devices.rename(tablet.me.deviceId, '  ')).rejects.toMatchObject({ code: 'device-name' })
  })

  test('take nothing of it from anybody else', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = (await people(network, 'ada', 'bob')) as [TestPeer, TestPeer]
    const { id } = await bob.engine.conversations.open(ada.me.accountId)
    await bob.send(ada, 'hello')
    await until('it is there', async () => (await unread(ada)) === 1)
    const item = {
      name: `device-name/${ada.me.deviceId}`,
      value: new TextEncoder().encode('Bob was here'),
      version: Number.MAX_SAFE_INTEGER,
      by: fromHex(bob.me.deviceId) as DeviceId
    }
    const [message] = await ada.messages(bob)
    const conversationId = fromHex(id)
    const bodies: MessageBody[] = [
      { kind: 'sync', items: [item] },
      { kind: 'ownMarks', conversationId, mark: 'seen', messages: [fromHex(message!.id)] }
    ]
    await bob.engine.stop()
    const states = new StateStore(await bob.openStore())
    const queue = new UnsentQueue(states)
    for (const body of bodies) {
      const content = encodeMessage({
        messageId: createMessageId(length => new Uint8Array(randomBytes(length))),
        sentAt: Date.now(),
        expiresAfter: null,
        body
      })
      const unsent = {
        conversationId: conversationId as ConversationId,
        messageId: null,
        content,
        sequenced: true,
        again: null
      }
      await states.unit(unit => queue.push(unit, unsent))
    }
    await bob.start()
    await bob.send(ada, 'after it')
    await until('what came after is there', async () => (await ada.received(bob)).includes('after it'))
    expect(await unread(ada)).toBe(2)
    expect((await ada.engine.snapshot()).me!.deviceName).toBe('test')
  })
})
