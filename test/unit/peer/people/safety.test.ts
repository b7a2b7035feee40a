import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { eventually } from '../../../support/wait-for.ts'

let network: FakeNetwork
let all: TestPeer[]
let ada: TestPeer
let bob: TestPeer
let carl: TestPeer

const idOf = (peer: TestPeer): string => peer.me.accountId
const markOf = async (at: TestPeer, of: TestPeer): Promise<boolean> =>
  (await at.engine.people.find(idOf(of)))!.verifiedAt !== null
const freshen = async (at: TestPeer): Promise<void> => {
  await at.engine.account.refresh(5_000)
  for (const other of [ada, bob, carl]) if (idOf(other) !== idOf(at)) await at.engine.people.refresh(idOf(other))
}

beforeEach(async () => {
  network = await FakeNetwork.create(1)
  all = [(ada = new TestPeer(network)), (bob = new TestPeer(network)), (carl = new TestPeer(network))]
  for (const [i, name] of ['ada', 'bob', 'carl'].entries()) await all[i]!.register(name)
  for (const one of all) for (const other of all) if (one !== other) await one.accept(other)
})
afterEach(async () => {
  await Promise.all(all.map(peer => peer.engine.stop()))
})

test('two people compare a code: who scanned it has the mark, and a new device that was added in order does not take it away', async () => {
  const { id } = await ada.engine.conversations.open(idOf(bob))
  await bob.engine.conversations.open(idOf(ada))
  const [hers, his] = [await ada.engine.people.safety(id), await bob.engine.people.safety(id)]
  expect(hers.number).toBe(his.number)
  expect(hers.number).toBe((await ada.engine.people.safetyNumber(idOf(bob))).conversation)
  expect(hers.people.map(({ number }) => number).sort()).toEqual(his.people.map(({ number }) => number).sort())
  expect(await ada.engine.people.checkCode(id, his.code!)).toMatchObject({
    result: 'same',
    by: { accountId: idOf(bob) },
    differences: []
  })
  expect(await markOf(ada, bob)).toBe(true)
  const second = await linkedDevice(network, bob)
  all.push(second)
  await freshen(ada)
  expect(await markOf(ada, bob)).toBe(true)
  // An own device is compared, too; it is nobody to be marked.
  await freshen(bob)
  await freshen(second)
  await second.engine.conversations.open(idOf(ada))
  const own = await second.engine.people.safety(id)
  expect((await bob.engine.people.checkCode(id, own.code!)).result).toBe('same')
})

test('a device that only the other side sees is named with its person, and nobody is marked', async () => {
  const { id } = await ada.engine.conversations.open(idOf(bob))
  await bob.engine.conversations.open(idOf(ada))
  const before = await ada.engine.people.safety(id)
  const second = await linkedDevice(network, bob)
  all.push(second)
  await freshen(bob)
  const { code } = await bob.engine.people.safety(id)
  // Her node keeps the new device from her.
  network.withholding.add(0)
  network.answer = async frame =>
    frame.kind === 'account'
      ? { kind: 'error', request: frame.request, code: 'not-found', message: 'withheld' }
      : undefined
  const checked = await ada.engine.people.checkCode(id, code!)
  expect(checked).toMatchObject({ result: 'differs', by: { accountId: idOf(bob) } })
  expect(checked.differences).toEqual([
    {
      person: expect.objectContaining({ accountId: idOf(bob) }),
      device: second.me.deviceId.slice(0, 24),
      seenBy: 'there'
    }
  ])
  expect(await markOf(ada, bob)).toBe(false)
  expect((await ada.engine.people.safety(id)).number).toBe(before.number)
})

test('a group is compared as a whole; codes of other conversations, other texts and notes are not', async () => {
  const { group } = await ada.engine.groups.create('Club', [bob, carl].map(idOf))
  await eventually(async () => (await bob.engine.groups.list())[0]?.members === 3, 'bob is in')
  const his = await bob.engine.people.safety(group.id)
  expect(his.people).toHaveLength(3)
  expect((await ada.engine.people.checkCode(group.id, his.code!)).result).toBe('same')
  const { id } = await ada.engine.conversations.open(idOf(bob))
  expect((await ada.engine.people.checkCode(id, his.code!)).result).toBe('elsewhere')
  expect((await ada.engine.people.checkCode(id, 'https://example.org')).result).toBe('no-code')
  const notes = await ada.engine.conversations.open(idOf(ada))
  await expect(ada.engine.people.safety(notes.id)).rejects.toMatchObject({ code: 'nobody-to-compare' })
})
