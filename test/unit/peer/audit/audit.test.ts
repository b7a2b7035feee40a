/** Whoever shows one member another world than the others is found out by the next message. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { equalBytes, fromHex, toHex } from '../../../../protocol/bytes.ts'
import { decodeProof, encodeProof, type AccountProof } from '../../../../protocol/directory/proofs/proof.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import { decodeNodeFrame, encodeNodeFrame } from '../../../../protocol/wire/peer-frames.ts'
import type { SystemLine } from '../../../../peer/peer-api.ts'
import type { Transport } from '../../../../peer/ports.ts'
import { FakeNetwork, GENESIS, type Fate } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { jsonOn } from '../../../support/peer/run-peer.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { SeededRandom } from '../../../support/seeded-random.ts'
import { eventually } from '../../../support/wait-for.ts'

const NAMES = ['ada', 'bob', 'carl']

let network: FakeNetwork
let all: TestPeer[]
let ada: TestPeer
let bob: TestPeer
let carl: TestPeer

const idOf = (peer: TestPeer): string => peer.me.accountId
const deviceOf = (peer: TestPeer): DeviceId => fromHex(peer.me.deviceId) as DeviceId
const nameOf = (account: string): string => all.find(({ me }) => me.accountId === account)!.me.displayName!

async function textsIn(peer: TestPeer, conversation: string): Promise<string[]> {
  const page = await peer.engine.messages.page(conversation, { limit: 500 })
  return page.filter(({ kind }) => kind === 'text').map(({ text }) => text)
}

const has = (peer: TestPeer, conversation: string, text: string): Promise<void> =>
  eventually(async () => (await textsIn(peer, conversation)).includes(text), `${peer.me.username} has ${text}`)

/** `bob: other messages of carl`, for each difference that a peer tells. */
async function differencesIn(peer: TestPeer, conversation: string): Promise<string[]> {
  const page = await peer.engine.messages.page(conversation, { limit: 500 })
  const lines = page.flatMap(({ line }) => (line?.kind === 'differs' ? [line] : []))
  return lines.map(wordsOf).sort()
}

const wordsOf = ({ what, by, of }: Extract<SystemLine, { kind: 'differs' }>): string =>
  [nameOf(by.accountId), what, ...of.map(({ accountId }) => nameOf(accountId))].join(' ')

const tells = (peer: TestPeer, conversation: string, expected: string): Promise<void> =>
  eventually(
    async () => (await differencesIn(peer, conversation)).includes(expected),
    `${peer.me.username} tells "${expected}"`
  )

async function start(bobs: TestPeer): Promise<void> {
  all = [(ada = new TestPeer(network)), (bob = bobs), (carl = new TestPeer(network))]
  for (const [i, name] of NAMES.entries()) await all[i]!.register(name)
  for (const one of all) for (const other of all) if (one !== other) await one.accept(other)
}

async function createGroup(): Promise<string> {
  const { group } = await carl.engine.groups.create('Club', [idOf(ada), idOf(bob)])
  for (const peer of [ada, bob]) {
    await eventually(async () => (await peer.engine.groups.list()).some(({ id }) => id === group.id), 'they are in')
  }
  await carl.engine.messages.sendText(group.id, 'welcome')
  for (const peer of [ada, bob]) await has(peer, group.id, 'welcome')
  return group.id
}

beforeEach(async () => {
  network = await FakeNetwork.create(1)
})
afterEach(async () => {
  await Promise.all(all.map(peer => peer.engine.stop()))
})

