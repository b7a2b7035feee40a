import { afterEach, describe, expect, test } from 'vitest'
import { randomBytes } from 'node:crypto'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import { createMessageId, encodeMessage, type MessageBody } from '../../../../protocol/conversation/message.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import type { ConversationId } from '../../../../protocol/roster/roster.ts'
import { UnsentQueue } from '../../../../peer/sending/unsent-queue.ts'
import { StateStore } from '../../../../peer/store/state-store.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

const HOUR_MS = 3_600_000
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

const isLike = (marks: object, wanted: object): boolean =>
  Object.entries(wanted).every(([mark, value]) => (marks as Record<string, unknown>)[mark] === value)

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
    await eventually(
      async () => (await ada.received(bob)).length === 40 && (await ada.received(carol)).length === 1,
      'all are here'
    )
    const { id } = await ada.engine.conversations.open(bob.me.accountId)
    await ada.engine.conversations.markRead(id)
    const { conversation } = await ada.engine.people.safetyNumber(bob.me.accountId)
    await ada.engine.people.verify(bob.me.accountId, conversation)
    await eventually(async () => (await bob.received(ada)).length === 40, 'Bob has all')
    await eventually(
      async () => (await ada.messages(bob)).every(({ state }) => state === null || state !== 'sent'),
      'all is told'
    )

    const tablet = await linked(network, ada)
    await eventually(() => isDone(tablet), { what: 'the history is there', timeoutMs: 60_000 })
    for (const other of [bob, carol]) {
      expect(await texts(tablet, other)).toEqual(await texts(ada, other))
    }
    const shown = await tablet.messages(bob)
    expect(shown.map(({ mine, sentAt, state }) => [mine, sentAt, state])).toEqual(
      (await ada.messages(bob)).map(({ mine, sentAt, state }) => [mine, sentAt, state])
    )
    expect(await unread(tablet)).toBe(1)
    await eventually(
      async () => (await tablet.engine.snapshot()).conversations.every(({ person }) => person.displayName !== null),
      'names are known'
    )
    expect((await tablet.engine.people.find(bob.me.accountId))!.verifiedAt).not.toBeNull()
    expect(await ada.engine.history.status()).toMatchObject({ shipping: [{ isDone: true, chats: 2, chatsTotal: 2 }] })
    // What comes from now on comes after it.
    await bob.send(ada, 'after')
    await eventually(
      async () => (await texts(ada, bob)).at(-1) === 'after' && (await texts(tablet, bob)).at(-1) === 'after',
      'both have it'
    )
    expect(await texts(tablet, bob)).toEqual(await texts(ada, bob))
  })

  test('goes on after a crash of either side, and after packets were lost and came twice', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = (await people(network, 'ada', 'bob')) as [TestPeer, TestPeer]
    const long = 'x'.repeat(4_000)
    for (let i = 0; i < 60; i++) await ada.send(bob, `${i} ${long}`)
    await eventually(async () => (await bob.received(ada)).length === 60, 'sent')
    let count = 0
    network.fate = () => (++count % 5 === 0 ? 'twice' : count % 7 === 0 ? 'later' : 'deliver')
    const tablet = await linked(network, ada)
    await eventually(async () => (await tablet.engine.history.status()).state !== 'waiting', {
      what: 'it has begun',
      timeoutMs: 60_000
    })
    await tablet.crash()
    await ada.crash()
    await eventually(() => isDone(tablet), { what: 'the history is there', timeoutMs: 60_000 })
    expect(await texts(tablet, bob)).toEqual(await texts(ada, bob))
  })

  test('gets all also from a device that had not got all itself yet', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = (await people(network, 'ada', 'bob')) as [TestPeer, TestPeer]
    for (let i = 0; i < 40; i++) await ada.send(bob, `to bob ${i}`)
    await eventually(async () => (await bob.received(ada)).length === 40, 'Bob has all')
    await eventually(async () => (await ada.messages(bob)).every(({ state }) => state === 'delivered'), 'Ada knows')
    // The first device does not hear that the second one asks.
    network.fate = (_, mailbox) => (toHex(mailbox) === ada.me.deviceId ? 'later' : 'deliver')
    const laptop = await linked(network, ada)
    const tablet = await linked(network, laptop)
    await eventually(() => isDone(tablet), 'the tablet has what the laptop has')
    expect(await isDone(laptop)).toBe(false)
    network.fate = () => 'deliver'
    network.redeliver()
    await eventually(() => isDone(laptop), 'the laptop has all')
    await eventually(async () => (await texts(tablet, bob)).length === 40, 'the tablet has all')
    expect(await texts(tablet, bob)).toEqual(await texts(ada, bob))
  })

  test('gets nothing from a device that was not asked to give it', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = (await people(network, 'ada', 'bob')) as [TestPeer, TestPeer]
    await ada.send(bob, 'before')
    await eventually(async () => (await bob.received(ada)).length === 1, 'sent')
    const tablet = await linkedDevice(network, ada, { granted: false })
    running.push(tablet)
    await eventually(async () => (await tablet.engine.history.status()).state === 'waiting', 'it has asked')
    await bob.engine.people.refresh(ada.me.accountId)
    await bob.send(ada, 'now')
    await eventually(async () => (await tablet.received(bob)).length === 1, 'new messages come')
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
      await eventually(async () => (await texts(device, other)).sort().join() === both.join(), 'both are there')
    }
    const { id } = await bob.engine.conversations.open(ada.me.accountId)
    await bob.engine.conversations.markRead(id)
    for (const device of [ada, tablet]) {
      await eventually(async () => (await device.messages(bob)).every(({ state }) => state === 'read'), 'read on both')
    }
    await ada.engine.conversations.saveDraft(id, 'not sent yet')
    await bob.send(ada, 'one')
    await bob.send(ada, 'two')
    for (const device of [ada, tablet]) await eventually(async () => (await unread(device)) === 2, 'unread on both')
    await tablet.engine.conversations.markRead(id)
    await eventually(async () => (await unread(ada)) === 0, 'read on the other')
    // The notes hold what devices say to each other, and nothing to see.
    const shown = await Promise.all([ada, tablet].map(async device => (await device.engine.snapshot()).conversations))
    // Drafts stay where they are.
    expect(shown.map(conversations => conversations.map(({ draft }) => draft))).toEqual([['not sent yet'], ['']])
  })

  test('agree on names and verified marks; the last change counts, also after a device was off', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = (await people(network, 'ada', 'bob')) as [TestPeer, TestPeer]
    await ada.send(bob, 'hello')
    await eventually(async () => (await bob.received(ada)).length === 1, 'sent')
    const tablet = await linked(network, ada)
    await eventually(() => isDone(tablet), { what: 'the history is there', timeoutMs: 60_000 })
    const nameOn = async (device: TestPeer): Promise<string | null> =>
      (await device.engine.devices.list()).find(({ deviceId }) => deviceId === tablet.me.deviceId)!.name
    await ada.engine.devices.rename(tablet.me.deviceId, 'Kitchen')
    await eventually(
      async () => (await tablet.engine.snapshot()).me!.deviceName === 'Kitchen',
      'the tablet knows its name'
    )
    // It is off while the other one changes the name and the mark.
    await tablet.engine.stop()
    const { conversation } = await ada.engine.people.safetyNumber(bob.me.accountId)
    await ada.engine.people.verify(bob.me.accountId, conversation)
    await ada.engine.devices.rename(tablet.me.deviceId, 'Bath')
    await tablet.start()
    await eventually(async () => (await nameOn(tablet)) === 'Bath' && (await nameOn(ada)) === 'Bath', 'it catches up')
    await eventually(
      async () => (await tablet.engine.people.find(bob.me.accountId))!.verifiedAt !== null,
      'and has the mark'
    )
    await tablet.engine.people.unverify(bob.me.accountId)
    await eventually(
      async () => (await ada.engine.people.find(bob.me.accountId))!.verifiedAt === null,
      'the mark is gone'
    )
    await expect(ada.engine.devices.rename('00'.repeat(16), 'x')).rejects.toMatchObject({ code: 'no-device' })
    await expect(ada.engine.devices.rename(tablet.me.deviceId, '  ')).rejects.toMatchObject({ code: 'device-name' })
  })

  test('know when each of them was last on, to the hour', async () => {
    const network = await FakeNetwork.create()
    const [ada] = (await people(network, 'ada')) as [TestPeer]
    const tablet = await linked(network, ada)
    const hour = (time: number): number => time - (time % HOUR_MS)
    const seenBy = async (device: TestPeer, other: TestPeer): Promise<number | null> =>
      (await device.engine.devices.list()).find(({ deviceId }) => deviceId === other.me.deviceId)!.lastSeen
    const [from, now] = [hour(Date.now() - HOUR_MS), hour(Date.now() + HOUR_MS)]
    for (const [device, other] of [
      [ada, tablet],
      [tablet, ada]
    ] as const) {
      await eventually(async () => ((await seenBy(device, other)) ?? 0) >= from, 'the other was seen')
      expect(await seenBy(device, other)).toBeLessThanOrEqual(now)
    }
    // Three days later, with the tablet off: it was on three days ago.
    await tablet.engine.stop()
    const before = await seenBy(ada, tablet)
    await ada.engine.stop()
    ada.slept = 3 * 24 * HOUR_MS
    await ada.start()
    expect(await seenBy(ada, tablet)).toBe(before)
    tablet.slept = ada.slept
    await tablet.start()
    await eventually(async () => (await seenBy(ada, tablet))! >= from + ada.slept, 'it is back')
  })

  test('agree on what is noted about people, also what two of them note at once, and one that was off for weeks', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob, carol] = (await people(network, 'ada', 'bob', 'carol')) as [TestPeer, TestPeer, TestPeer]
    await bob.send(ada, 'hello', { isStranger: true })
    await eventually(async () => (await ada.received(bob)).length === 1, 'it is there')
    const tablet = await linked(network, ada)
    const laptop = await linked(network, ada)
    for (const device of [tablet, laptop]) await eventually(() => isDone(device), 'the history is there')
    const marksOn = async (device: TestPeer, person: TestPeer) =>
      (await device.engine.people.mark(person.me.accountId, {})).marks
    await laptop.engine.stop()
    await Promise.all([
      ada.engine.people.mark(bob.me.accountId, { answer: 'accepted', contact: true, nickname: 'Bobby' }),
      tablet.engine.people.mark(bob.me.accountId, { muted: true, pinned: true })
    ])
    await ada.send(bob, 'while it was off')
    await eventually(async () => (await bob.received(ada)).length === 1, 'Bob has it')
    await bob.send(ada, 'an answer')
    await eventually(async () => (await ada.received(bob)).length === 2, 'it is answered')
    await ada.engine.people.find('carol')
    await ada.engine.people.mark(carol.me.accountId, { contact: true })
    await eventually(async () => (await marksOn(tablet, carol)).contact, 'the tablet knows the contact')
    await tablet.engine.people.mark(carol.me.accountId, { blocked: true, contact: false })
    const ofBob = { answer: 'accepted', contact: true, nickname: 'Bobby', muted: true, pinned: true, blocked: false }
    const ofCarol = { blocked: true, contact: false }
    laptop.slept = 20 * 24 * HOUR_MS
    await laptop.start()
    for (const device of [ada, tablet, laptop]) {
      await eventually(
        async () => isLike(await marksOn(device, bob), ofBob) && isLike(await marksOn(device, carol), ofCarol),
        'all agree'
      )
    }
    await eventually(async () => (await texts(laptop, bob)).length === 3, 'it has what was said meanwhile')
    // Each sender's in order; between two senders the order of arrival counts.
    const shown = await texts(laptop, bob)
    expect(shown.toSorted()).toEqual(['an answer', 'hello', 'while it was off'])
    expect(shown.indexOf('hello')).toBeLessThan(shown.indexOf('an answer'))
  })

  test('take nothing of it from anybody else', async () => {
    const network = await FakeNetwork.create()
    const [ada, bob] = (await people(network, 'ada', 'bob')) as [TestPeer, TestPeer]
    const { id } = await bob.engine.conversations.open(ada.me.accountId)
    await bob.send(ada, 'hello')
    await eventually(async () => (await unread(ada)) === 1, 'it is there')
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
    await eventually(async () => (await ada.received(bob)).includes('after it'), 'what came after is there')
    expect(await unread(ada)).toBe(2)
    expect((await ada.engine.snapshot()).me!.deviceName).toBe('test')
  })
})
