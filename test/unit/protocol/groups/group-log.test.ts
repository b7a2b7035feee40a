import { beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import {
  decodeGroupChange,
  signGroupChange,
  verifyGroupChange,
  type Change,
  type GroupChange,
  type GroupChangeId
} from '../../../../protocol/groups/group-change.ts'
import { MAX_PICTURE_BYTES } from '../../../../protocol/files/profile-picture.ts'
import { GroupLog } from '../../../../protocol/groups/group-log.ts'
import { MAX_GROUP_CHANGES, MAX_GROUP_HEADS } from '../../../../protocol/limits.ts'
import { openGroupLog, sealGroupLog } from '../../../../protocol/groups/sealed-log.ts'
import type { SessionId } from '../../../../protocol/session/context.ts'
import { runGroupHistories } from '../../../support/groups/group-histories.ts'
import { createAccount, testEnvironment, type TestAccount } from '../session/fixtures.ts'

const env = testEnvironment('group log')
const refused = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })
const ADMINS = { add: 'admins', edit: 'admins' } as const

let ada: TestAccount
let bob: TestAccount
let cleo: TestAccount
let dan: TestAccount
let log: GroupLog

const target = ({ accountId }: TestAccount, role: 'admin' | 'member' = 'member') => ({
  accountId,
  role,
  username: null
})

function sign(
  signer: TestAccount,
  after: GroupLog | null,
  change: Change,
  heads = after?.heads,
  now = env.now
): Promise<GroupChange> {
  return signGroupChange(
    { ...env, now },
    signer.devices[0]!,
    after && { groupId: after.groupId, heads: heads! },
    change
  )
}

const membersOf = (of: GroupLog): string[] =>
  [...of.state.members.values()]
    .map(
      ({ accountId, role }) =>
        `${[ada, bob, cleo, dan].findIndex(each => toHex(each.accountId) === toHex(accountId))} ${role}`
    )
    .sort()

async function apply(of: GroupLog, signer: TestAccount, change: Change): Promise<GroupLog> {
  return of.with(await sign(signer, of, change))
}

const merged = (one: GroupLog, other: GroupLog): GroupLog =>
  other.changes().reduce((joined, change) => joined.with(change), one)

beforeAll(async () => {
  ada = await createAccount(env, 1)
  bob = await createAccount(env, 1)
  cleo = await createAccount(env, 1)
  dan = await createAccount(env, 1)
  const people = {
    targets: [target(bob, 'admin'), target(cleo)],
    name: 'Club',
    description: '',
    picture: null,
    username: null,
    settings: ADMINS
  }
  log = GroupLog.of(await sign(ada, null, { kind: 'create', nonce: env.random(16), ...people }))
})

describe('a removal', () => {
  /** So many changes of one person, all after the same, whose ids are lower than that of a removal. */
  async function branches(signer: TestAccount, after: GroupLog, below: GroupChange, kinds: (n: number) => Change) {
    const made: GroupChange[] = []
    for (let n = 0; made.length < MAX_GROUP_HEADS + 1; n++) {
      const change = await sign(signer, after, kinds(n), after.heads, () => n)
      if (toHex(change.id) < toHex(below.id)) made.push(change)
    }
    return made
  }

  it('and leaving have room in a log that is full of other changes', async () => {
    const rename = await sign(bob, log, { kind: 'rename', name: 'Full' })
    // The log does not look at signatures: one change under many ids will do.
    const copies = Array.from({ length: MAX_GROUP_CHANGES - 1 }, () => ({
      ...rename,
      id: env.random(32) as GroupChangeId
    }))
    const full = copies.reduce((all, change) => all.with(change), log)
    expect(() => full.with(rename)).toThrow(refused('LIMIT_REACHED'))
    const removed = full.with(await sign(ada, full, { kind: 'remove', accounts: [bob.accountId] }))
    expect(membersOf(removed)).toEqual(['0 admin', '2 member'])
    expect(membersOf(removed.with(await sign(cleo, removed, { kind: 'leave' })))).toEqual(['0 admin'])
  })

  it.each([
    ['an admin’s changes of the group', (n: number): Change => ({ kind: 'rename', name: `Club ${n}` })],
    ['a person’s leaving many times', (): Change => ({ kind: 'leave' })]
  ])('is not hidden behind %s', async (_what, kinds) => {
    // The lower its id, the fewer are below it: one of the upper half is soon found.
    let removal: GroupChange
    let at = env.now()
    do {
      const accounts = [bob.accountId, cleo.accountId]
      removal = await sign(ada, log, { kind: 'remove', accounts }, log.heads, () => at++)
    } while (removal.id[0]! < 0x80)
    const without = log.with(removal)
    const flooded = (await branches(bob, log, removal, kinds)).reduce((all, change) => all.with(change), without)
    expect(membersOf(flooded)).toEqual(['0 admin'])
    expect(flooded.heads).toHaveLength(MAX_GROUP_HEADS)
    expect(flooded.heads.map(toHex)).toContain(toHex(removal.id))
    expect([...flooded.stateAt(flooded.heads).members.keys()]).toEqual([...flooded.state.members.keys()])
    // Also for what is signed next.
    const next = flooded.with(await sign(ada, flooded, { kind: 'rename', name: 'Boulder' }))
    expect(membersOf(next)).toEqual(['0 admin'])
    expect(next.state.name).toBe('Boulder')
  })
})

