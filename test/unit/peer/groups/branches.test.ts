/** Admins who are cut off from each other, and what becomes of what was said meanwhile. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

let network: FakeNetwork
let ada: TestPeer
let bob: TestPeer
let cleo: TestPeer
let dan: TestPeer
let all: TestPeer[]
let group: string

const until = (what: string, claim: () => Promise<boolean>): Promise<void> => eventually(claim, what)
const idOf = (peer: TestPeer): string => peer.me.accountId
const names = (peer: TestPeer): string => peer.me.displayName!

const membersOf = async (peer: TestPeer): Promise<string> => {
  const members = await peer.engine.groups.members(group)
  return members
    .map(({ person, role }) => `${names(all.find(each => idOf(each) === person.accountId)!)} ${role}`)
    .sort()
    .join()
}

async function textsIn(peer: TestPeer): Promise<string[]> {
  const page = await peer.engine.messages.page(group, { limit: 500 })
  return page
    .filter(({ kind, line }) => kind !== 'system' && !(kind === 'gap' && line === null))
    .map(({ kind, text }) => text || `(${kind})`)
}

const has = (peer: TestPeer, text: string): Promise<void> =>
  until(`${names(peer)} has ${text}`, async () => (await textsIn(peer)).includes(text))

/** Nothing reaches these people until the network is whole again. */
function cutOff(...peers: TestPeer[]): void {
  const devices = new Set(peers.map(({ me }) => me.deviceId))
  network.fate = (_delivery, mailbox: DeviceId) => (devices.has(toHex(mailbox)) ? 'later' : 'deliver')
}

function heal(): void {
  network.fate = () => 'deliver'
  network.redeliver()
}

beforeEach(async () => {
  network = await FakeNetwork.create(1)
  ada = new TestPeer(network)
  bob = new TestPeer(network)
  cleo = new TestPeer(network)
  dan = new TestPeer(network)
  all = [ada, bob, cleo, dan]
  for (const [i, name] of ['ada', 'bob', 'cleo', 'dan'].entries()) await all[i]!.register(name)
  for (const one of all) for (const other of all) if (one !== other) await one.accept(other)
  group = (await ada.engine.groups.create('Climbing', [bob, cleo, dan].map(idOf))).group.id
  await ada.engine.groups.setRole(group, idOf(bob), 'admin')
  for (const peer of all) {
    await until('all have the group', async () => {
      const [known] = await peer.engine.groups.list()
      return known !== undefined && (await membersOf(peer)).includes('bob admin')
    })
  }
  for (const peer of all) await peer.engine.messages.sendText(group, `hello from ${names(peer)}`)
  for (const peer of all) for (const other of all) await has(peer, `hello from ${names(other)}`)
})
afterEach(async () => {
  await Promise.all(all.map(peer => peer.engine.stop()))
})

test('two admins change the group at the same time: all end with both changes', async () => {
  cutOff(bob, cleo)
  await ada.engine.groups.rename(group, 'By Ada')
  await until('dan has it', async () => (await dan.engine.groups.list())[0]!.name === 'By Ada')
  cutOff(ada, dan)
  await bob.engine.groups.setRole(group, idOf(cleo), 'admin')
  await until('cleo has it', async () => (await membersOf(cleo)).includes('cleo admin'))
  await cleo.engine.messages.sendText(group, 'said apart')
  heal()
  for (const peer of all) {
    await until(`${names(peer)} has both`, async () => {
      const [known] = await peer.engine.groups.list()
      return known!.name === 'By Ada' && (await membersOf(peer)).includes('cleo admin')
    })
    await has(peer, 'said apart')
  }
})

test('two admins remove each other: the one who ranks before stays, and gets what the other side said without her', async () => {
  cutOff(bob, cleo)
  await ada.engine.groups.remove(group, [idOf(bob)])
  await until('dan has it', async () => !(await membersOf(dan)).includes('bob'))
  cutOff(ada, dan)
  await bob.engine.groups.remove(group, [idOf(ada)])
  await until('cleo has it', async () => !(await membersOf(cleo)).includes('ada'))
  await cleo.engine.messages.sendText(group, 'said without ada')
  await has(bob, 'said without ada')
  heal()
  for (const peer of [ada, cleo, dan]) {
    await until(
      `${names(peer)} knows who is in`,
      async () => (await membersOf(peer)) === 'ada admin,cleo member,dan member'
    )
  }
  await has(dan, 'said without ada')
  await has(ada, 'said without ada')
  await ada.engine.messages.sendText(group, 'all of us again')
  for (const peer of [cleo, dan]) await has(peer, 'all of us again')
  await until('bob is out', async () => (await bob.engine.groups.list())[0]!.role === null)
  for (const peer of [ada, cleo, dan]) {
    const texts = await textsIn(peer)
    expect(new Set(texts).size).toBe(texts.length)
    expect(texts.filter(text => text.startsWith('('))).toEqual([])
  }
  expect(await textsIn(bob)).not.toContain('all of us again')
  const lines = (await cleo.engine.messages.page(group, { limit: 500 })).map(({ line }) => line)
  expect(lines).toContainEqual(expect.objectContaining({ kind: 'group', what: 'undone' }))
})
