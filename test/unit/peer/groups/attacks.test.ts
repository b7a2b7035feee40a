/** What nodes, former members and strangers can do to a group: nothing that its members do not see. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../../protocol/bytes.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import { decodeEnvelope, type DeliveryId } from '../../../../protocol/wire/envelope.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { eventually } from '../../../support/wait-for.ts'

let network: FakeNetwork
let ada: TestPeer
let bob: TestPeer
let dan: TestPeer
let all: TestPeer[]

const until = (what: string, claim: () => Promise<boolean>): Promise<void> => eventually(claim, what)
const idOf = (peer: TestPeer): string => peer.me.accountId

async function textsIn(peer: TestPeer, group: string): Promise<string[]> {
  const page = await peer.engine.messages.page(group, { limit: 500 })
  return page.filter(({ kind }) => kind !== 'system').map(({ kind, text }) => text || `(${kind})`)
}

const has = (peer: TestPeer, group: string, text: string): Promise<void> =>
  until(`${peer.me.displayName} has ${text}`, async () => (await textsIn(peer, group)).includes(text))

const size = async (peer: TestPeer): Promise<number | undefined> => (await peer.engine.groups.list())[0]?.members

/** The mailboxes that envelopes since a point were for. */
function mailboxesSince(point: number): Set<string> {
  const envelopes = network.submitted.slice(point).map(bytes => decodeEnvelope(bytes))
  return new Set(envelopes.flatMap(({ recipients }) => recipients.map(({ mailbox }) => toHex(mailbox))))
}

beforeEach(async () => {
  network = await FakeNetwork.create(1)
  all = [(ada = new TestPeer(network)), (bob = new TestPeer(network)), (dan = new TestPeer(network))]
  for (const [i, name] of ['ada', 'bob', 'dan'].entries()) await all[i]!.register(name)
  for (const one of all) for (const other of all) if (one !== other) await one.accept(other)
})
afterEach(async () => {
  await Promise.all(all.map(peer => peer.engine.stop()))
})

test('nodes are handed neither the name of a group nor its id nor its members', async () => {
  const point = network.submitted.length
  const { group } = await ada.engine.groups.create('Rather Unusual Name', all.slice(1).map(idOf))
  await ada.engine.messages.sendText(group.id, 'rather unusual text')
  for (const peer of [bob, dan]) await until('they are in', async () => (await size(peer)) === 3)
  await bob.engine.messages.sendText(group.id, 'an answer')
  await has(ada, group.id, 'an answer')
  const seen = network.submitted.slice(point).map(toHex).join()
  const secrets = [utf8('Rather Unusual Name'), utf8('rather unusual text'), fromHex(group.id)]
  for (const secret of [...secrets, ...all.map(peer => fromHex(idOf(peer)))]) expect(seen).not.toContain(toHex(secret))
})

test('nothing that is sealed before a person is added, or after they are removed, is for their mailbox', async () => {
  const { group } = await ada.engine.groups.create('Club', [idOf(bob)])
  await until('bob is in', async () => (await size(bob)) === 2)
  const begin = network.submitted.length
  await ada.engine.messages.sendText(group.id, 'before')
  await has(bob, group.id, 'before')
  expect(mailboxesSince(begin)).not.toContain(dan.me.deviceId)
  await ada.engine.groups.add(group.id, [idOf(dan)])
  await until('dan is in', async () => (await size(dan)) === 3)
  await dan.engine.messages.sendText(group.id, 'hello')
  for (const peer of [ada, bob]) await has(peer, group.id, 'hello')
  await ada.engine.groups.remove(group.id, [idOf(dan)])
  await until('all know', async () => (await size(bob)) === 2 && (await dan.engine.groups.list())[0]!.role === null)
  await until('receipts are out', async () => network.pending === 0)
  const end = network.submitted.length
  await bob.engine.messages.sendText(group.id, 'after')
  await has(ada, group.id, 'after')
  expect(mailboxesSince(end)).not.toContain(dan.me.deviceId)
  expect(await textsIn(dan, group.id)).toEqual(['hello'])
})