describe('a change of a group', () => {
  it('comes back as it was, and names its group by the first one', async () => {
    const change = await sign(ada, log, { kind: 'rename', name: 'Boulder' })
    expect(decodeGroupChange(env, change.encoded)).toEqual(change)
    expect(toHex(log.groupId)).toBe(toHex(log.heads[0]!))
    await verifyGroupChange(env, change)
  })

  it('is refused with any bit of it changed', async () => {
    const { encoded, id } = await sign(ada, log, { kind: 'remove', accounts: [cleo.accountId] })
    for (let bit = 0; bit < 8 * encoded.length; bit += 23) {
      const spoilt = encoded.slice()
      spoilt[bit >> 3]! ^= 1 << (bit & 7)
      const read = (async () => verifyGroupChange(env, decodeGroupChange(env, spoilt)))()
      await expect(read).rejects.toMatchObject({ name: 'ProtocolError' })
    }
    expect(log.has(id)).toBe(false)
  })

  it('has no place in a log if its signer could not make it', async () => {
    const forged: [TestAccount, Change][] = [
      [cleo, { kind: 'add', targets: [target(dan)] }],
      [cleo, { kind: 'role', accountId: cleo.accountId, role: 'admin' }],
      [cleo, { kind: 'rename', name: 'Mine' }],
      [cleo, { kind: 'remove', accounts: [ada.accountId] }],
      [dan, { kind: 'leave' }],
      [dan, { kind: 'add', targets: [target(dan)] }],
      [ada, { kind: 'add', targets: [target(bob)] }],
      [ada, { kind: 'remove', accounts: [ada.accountId] }]
    ]
    for (const [signer, change] of forged) {
      const signed = await sign(signer, log, change)
      expect(() => log.with(signed)).toThrow(refused('INVALID'))
    }
  })

  it('names a picture that is short enough to be drawn, at its beginning and later', async () => {
    const picture = (size: number) => ({
      hash: env.random(32),
      size,
      key: env.random(32),
      mediaType: 'image/jpeg',
      nodes: [env.random(32)]
    })
    const named = await sign(ada, log, { kind: 'picture', picture: picture(MAX_PICTURE_BYTES) })
    expect(log.with(named).state.picture).toEqual((named.change as { picture: object }).picture)
    await expect(sign(ada, log, { kind: 'picture', picture: picture(MAX_PICTURE_BYTES + 1) })).rejects.toThrow(
      refused('TOO_LARGE')
    )
    const about = { description: 'Thursdays', picture: picture(1_000), name: 'Other', username: null }
    const created = await sign(ada, null, {
      kind: 'create',
      nonce: env.random(16),
      settings: ADMINS,
      targets: [],
      ...about
    })
    expect(GroupLog.of(created).state).toMatchObject({ description: 'Thursdays', picture: about.picture })
  })

  it('of another group, or after changes that are not here, is refused', async () => {
    const people = { targets: [], name: 'Other', description: '', picture: null, username: null, settings: ADMINS }
    const other = GroupLog.of(await sign(ada, null, { kind: 'create', nonce: env.random(16), ...people }))
    const foreign = await sign(ada, other, { kind: 'rename', name: 'Other still' })
    expect(() => log.with(foreign)).toThrow(refused('INVALID'))
    const later = await sign(ada, await apply(log, ada, { kind: 'rename', name: 'B' }), { kind: 'rename', name: 'C' })
    expect(() => log.with(later)).toThrow(refused('INVALID'))
  })
})

