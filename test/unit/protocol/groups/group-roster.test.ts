/** The roster of a group, which an Open names by the last changes of its log. */
import { beforeAll, expect, it } from 'vitest'
import { signGroupChange, type Change } from '../../../../protocol/groups/group-change.ts'
import { GroupLog } from '../../../../protocol/groups/group-log.ts'
import type { AccountId, RecordId } from '../../../../protocol/identity/device.ts'
import {
  resolveGroupRoster,
  type GroupReference,
  type RosterReference
} from '../../../../protocol/roster/roster-resolution.ts'
import { createRoster, rosterHash, type Roster } from '../../../../protocol/roster/roster.ts'
import { discardOpen, readOpen } from '../../../../protocol/session/accept.ts'
import {
  acceptAs,
  createAccount,
  directoryOf,
  heldKeysOf,
  openTo,
  partFor,
  testEnvironment,
  type TestAccount
} from '../session/fixtures.ts'

const env = testEnvironment('group roster')
const ADMINS = { add: 'admins', edit: 'admins' } as const

let ada: TestAccount
let bob: TestAccount
let cleo: TestAccount
let log: GroupLog
let later: GroupLog

async function grown(of: GroupLog | null, change: Change): Promise<GroupLog> {
  const after = of && { groupId: of.groupId, heads: of.heads }
  const signed = await signGroupChange(env, ada.devices[0]!, after, change)
  return of ? of.with(signed) : GroupLog.of(signed)
}

const peopleIn = (of: GroupLog): TestAccount[] =>
  [ada, bob, cleo].filter(({ accountId }) =>
    [...of.state.members.values()].some(each => each.accountId.join() === accountId.join())
  )

function rosterAt(of: GroupLog): Roster {
  const members = peopleIn(of).map(account => account.member())
  return createRoster(of.groupId, of.epochAt(of.heads), members, of.heads)
}

function referenceTo(roster: Roster): RosterReference & { group: GroupReference } {
  return {
    conversationId: roster.conversationId,
    rosterEpoch: roster.epoch,
    rosterHash: rosterHash(env.crypto, env.network, roster),
    members: null,
    group: { heads: roster.heads, records: roster.members.map(({ head }) => head) },
    senderAccount: ada.accountId,
    senderDevice: ada.devices[0]!.deviceId,
    createdAt: env.now()
  }
}

/** What Bob makes of it with his log. */
function decide(reference: RosterReference & { group: GroupReference }, of = log, storedAt = env.now()): string {
  const members = rosterAt(of).members.map(({ accountId }) => accountId)
  const at = { members, epoch: of.epochAt(of.heads) }
  const decision = resolveGroupRoster(env, reference, at, directoryOf(ada, bob, cleo), bob.accountId, storedAt)
  return decision.kind === 'refuse' ? decision.reason : decision.kind
}

beforeAll(async () => {
  ada = await createAccount(env, 2)
  bob = await createAccount(env, 1)
  cleo = await createAccount(env, 1)
  const targets = [bob, cleo].map(({ accountId }) => ({ accountId, role: 'member' as const, username: null }))
  const nonce = env.random(16)
  log = await grown(null, {
    kind: 'create',
    nonce,
    name: 'Club',
    description: '',
    picture: null,
    username: null,
    settings: ADMINS,
    targets
  })
  later = await grown(log, { kind: 'rename', name: 'Society' })
})

it('is bound to the last changes of the log: also a change that moves nobody makes another one', () => {
  const hashOf = (roster: Roster): string => rosterHash(env.crypto, env.network, roster).join()
  expect(hashOf(rosterAt(log))).not.toBe(hashOf(rosterAt(later)))
  const sameHeads = createRoster(log.groupId, 1, rosterAt(log).members, later.heads)
  expect(hashOf(rosterAt(log))).not.toBe(hashOf(sameHeads))
})

it('travels in an Open, and every member makes the same of it', async () => {
  const roster = rosterAt(log)
  const devices = [ada, bob, cleo].flatMap(account => account.devices)
  const opened = await openTo(env, ada.devices[0]!, roster, devices)
  for (const device of devices.slice(1)) {
    const part = partFor(opened, device.deviceId)
    const read = await readOpen(env, device.deviceId, heldKeysOf(env, device), opened.openBody, part)
    expect(read.reference.group).toEqual(referenceTo(roster).group)
    discardOpen(read)
    await acceptAs(env, device, roster, opened.openBody, part)
  }
})

it('is refused where a node or a member adds a reader, leaves one out, or shows another log', () => {
  const good = referenceTo(rosterAt(log))
  expect(decide(good)).toBe('accept')
  const roster = rosterAt(log)
  const hashed = (changed: Roster) => ({ ...good, rosterHash: rosterHash(env.crypto, env.network, changed) })
  expect(decide(hashed({ ...roster, members: roster.members.slice(1) }))).toBe('mismatch')
  expect(
    decide(hashed({ ...roster, members: roster.members.map(each => ({ ...each, devices: each.devices.slice(1) })) }))
  ).toBe('mismatch')
  expect(decide(hashed(rosterAt(later)))).toBe('mismatch')
  expect(decide({ ...good, rosterEpoch: 2 })).toBe('foreign')
  expect(decide({ ...good, group: { ...good.group, records: good.group.records.slice(1) } })).toBe('foreign')
  expect(decide({ ...good, senderAccount: env.random(32) as AccountId })).toBe('foreign')
})

it('waits for the directory where its sender knows newer records, and is refused from a removed device', async () => {
  const stale = referenceTo(rosterAt(log))
  const [first, ...rest] = stale.group.records
  const unknown = {
    ...stale,
    rosterHash: env.random(32),
    group: { ...stale.group, records: [env.random(32) as RecordId, ...rest] }
  }
  expect(first).toBeDefined()
  expect(decide(unknown)).toBe('fetch')
  const before = referenceTo(rosterAt(log))
  const second = { ...before, senderDevice: ada.devices[1]!.deviceId }
  const sent = env.now()
  env.clock.advance(1_000)
  ada.revoke(ada.devices[1]!)
  expect(decide(second, log, sent)).toBe('accept')
  expect(decide(second, log, env.now() + 1)).toBe('sender-revoked')
  env.clock.advance(3_600_000)
  expect(decide({ ...before, createdAt: env.now() })).toBe('lists-revoked')
})