test('a sender who tells two members different things is named to both by the next message', async () => {
  await start(new TestPeer(network))
  const group = await createGroup()
  await eventually(() => network.pendingFor(deviceOf(carl)) === 0, 'carl has all receipts')
  const before = carl.copyOfStore()
  const only = (peer: TestPeer, text: string) => sayToOne(carl, group, peer, text)
  await only(ada, 'we meet at six')
  await carl.rollBack(before)
  await carl.engine.online(5_000)
  await only(bob, 'we meet at nine')
  expect(await differencesIn(ada, group)).toEqual([])
  await bob.engine.messages.sendText(group, 'see you')
  await tells(bob, group, 'ada history carl')
  await tells(ada, group, 'bob history carl')
  // A script hears it without asking.
  const { lines } = await jsonOn(bob.engine, 'listen', '--count', '3', '--timeout', '60')
  expect(lines).toMatchObject([
    { text: 'welcome' },
    { text: 'we meet at nine' },
    {
      event: 'differs',
      what: 'history',
      conversation: `group:${group}`,
      fromAccount: ada.me.accountId,
      device: ada.me.deviceId,
      of: [carl.me.accountId]
    }
  ])
})

/** Everybody else never gets it. */
async function sayToOne(sender: TestPeer, group: string, receiver: TestPeer, text: string): Promise<void> {
  const others = all.filter(peer => peer !== receiver && peer !== sender).map(({ me }) => me.deviceId)
  network.fate = (_, mailbox) => (others.includes(toHex(mailbox)) ? 'drop' : 'deliver')
  await sender.engine.messages.sendText(group, text)
  await has(receiver, group, text)
  network.fate = () => 'deliver'
}

test('a sender who tells two devices of one person different things is named by the next message of one of them', async () => {
  await start(new TestPeer(network))
  const second = await linkedDevice(network, ada)
  all.push(second)
  const { id } = await carl.engine.conversations.open(idOf(ada))
  await carl.engine.messages.sendText(id, 'hello')
  for (const peer of [ada, second]) await has(peer, id, 'hello')
  await eventually(() => network.pendingFor(deviceOf(carl)) === 0, 'carl has all receipts')
  const before = carl.copyOfStore()
  await sayToOne(carl, id, ada, 'yes')
  await carl.rollBack(before)
  await carl.engine.online(5_000)
  await sayToOne(carl, id, second, 'no')
  await ada.engine.messages.sendText(id, 'noted')
  await tells(ada, id, 'ada history carl')
  await tells(second, id, 'ada history carl')
})

/** A node that shows one peer an account as it was, under a tip as new as all others see. */
function withholding(before: () => AccountProof | undefined): () => Transport {
  return () => {
    const honest = network.transport()
    return {
      stop: () => honest.stop(),
      dial: async (...target) => {
        const stream = await honest.dial(...target)
        const receive = async () => {
          const bytes = await stream.receive()
          const frame = bytes && decodeNodeFrame(bytes)
          const old = before()
          if (frame?.kind !== 'account' || !old) return bytes
          const { accountId, tip } = decodeProof(frame.proof)
          return equalBytes(accountId, old.accountId)
            ? encodeNodeFrame({ ...frame, proof: encodeProof({ ...old, tip }) })
            : bytes
        }
        return { ...stream, send: bytes => stream.send(bytes), close: () => stream.close(), receive }
      }
    }
  }
}

test('a node that hides a record from one member is found out by the next message, with whose record it is', async () => {
  const shown: { old?: AccountProof } = {}
  await start(
    new TestPeer({ transport: withholding(() => shown.old), fetch: network.fetch, url: node => network.url(node) })
  )
  network.ledger.mine(1)
  network.ledger.mine(30, { empty: true })
  const group = await createGroup()
  shown.old = decodeProof(network.ledger.proofOf(idOf(carl))!)
  all.push(await linkedDevice(network, carl))
  network.ledger.mine(1)
  network.ledger.mine(40, { empty: true })
  // Both ask their node about everybody.
  for (const peer of [ada, bob]) {
    await peer.engine.account.refresh(5_000)
    for (const other of all.slice(0, 3)) if (other !== peer) await peer.engine.people.refresh(idOf(other))
  }
  await bob.engine.messages.sendText(group, 'anybody there?')
  await has(ada, group, 'anybody there?')
  await tells(bob, group, 'ada records carl')
  await tells(ada, group, 'bob records carl')
})