describe('branches', () => {
  it('of two admins who remove each other end with the one who ranks before', async () => {
    const one = await apply(log, ada, { kind: 'remove', accounts: [bob.accountId] })
    const other = await apply(log, bob, { kind: 'remove', accounts: [ada.accountId] })
    for (const both of [merged(one, other), merged(other, one)]) {
      expect(membersOf(both)).toEqual(['0 admin', '2 member'])
      expect(both.voidChanges()).toHaveLength(1)
    }
  })

  it('drop what an admin did who was removed at the same time, and what others did on top of it', async () => {
    const removed = await apply(log, ada, { kind: 'remove', accounts: [bob.accountId] })
    const added = await apply(log, bob, { kind: 'add', targets: [target(dan, 'admin')] })
    const spread = await apply(added, dan, { kind: 'rename', name: 'Ours' })
    expect(membersOf(merged(removed, spread))).toEqual(['0 admin', '2 member'])
    expect(merged(removed, spread).state.name).toBe('Club')
  })

  it('keep what an admin did who was removed at the same time by one who ranks after', async () => {
    const removed = await apply(log, bob, { kind: 'remove', accounts: [ada.accountId] })
    const added = await apply(log, ada, { kind: 'add', targets: [target(dan)] })
    expect(membersOf(merged(removed, added))).toEqual(['1 admin', '2 member', '3 member'])
  })

  it('let a removal beat an addition of the same person, and a later addition beat the removal', async () => {
    const out = await apply(log, ada, { kind: 'remove', accounts: [cleo.accountId] })
    const again = await apply(await apply(log, bob, { kind: 'remove', accounts: [cleo.accountId] }), bob, {
      kind: 'add',
      targets: [target(cleo)]
    })
    const both = merged(out, again)
    expect(membersOf(both)).toEqual(['0 admin', '1 admin'])
    expect(membersOf(await apply(both, ada, { kind: 'add', targets: [target(cleo)] }))).toContain('2 member')
  })

  it('of one name each end with that of the admin who ranks before', async () => {
    const one = await apply(log, bob, { kind: 'rename', name: 'By Bob' })
    const other = await apply(log, ada, { kind: 'rename', name: 'By Ada' })
    expect(merged(one, other).state.name).toBe('By Ada')
  })

  it('come to what the plain rules come to, whatever the history', () => {
    const report = runGroupHistories({ seed: 1, runs: 500 })
    expect(report.examples).toEqual([])
    // A history without branches and without void changes shows nothing.
    expect(report.voided).toBeGreaterThan(100)
    expect(report.widest).toBeGreaterThan(3)
  })
})

describe('a log', () => {
  it('travels sealed to those who have the session secret', () => {
    const secret = env.random(32)
    const sessionId = env.random(16) as SessionId
    const encoded = log.changes().map(change => change.encoded)
    const sealed = sealGroupLog(env, secret, sessionId, encoded)
    expect(openGroupLog(env, secret, sessionId, sealed)).toEqual(encoded)
    for (const place of [0, 20, sealed.length - 1]) {
      const spoilt = sealed.slice()
      spoilt[place]! ^= 1
      expect(() => openGroupLog(env, secret, sessionId, spoilt)).toThrow(refused('DECRYPT_FAILED'))
    }
    expect(() => openGroupLog(env, env.random(32), sessionId, sealed)).toThrow(refused('DECRYPT_FAILED'))
    expect(() => openGroupLog(env, secret, env.random(16) as SessionId, sealed)).toThrow(refused('DECRYPT_FAILED'))
  })
})
