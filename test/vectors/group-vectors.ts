/** Fixed values of the log of a group (docs/groups.md): how they are made from a seed, and what any implementation must make of them. */
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { createNobleCrypto } from '../../protocol/crypto/noble.ts'
import {
  decodeGroupChange,
  signGroupChange,
  verifyGroupChange,
  type Change,
  type GroupChange,
  type GroupChangeId
} from '../../protocol/groups/group-change.ts'
import { GroupLog } from '../../protocol/groups/group-log.ts'
import { openGroupLog, sealGroupLog } from '../../protocol/groups/sealed-log.ts'
import type { NetworkId } from '../../protocol/network.ts'
import type { SessionId } from '../../protocol/session/context.ts'
import { createAccount, testEnvironment, type TestAccount } from '../unit/protocol/session/fixtures.ts'

const SEED = 'volo group vectors 1'
const ADMINS = { add: 'admins', edit: 'admins' } as const

export interface GroupVectors {
  description: string
  network: string
  groupId: string
  /** Each after those that it names; two branches that an admin's rank decides between. */
  changes: { kind: string; id: string; encoded: string }[]
  /** The group where these are the last changes: account and role, sorted. */
  states: { heads: string[]; epoch: number; name: string; members: string[] }[]
  void: string[]
  sealedLog: { secret: string; sessionId: string; sealed: string }
}

export async function makeGroupVectors(): Promise<GroupVectors> {
  const env = testEnvironment(
    SEED,
    createNobleCrypto(length => new Uint8Array(length))
  )
  const [ada, bob, cleo] = [
    await createAccount(env, 1),
    await createAccount(env, 1),
    await createAccount(env, 1)
  ] as const
  const target = ({ accountId }: TestAccount, role: 'admin' | 'member') => ({ accountId, role, username: null })
  const sign = (signer: TestAccount, after: GroupLog | null, change: Change): Promise<GroupChange> =>
    signGroupChange(env, signer.devices[0]!, after && { groupId: after.groupId, heads: after.heads }, change)
  const people = {
    name: 'Climbing club',
    description: '',
    picture: null,
    username: 'ada',
    targets: [target(bob, 'admin')]
  }
  const first = await sign(ada, null, { kind: 'create', nonce: env.random(16), settings: ADMINS, ...people })
  const trunk = GroupLog.of(first)
  const removal = await sign(ada, trunk, { kind: 'remove', accounts: [bob.accountId] })
  const addition = await sign(bob, trunk, { kind: 'add', targets: [target(cleo, 'member')] })
  const left = await sign(cleo, trunk.with(addition), { kind: 'leave' })
  const both = [removal, addition, left].reduce((log, change) => log.with(change), trunk)
  const last = await sign(ada, both, { kind: 'describe', description: 'Tuesdays at seven' })
  const changes = [first, removal, addition, left, last]
  const log = both.with(last)
  const secret = env.random(32)
  const sessionId = env.random(16) as SessionId
  const sealed = sealGroupLog(
    env,
    secret,
    sessionId,
    changes.map(({ encoded }) => encoded)
  )
  const heads = [[first], [removal], [addition], [removal, addition], [removal, left], [last]]
  return {
    description: 'Volo group log, version 1: see docs/groups.md',
    network: toHex(env.network),
    groupId: toHex(log.groupId),
    changes: changes.map(({ id, change, encoded }) => ({ kind: change.kind, id: toHex(id), encoded: toHex(encoded) })),
    states: heads.map(some =>
      stateOf(
        log,
        some.map(({ id }) => id)
      )
    ),
    void: log
      .voidChanges()
      .map(({ id }) => toHex(id))
      .sort(),
    sealedLog: { secret: toHex(secret), sessionId: toHex(sessionId), sealed: toHex(sealed) }
  }
}

function stateOf(log: GroupLog, heads: GroupChangeId[]): GroupVectors['states'][number] {
  const { name, members } = log.stateAt(heads)
  return {
    heads: heads.map(toHex),
    epoch: log.epochAt(heads),
    name,
    members: [...members.values()].map(({ accountId, role }) => `${toHex(accountId)} ${role}`).sort()
  }
}

/** What an implementation makes of the encoded changes, in the form of the vectors. @throws where it refuses one. */
export async function readGroupVectors(crypto: Crypto, vectors: GroupVectors): Promise<GroupVectors> {
  const env = { crypto, network: fromHex(vectors.network) as NetworkId }
  const changes = vectors.changes.map(({ encoded }) => decodeGroupChange(env, fromHex(encoded)))
  for (const change of changes) await verifyGroupChange(env, change)
  const log = changes.slice(1).reduce((known, change) => known.with(change), GroupLog.of(changes[0]!))
  const { secret, sessionId, sealed } = vectors.sealedLog
  const opened = openGroupLog(env, fromHex(secret), fromHex(sessionId) as SessionId, fromHex(sealed)).map(toHex)
  return {
    ...vectors,
    groupId: toHex(log.groupId),
    changes: changes.map(({ id, change }, i) => ({ kind: change.kind, id: toHex(id), encoded: opened[i]! })),
    states: vectors.states.map(({ heads }) =>
      stateOf(
        log,
        heads.map(head => fromHex(head) as GroupChangeId)
      )
    ),
    void: log
      .voidChanges()
      .map(({ id }) => toHex(id))
      .sort()
  }
}