test('one version of the app that is two builds is noticed where releases are signed; another version is not', async () => {
  network = await FakeNetwork.create(1, { ...GENESIS, releaseKey: new Uint8Array(32).fill(9) })
  const build = (version: string, byte: number) => ({ version, hash: new Uint8Array(32).fill(byte) })
  const bobs = new TestPeer(network)
  bobs.release = build('1.0.0', 2)
  await start(bobs)
  for (const [peer, release] of [
    [ada, build('1.0.0', 1)],
    [carl, build('1.1.0', 3)]
  ] as const) {
    peer.release = release
    await peer.restart()
    await peer.engine.online(5_000)
  }
  const group = await createGroup()
  await bob.engine.messages.sendText(group, 'hello')
  await has(ada, group, 'hello')
  await tells(bob, group, 'ada build')
  await ada.engine.messages.sendText(group, 'hello to you')
  await tells(ada, group, 'bob build')
  expect(await differencesIn(carl, group)).toEqual([])
})

test('an admin who tells one member of a change and hides it from another is found out by the next message', async () => {
  await start(new TestPeer(network))
  const group = await createGroup()
  await eventually(() => network.pendingFor(deviceOf(carl)) === 0, 'carl has all receipts')
  const before = carl.copyOfStore()
  network.fate = (_, mailbox) => (equalBytes(mailbox, deviceOf(bob)) ? 'drop' : 'deliver')
  await carl.engine.groups.rename(group, 'For Ada')
  const nameAt = async (peer: TestPeer) => (await peer.engine.groups.list())[0]!.name
  await eventually(async () => (await nameAt(ada)) === 'For Ada', 'ada has it')
  await carl.rollBack(before)
  await carl.engine.online(5_000)
  network.fate = (_, mailbox) => (equalBytes(mailbox, deviceOf(ada)) ? 'drop' : 'deliver')
  await carl.engine.groups.rename(group, 'For Bob')
  await eventually(async () => (await nameAt(bob)) === 'For Bob', 'bob has it')
  network.fate = () => 'deliver'
  await bob.engine.messages.sendText(group, 'what is our name?')
  const renamed = async (peer: TestPeer) =>
    (await peer.engine.messages.page(group)).filter(({ line }) => line?.kind === 'group' && line.what === 'renamed')
  for (const peer of [ada, bob])
    await eventually(async () => (await renamed(peer)).length === 2, 'both changes are shown')
  expect(await nameAt(ada)).toBe(await nameAt(bob))
})

test('nothing that happens to messages on their way raises a false alarm: copies, another order, restarts, clocks apart', async () => {
  const bobs = new TestPeer(network)
  bobs.clockOffset = 120_000
  await start(bobs)
  const group = await createGroup()
  const second = await linkedDevice(network, ada)
  all.push(second)
  await has(second, group, 'welcome')
  const random = new SeededRandom(7)
  const fates: Fate[] = ['deliver', 'deliver', 'twice', 'later']
  network.fate = () => random.pick(fates)
  const texts: string[] = []
  for (let i = 0; i < 10; i++) {
    const peer = random.pick(all)
    texts.push(`message ${i}`)
    await peer.engine.messages.sendText(group, `message ${i}`)
    if (i % 5 === 4) await random.pick(all).crash()
    if (i % 4 === 3) network.redeliver()
  }
  network.fate = () => 'deliver'
  for (const peer of all) await peer.engine.online(5_000)
  await ada.engine.messages.sendText(group, 'the last one')
  for (const peer of all) {
    await eventually(async () => {
      network.redeliver()
      const shown = new Set(await textsIn(peer, group))
      return [...texts, 'the last one'].every(text => shown.has(text))
    }, `${peer.me.username} has all`)
  }
  for (const peer of all) expect(await differencesIn(peer, group)).toEqual([])
})
