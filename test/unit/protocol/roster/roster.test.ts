import { beforeAll, describe, expect, it } from 'vitest'
import {
  createDirectRoster,
  createRoster,
  decodeRoster,
  directConversationId,
  encodeRoster,
  findRosterDevice,
  MAX_ROSTER_BYTES,
  rosterCodec,
  rosterDevices,
  rosterHash,
  type ConversationId,
  type Roster,
  type RosterDevice
} from '../../../../protocol/roster/roster.ts'
import { resolveRoster, type RosterReference } from '../../../../protocol/roster/roster-resolution.ts'
import { encode } from '../../../../protocol/codec.ts'
import type { AccountId, DeviceId, RecordId } from '../../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import {
  createAccount,
  directoryOf,
  NETWORK,
  rosterOf,
  testEnvironment,
  type TestAccount
} from '../session/fixtures.ts'

const env = testEnvironment('roster')
const { crypto } = env
const refused = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })

let ada: TestAccount
let bob: TestAccount
let roster: Roster

beforeAll(async () => {
  ada = await createAccount(env, 2)
  bob = await createAccount(env, 2)
  roster = rosterOf(env, ada, bob)
})

describe('a roster', () => {
  it('is the same whoever makes it, in whatever order', () => {
    const reversed = createDirectRoster(crypto, NETWORK, [
      { ...bob.member(), devices: bob.member().devices.toReversed() },
      ada.member()
    ])
    expect(reversed).toEqual(roster)
    expect(rosterHash(crypto, NETWORK, reversed)).toEqual(rosterHash(crypto, NETWORK, roster))
    expect(decodeRoster(encodeRoster(roster))).toEqual(roster)
  })

  it('has another hash for any change and on any other network', () => {
    const hash = (changed: Roster, network = NETWORK) =>
      Buffer.from(rosterHash(crypto, network, changed)).toString('hex')
    const [first, second] = roster.members as [Roster['members'][0], Roster['members'][0]]
    const changed: Roster[] = [
      { ...roster, epoch: 1 },
      { ...roster, conversationId: new Uint8Array(32) as ConversationId },
      { ...roster, members: [first] },
      { ...roster, members: [{ ...first, accountId: new Uint8Array(32) as AccountId }, second] },
      { ...roster, members: [{ ...first, devices: first.devices.slice(1) }, second] },
      ...(['signingKey', 'messagingKeyHash', 'deviceId'] as const).map(field => ({
        ...roster,
        members: [
          { ...first, devices: [{ ...first.devices[0]!, [field]: new Uint8Array(field === 'deviceId' ? 16 : 32) }] },
          second
        ]
      }))
    ]
    const hashes = [hash(roster), ...changed.map(other => hash(other)), hash(roster, new Uint8Array(32) as NetworkId)]
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('keeps its hash while only records are added that change no device, such as a name', () => {
    const [first, second] = roster.members as [Roster['members'][0], Roster['members'][0]]
    const renamed: Roster = { ...roster, members: [{ ...first, head: new Uint8Array(32) as RecordId }, second] }
    expect(rosterHash(crypto, NETWORK, renamed)).toEqual(rosterHash(crypto, NETWORK, roster))
  })

  it('refuses the same account or device twice, and too many', () => {
    const id = roster.conversationId
    expect(() => createRoster(id, 0, [ada.member(), ada.member()])).toThrow(refused('INVALID'))
    expect(() => createRoster(id, 0, [ada.member(), { ...bob.member(), devices: ada.member().devices }])).toThrow(
      refused('INVALID')
    )
    expect(() => createRoster(id, 0, [])).toThrow(refused('INVALID'))
    const device = (n: number): RosterDevice => ({
      deviceId: Uint8Array.from({ length: 16 }, (_, i) => (i < 4 ? (n >> (8 * i)) & 255 : 0)) as DeviceId,
      signingKey: new Uint8Array(32),
      messagingKeyHash: new Uint8Array(32)
    })
    const accounts = (count: number, each: number) =>
      Array.from({ length: count }, (_, a) => ({
        accountId: Uint8Array.from({ length: 32 }, (_, i) => (i < 2 ? (a >> (8 * i)) & 255 : 0)) as AccountId,
        head: new Uint8Array(32) as RecordId,
        devices: Array.from({ length: each }, (_, d) => device(a * each + d))
      }))
    expect(() => createRoster(id, 0, accounts(1, 33))).toThrow(refused('LIMIT_REACHED'))
    expect(() => createRoster(id, 0, accounts(1025, 1))).toThrow(refused('LIMIT_REACHED'))
    const largest = encodeRoster(createRoster(id, Number.MAX_SAFE_INTEGER, accounts(1024, 1)))
    expect(largest.length).toBeLessThanOrEqual(MAX_ROSTER_BYTES)
    expect(decodeRoster(largest).members).toHaveLength(1024)
  })

  it('that is not sorted is refused when it is read', () => {
    const unsorted = encode(rosterCodec, { ...roster, members: roster.members.toReversed() })
    expect(() => decodeRoster(unsorted)).toThrow(refused('MALFORMED'))
  })

  it('lists devices with their owners', () => {
    expect(rosterDevices(roster)).toHaveLength(4)
    const found = findRosterDevice(roster, bob.devices[1]!.deviceId)
    expect(found).toEqual({ accountId: bob.accountId, device: bob.devices[1]!.listed })
  })
})

describe('the id of a direct conversation', () => {
  it('is the same from both sides, another with anybody else, and its own for notes to self', () => {
    const id = (...accounts: TestAccount[]) =>
      Buffer.from(
        directConversationId(
          crypto,
          NETWORK,
          accounts.map(({ accountId }) => accountId)
        )
      ).toString('hex')
    expect(id(ada, bob)).toBe(id(bob, ada))
    expect(new Set([id(ada, bob), id(ada), id(bob)]).size).toBe(3)
    expect(() => id(ada, ada)).toThrow(refused('INVALID'))
    expect(() => id()).toThrow(refused('INVALID'))
    expect(() => id(ada, bob, ada)).toThrow(refused('INVALID'))
  })
})

describe('the roster that an Open names', () => {
  const reference = (more: Partial<RosterReference> = {}, named = roster): RosterReference => ({
    conversationId: named.conversationId,
    rosterEpoch: 0,
    rosterHash: rosterHash(crypto, NETWORK, named),
    members: named.members.map(({ accountId, head }) => ({ accountId, head })),
    group: null,
    senderAccount: ada.accountId,
    senderDevice: ada.devices[0]!.deviceId,
    createdAt: env.now(),
    ...more
  })

  it('is accepted when the directory gives the same', () => {
    const decision = resolveRoster(env, reference(), directoryOf(ada, bob))
    expect(decision).toEqual({ kind: 'accept', roster, outdated: [], ahead: [] })
  })

  it('is held and fetched for an unknown account or head', () => {
    expect(resolveRoster(env, reference(), directoryOf(bob))).toEqual({ kind: 'fetch', accounts: [ada.accountId] })
    const behind = (id: AccountId) => (id === ada.accountId ? ada.view(1) : bob.view())
    expect(resolveRoster(env, reference(), behind)).toEqual({ kind: 'fetch', accounts: [ada.accountId] })
  })

  it('is accepted at once under a head that is not known here, if it has the devices that are known', () => {
    const head = new Uint8Array(32).fill(9) as RecordId
    const members = roster.members.map(member =>
      member.accountId === ada.accountId ? { accountId: member.accountId, head } : member
    )
    const decision = resolveRoster(env, reference({ members }), directoryOf(ada, bob))
    expect(decision).toEqual({ kind: 'accept', roster, outdated: [], ahead: [ada.accountId] })
  })

  it('is accepted with an older head, whose owner’s news the sender has yet to learn', async () => {
    const carol = await createAccount(env, 1)
    const older = rosterOf(env, ada, carol)
    await carol.addDevice()
    const decision = resolveRoster(env, reference({}, older), directoryOf(ada, carol))
    expect(decision).toEqual({ kind: 'accept', roster: older, outdated: [carol.accountId], ahead: [] })
  })

  it('is refused when it lists a device that was revoked before, and accepted when it was opened before', async () => {
    const carol = await createAccount(env, 2)
    const older = rosterOf(env, ada, carol)
    carol.revoke(carol.devices[0]!)
    const before = reference({ createdAt: env.now() - 60_000 }, older)
    expect(resolveRoster(env, before, directoryOf(ada, carol)).kind).toBe('accept')
    const after = reference({ createdAt: env.now() + 11 * 60_000 }, older)
    expect(resolveRoster(env, after, directoryOf(ada, carol))).toEqual({ kind: 'refuse', reason: 'lists-revoked' })
  })

  it('is refused from a device that was revoked, whatever time it claims', async () => {
    const carol = await createAccount(env, 2)
    const older = rosterOf(env, ada, carol)
    carol.revoke(carol.devices[0]!)
    const stolen = { senderAccount: carol.accountId, senderDevice: carol.devices[0]!.deviceId }
    const backdated = reference({ ...stolen, createdAt: env.now() - 86_400_000 }, older)
    expect(resolveRoster(env, backdated, directoryOf(ada, carol))).toEqual({ kind: 'refuse', reason: 'sender-revoked' })
  })

  it('is refused when the directory gives another hash: a device that a node slipped in or left out', () => {
    const fewer = createDirectRoster(crypto, NETWORK, [
      ada.member(),
      { ...bob.member(), devices: bob.member().devices.slice(1) }
    ])
    expect(
      resolveRoster(env, reference({ rosterHash: rosterHash(crypto, NETWORK, fewer) }), directoryOf(ada, bob))
    ).toEqual({
      kind: 'refuse',
      reason: 'mismatch'
    })
  })

  it('cannot lend the conversation of others: its id follows from the accounts', async () => {
    const mallory = await createAccount(env, 1)
    const own = rosterOf(env, mallory, bob)
    const lent: Roster = { ...own, conversationId: roster.conversationId }
    expect(resolveRoster(env, reference({}, lent), directoryOf(mallory, bob))).toEqual({
      kind: 'refuse',
      reason: 'foreign'
    })
    const twice = reference({ members: [own.members[0]!, own.members[0]!] }, own)
    expect(resolveRoster(env, twice, directoryOf(mallory, bob))).toEqual({ kind: 'refuse', reason: 'foreign' })
  })

  it('is refused before any look-up if it makes no sense: nobody can have accounts fetched that are none of ours', async () => {
    const carol = await createAccount(env, 1)
    const elsewhere = rosterOf(env, ada, carol)
    const nothing = directoryOf()
    const foreign = { kind: 'refuse', reason: 'foreign' }
    expect(resolveRoster(env, reference({}, elsewhere), nothing, bob.accountId)).toEqual(foreign)
    expect(resolveRoster(env, reference({ senderAccount: carol.accountId }), nothing, bob.accountId)).toEqual(foreign)
    const lent = reference({ conversationId: elsewhere.conversationId })
    expect(resolveRoster(env, lent, nothing, bob.accountId)).toEqual(foreign)
    expect(resolveRoster(env, reference({ rosterEpoch: 1 }), nothing, bob.accountId)).toEqual(foreign)
    expect(resolveRoster(env, reference(), nothing, bob.accountId).kind).toBe('fetch')
  })

  it('of a group comes from its log', () => {
    expect(resolveRoster(env, reference({ members: null }), directoryOf())).toEqual({ kind: 'group' })
  })
})