test('a former member who hears of nothing, with every key, is neither heard nor answered', async () => {
  const { group } = await ada.engine.groups.create('Club', [bob, dan].map(idOf))
  for (const peer of [bob, dan]) await until('they are in', async () => (await size(peer)) === 3)
  await dan.engine.messages.sendText(group.id, 'while a member')
  for (const peer of [ada, bob]) await has(peer, group.id, 'while a member')
  network.fate = (_delivery, mailbox: DeviceId) => (toHex(mailbox) === dan.me.deviceId ? 'later' : 'deliver')
  await ada.engine.groups.remove(group.id, [idOf(dan)])
  await until('bob knows', async () => (await size(bob)) === 2)
  await dan.engine.messages.sendText(group.id, 'I was removed')
  await dan.engine.groups.leave(group.id)
  await until('it is with the network', async () => (await dan.engine.snapshot()).status.waiting === 0)
  await bob.engine.messages.sendText(group.id, 'without dan')
  await has(ada, group.id, 'without dan')
  await until('all was looked at', async () => network.pendingFor(fromHex(bob.me.deviceId) as DeviceId) === 0)
  for (const peer of [ada, bob]) {
    expect(await textsIn(peer, group.id)).toEqual(['while a member', 'without dan'])
    expect(await size(peer)).toBe(2)
  }
})

test('who is handed all that nodes keep reads nothing from before they were added, nor from after they were removed', async () => {
  const { group } = await ada.engine.groups.create('Club', [idOf(bob)])
  await until('bob is in', async () => (await size(bob)) === 2)
  await ada.engine.messages.sendText(group.id, 'before')
  await has(bob, group.id, 'before')
  await ada.engine.groups.add(group.id, [idOf(dan)])
  await until('dan is in', async () => (await size(dan)) === 3)
  await dan.engine.messages.sendText(group.id, 'hello')
  for (const peer of [ada, bob]) await has(peer, group.id, 'hello')
  await ada.engine.groups.remove(group.id, [idOf(dan)])
  await until('bob knows', async () => (await size(bob)) === 2)
  await bob.engine.messages.sendText(group.id, 'after')
  await has(ada, group.id, 'after')
  // He has every key that he ever had, and a node that helps him.
  const mailbox = fromHex(dan.me.deviceId) as DeviceId
  let id = 0
  for (const envelope of network.submitted.map(bytes => decodeEnvelope(bytes))) {
    for (const { part, proof } of envelope.recipients) {
      const name = new Uint8Array(32)
      new DataView(name.buffer).setUint32(0, id++)
      const delivery = { ...envelope, id: name as DeliveryId, part, proof, storedAt: Date.now() }
      network.push(mailbox, delivery)
    }
  }
  // It comes behind all of that on the same connection.
  await ada.send(dan, 'the last one')
  await until('dan has looked at all', async () => (await dan.received(ada)).includes('the last one'))
  expect(await textsIn(dan, group.id)).toEqual(['hello'])
})

test('a copy of everything that ever went through the network changes nothing', async () => {
  const { group } = await ada.engine.groups.create('Club', [bob, dan].map(idOf))
  for (const peer of [bob, dan]) await until('they are in', async () => (await size(peer)) === 3)
  network.fate = () => 'twice'
  await ada.engine.messages.sendText(group.id, 'once')
  await ada.engine.groups.rename(group.id, 'Society')
  await ada.engine.groups.remove(group.id, [idOf(dan)])
  await until('bob knows', async () => (await size(bob)) === 2)
  await bob.engine.messages.sendText(group.id, 'and once')
  await has(ada, group.id, 'and once')
  expect(await textsIn(bob, group.id)).toEqual(['once', 'and once'])
  const lines = (await bob.engine.messages.page(group.id)).flatMap(({ line }) =>
    line?.kind === 'group' ? [line.what] : []
  )
  expect(lines).toEqual(['created', 'renamed', 'removed'])
})

test('a device that is added to an account has its groups, and writes in them', async () => {
  const { group } = await ada.engine.groups.create('Club', [idOf(bob)])
  await until('bob is in', async () => (await size(bob)) === 2)
  await ada.engine.messages.sendText(group.id, 'before the second device')
  await has(bob, group.id, 'before the second device')
  const second = await linkedDevice(network, ada)
  all.push(second)
  await until('the second device has the group', async () => (await size(second)) === 2)
  await has(second, group.id, 'before the second device')
  await second.engine.messages.sendText(group.id, 'from the second device')
  for (const peer of [ada, bob]) await has(peer, group.id, 'from the second device')
  await second.engine.groups.rename(group.id, 'Society')
  await until('bob has the name', async () => (await bob.engine.groups.list())[0]!.name === 'Society')
})
