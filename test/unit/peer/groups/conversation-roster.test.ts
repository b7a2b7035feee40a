import { expect, test } from 'vitest'
import type { DirectoryClient } from '../../../../peer/directory/directory-client.ts'
import type { EngineContext } from '../../../../peer/engine-context.ts'
import { ConversationRoster, conversationOf } from '../../../../peer/groups/conversation-roster.ts'
import { GroupBook } from '../../../../peer/groups/group-book.ts'
import { memoryStates } from '../../../support/peer/memory-states.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../../protocol/network.ts'

const crypto = createNodeCrypto()
const me = new Uint8Array(32).fill(9) as AccountId
const bob = new Uint8Array(32).fill(2) as AccountId
const stranger = new Uint8Array(32).fill(7) as AccountId
const device = (fill: number): DeviceId => new Uint8Array(16).fill(fill) as DeviceId

const context = {
  crypto,
  network: () => ({ id: new Uint8Array(32).fill(4) as NetworkId }),
  accountId: () => me,
  device: () => ({ deviceId: device(90) })
} as unknown as EngineContext

/** An account with live devices, of which some are also known as revoked. */
function account(accountId: AccountId, devices: DeviceId[], revoked: DeviceId[] = []) {
  const states = devices.map(deviceId => ({ deviceId, keys: {}, revocation: null, countered: [] }))
  return {
    accountId,
    checked: { account: { head: new Uint8Array(32), devices: states } },
    current: { devices: states },
    view: { revokedAt: (id: DeviceId) => (revoked.some(other => other[0] === id[0]) ? 1 : undefined) }
  }
}

const groups = new GroupBook(context, (await memoryStates()).states)

function rosterWith(known: ReturnType<typeof account>[]): ConversationRoster {
  const find = (id: AccountId) => known.find(({ accountId }) => accountId[0] === id[0])
  const directory = {
    load: async (id: AccountId) => find(id),
    peek: (hex: string) => known.find(({ accountId }) => Buffer.from(accountId).toString('hex') === hex)
  }
  return new ConversationRoster(context, directory as unknown as DirectoryClient, groups)
}

const notes = conversationOf(context, [me, me])
const direct = conversationOf(context, [bob, me])

test('a conversation is the same one in whichever order its accounts are named', () => {
  expect(conversationOf(context, [me, bob])).toEqual(direct)
  expect(conversationOf(context, [me])).toEqual(notes)
  expect(direct.conversationId).not.toEqual(notes.conversationId)
})

test('a conversation of more accounts than a direct one may have is refused', () => {
  expect(() => conversationOf(context, [me, bob, stranger])).toThrow('one or two accounts')
})

test('in notes our account is the only member, and the one that is shown', () => {
  const roster = rosterWith([])
  expect(notes.kind).toBe('notes')
  expect(roster.membersOf(notes)).toEqual([me])
  expect(roster.partnersOf(notes)).toEqual([me])
  expect(roster.othersOf(notes)).toEqual([])
})

test('a direct conversation has our account and the other, and shows the other', () => {
  const roster = rosterWith([])
  expect(direct.kind).toBe('direct')
  expect(roster.membersOf(direct)).toEqual([me, bob])
  expect(roster.partnersOf(direct)).toEqual([bob])
  expect(roster.othersOf(direct)).toEqual([bob])
})

test('what is said goes to every live device of every member but this one', async () => {
  const roster = rosterWith([account(me, [device(90), device(91)]), account(bob, [device(20), device(21)])])
  expect(await roster.recipientsOf(direct)).toEqual([device(91), device(20), device(21)])
  expect(await roster.recipientsOf(notes)).toEqual([device(91)])
})

test('who receives it is not known while a member was never looked up', async () => {
  const roster = rosterWith([account(me, [device(90)])])
  expect(await roster.recipientsOf(direct)).toBeUndefined()
})

test('a device is revoked in a conversation if the account of any member says so', async () => {
  const roster = rosterWith([account(me, [device(90)]), account(bob, [device(20)], [device(21)])])
  const isRevoked = await roster.revocationsIn(direct)
  expect([isRevoked(device(21)), isRevoked(device(20)), isRevoked(device(90))]).toEqual([true, false, false])
})

test('a device that wrote belongs to the member whose account has it, else to the account that is shown', () => {
  const roster = rosterWith([account(me, [device(90), device(91)]), account(bob, [device(20)])])
  expect(roster.ownerOf(direct, device(91))).toEqual(me)
  expect(roster.ownerOf(direct, device(20))).toEqual(bob)
  expect(roster.ownerOf(direct, device(99))).toEqual(bob)
})
