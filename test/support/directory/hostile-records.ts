/** Hand-built records that must be skipped on {@link chain}, and why; none of them changes it. */
import { concatBytes } from '../../../protocol/bytes.ts'
import type { RejectCode } from '../../../protocol/directory/verdict.ts'
import {
  buildAdd,
  buildCreate,
  buildNameCommit,
  buildNameReveal,
  buildRotate,
  buildVouch,
  draftAdd,
  signRecord
} from '../../../protocol/identity/build-record.ts'
import type { SigningKey } from '../../../protocol/crypto/crypto.ts'
import {
  encodeRecord,
  recordSigningBytes,
  type DirectoryRecord,
  type RecordOf
} from '../../../protocol/identity/record.ts'
import { decodeCbor, encodeCbor, type Cbor } from '../../../protocol/cbor.ts'
import { bytesOf, castDevice, castKey, CHAIN_START, network, otherNetwork, signer } from './cast.ts'
import { arr, head, int, map, NULL, openArr, openStr, str, tag, txt } from './raw-cbor.ts'
import { createRecord, TestAccount, TestChain } from './test-chain.ts'

/** Order of the Ed25519 group. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n
/** The point of order 1, and those of order 2, 4 and 8. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'
].map(hex => Uint8Array.from(Buffer.from(hex, 'hex')))

/** The items of a record's array. */
export const itemsOf = (record: DirectoryRecord): Cbor[] =>
  decodeCbor(encodeRecord(record), { maxBytes: 2048 }) as Cbor[]
/** Raw CBOR of each item, to put an array together by hand. */
const rawItems = (record: DirectoryRecord): Uint8Array[] => itemsOf(record).map(item => encodeCbor(item))

/** A copy with one bit changed. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes)
  flipped[bit >> 3]! ^= 1 << (bit & 7)
  return flipped
}

/** S + L: the same equation, another spelling. */
function malleate(signature: Uint8Array): Uint8Array {
  let s = 0n
  for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(signature[i]!)
  s += L
  const out = Uint8Array.from(signature)
  for (let i = 32; i < 64; i++, s >>= 8n) out[i] = Number(s & 0xffn)
  return out
}

/** A key whose signature is a small-order R and S = 0: verifies under lenient rules if its public key is small-order too. */
function smallOrderKey(publicKey: Uint8Array): SigningKey {
  return { publicKey, sign: () => Promise.resolve(concatBytes(SMALL_ORDER[0]!, new Uint8Array(32))) }
}

/** Ada has the live devices ada1 and ada2, the revoked ada3, and a recovery key; Bob has bob1. */
export const chain = new TestChain()
export const ada = await TestAccount.create(chain, 'ada', 'code', 2)
const bob = await TestAccount.create(chain, 'bob')
await ada.add('ada1', 'ada3')
await ada.revoke('ada1', 'ada3')
chain.mine(10)
/** Records that would be accepted, from which the hostile ones are made. */
export const add = (await ada.addRecord('ada1', 'ada4')) as RecordOf<'add'>
export const rotate = await buildRotate(network, await ada.as('ada1'), bytesOf('fresh'))
export const create = (await createRecord('carol')) as RecordOf<'create'>

/** A record that must be skipped, and why. */
export type HostileRecord = [
  name: string,
  expected: RejectCode,
  build: () => DirectoryRecord | Uint8Array | Promise<DirectoryRecord | Uint8Array>
]

/** Bytes that are no record. */
export const badBytes: HostileRecord[] = [
  ['no bytes', 'MALFORMED', () => new Uint8Array(0)],
  ['an integer', 'MALFORMED', () => int(1)],
  ['an empty array', 'MALFORMED', () => arr()],
  ['a kind alone', 'MALFORMED', () => arr(int(1))],
  ['a kind of later versions', 'UNKNOWN_KIND', () => arr(int(13), ...rawItems(rotate).slice(1))],
  ['kind 0', 'UNKNOWN_KIND', () => arr(int(0))],
  ['a negative kind', 'UNKNOWN_KIND', () => arr(Uint8Array.of(0x20))],
  ['a kind as text', 'MALFORMED', () => arr(txt('create'))],
  ['a field too few', 'MALFORMED', () => arr(...rawItems(create).slice(0, -1))],
  ['a field too many', 'MALFORMED', () => arr(...rawItems(create), int(0))],
  ['bytes after it', 'MALFORMED', () => concatBytes(encodeRecord(create), int(0))],
  ['cut short', 'MALFORMED', () => encodeRecord(create).slice(0, -1)],
  ['an open array', 'MALFORMED', () => openArr(...rawItems(create))],
  ['a kind in a longer spelling', 'MALFORMED', () => arr(int(1, 1), ...rawItems(create).slice(1))],
  [
    'a time in a longer spelling',
    'MALFORMED',
    () => arr(...rawItems(create).slice(0, 3), int(5, 8), ...rawItems(create).slice(4))
  ],
  ['a signature in chunks', 'MALFORMED', () => arr(...rawItems(create).slice(0, -1), openStr(create.deviceSignature))],
  ['a signature of 63 bytes', 'MALFORMED', () => arr(...rawItems(create).slice(0, -1), str(new Uint8Array(63)))],
  ['a signature of 65 bytes', 'MALFORMED', () => arr(...rawItems(create).slice(0, -1), str(new Uint8Array(65)))],
  [
    'a recovery key of null',
    'MALFORMED',
    () => arr(...rawItems(create).slice(0, 2), NULL, ...rawItems(create).slice(3))
  ],
  [
    'a recovery key of 31 bytes',
    'MALFORMED',
    () => arr(...rawItems(create).slice(0, 2), str(new Uint8Array(31)), ...rawItems(create).slice(3))
  ],
  ['a map of its fields', 'MALFORMED', () => map([int(0), int(1)], [int(1), str(bytesOf('x'))])],
  [
    'a map with a key twice in a field',
    'MALFORMED',
    () => arr(int(1), map([int(0), int(1)], [int(0), int(1)]), ...rawItems(create).slice(2))
  ],
  ['a tag around it', 'MALFORMED', () => tag(24, encodeRecord(create))],
  [
    'a time below zero',
    'MALFORMED',
    () => arr(...rawItems(create).slice(0, 3), Uint8Array.of(0x20), ...rawItems(create).slice(4))
  ],
  [
    'a time of 2^53',
    'MALFORMED',
    () => arr(...rawItems(create).slice(0, 3), int(2n ** 53n), ...rawItems(create).slice(4))
  ],
  [
    'a float as time',
    'MALFORMED',
    () => arr(...rawItems(create).slice(0, 3), Uint8Array.of(0xf9, 0x3c, 0), ...rawItems(create).slice(4))
  ],
  ['deep nesting', 'MALFORMED', () => concatBytes(new Uint8Array(500).fill(0x81), int(0))],
  ['a claim of 2^32 items', 'MALFORMED', () => head(4, 2 ** 32 - 1)],
  ['more than 1 KiB', 'TOO_LARGE', () => arr(int(1), str(new Uint8Array(1100)))],
  [
    'a reason of later versions',
    'MALFORMED',
    async () => {
      const items = itemsOf(await ada.revokeRecord('ada1', 'ada2'))
      items[3] = 9
      return encodeCbor(items)
    }
  ]
]

/** Records that their signers did not sign so. */
export const badSignatures: HostileRecord[] = [
  [
    'a CREATE signed by another key',
    'BAD_SIGNATURE',
    async () => signRecord(network, create, 'deviceSignature', await castKey('thief'))
  ],
  [
    'a CREATE for another network',
    'BAD_SIGNATURE',
    async () => {
      const { key, keys } = await castDevice('carol1')
      return buildCreate(otherNetwork, key, {
        messagingKeyHash: keys.messagingKeyHash,
        recoveryKey: null,
        time: CHAIN_START
      })
    }
  ],
  ['a CREATE whose time was changed', 'BAD_SIGNATURE', () => ({ ...create, time: create.time + 1 })],
  ['a CREATE with a recovery key slipped in', 'BAD_SIGNATURE', () => ({ ...create, recoveryKey: bytesOf('thief') })],
  ['a signature of zeros', 'BAD_SIGNATURE', () => ({ ...create, deviceSignature: new Uint8Array(64) })],
  [
    'a signature with S above the order',
    'BAD_SIGNATURE',
    () => ({ ...create, deviceSignature: malleate(create.deviceSignature) })
  ],
  ...SMALL_ORDER.map((publicKey, index): HostileRecord => [
    `a device key of small order (${index})`,
    'BAD_SIGNATURE',
    () => buildCreate(network, smallOrderKey(publicKey), { messagingKeyHash: bytesOf('m'), recoveryKey: null, time: 0 })
  ]),
  [
    'a device key off its canonical form',
    'BAD_SIGNATURE',
    () =>
      buildCreate(network, smallOrderKey(new Uint8Array(32).fill(255)), {
        messagingKeyHash: bytesOf('m'),
        recoveryKey: null,
        time: 0
      })
  ],
  [
    'an ADD with its two signatures exchanged',
    'BAD_SIGNATURE',
    () => ({
      ...add,
      newDeviceSignature: add.deviceSignature,
      deviceSignature: add.newDeviceSignature
    })
  ],
  [
    'an ADD signed twice by the old device',
    'BAD_SIGNATURE',
    () => ({ ...add, newDeviceSignature: add.deviceSignature })
  ],
  [
    'an ADD signed by another device than it names',
    'BAD_SIGNATURE',
    async () => signRecord(network, add, 'deviceSignature', (await castDevice('ada2')).key)
  ],
  [
    'an ADD for another network',
    'BAD_SIGNATURE',
    async () => {
      const { key, keys } = await castDevice('ada4')
      return buildAdd(otherNetwork, await ada.as('ada1'), key, keys.messagingKeyHash)
    }
  ],
  [
    'a REVOKE signed by a stranger in the name of a device',
    'BAD_SIGNATURE',
    async () =>
      signRecord(
        network,
        (await ada.revokeRecord('ada1', 'ada2')) as RecordOf<'revoke'>,
        'deviceSignature',
        await castKey('thief')
      )
  ],
  [
    'a REVOKE of another device than was signed',
    'BAD_SIGNATURE',
    async () => ({
      ...((await ada.revokeRecord('ada1', 'ada2')) as RecordOf<'revoke'>),
      device: (await castDevice('ada1')).deviceId
    })
  ],
  [
    'a signature made for another purpose',
    'BAD_SIGNATURE',
    async () => {
      const { key } = await castDevice('carol1')
      const bytes = recordSigningBytes(network, create)
      return { ...create, deviceSignature: await key.sign(bytes.slice(1)) }
    }
  ]
]

/** Records that the rules do not take where they stand. */
export const badPlace: HostileRecord[] = [
  ['a CREATE again', 'DUPLICATE', () => createRecord('ada', 'code')],
  [
    'a CREATE again under a fresh signature',
    'DUPLICATE',
    async () => {
      const again = await createRecord('ada', 'code')
      return { ...again, deviceSignature: new Uint8Array(64) } as DirectoryRecord
    }
  ],
  [
    'an ADD replayed from another account',
    'UNKNOWN_SIGNER',
    async () => {
      const { key, keys } = await castDevice('bob2')
      return buildAdd(network, signer(await castDevice('bob1'), ada.state.head), key, keys.messagingKeyHash)
    }
  ],
  [
    'an ADD after the first record instead of the last',
    'STALE',
    async () => {
      const { key, keys } = await castDevice('ada4')
      return buildAdd(network, await ada.as('ada1', ada.accountId), key, keys.messagingKeyHash)
    }
  ],
  [
    'an ADD after a record that nobody knows',
    'UNKNOWN_PREV',
    async () => {
      const { key, keys } = await castDevice('ada4')
      return buildAdd(network, await ada.as('ada1', bytesOf('nothing')), key, keys.messagingKeyHash)
    }
  ],
  [
    'a record of another network after ours',
    'BAD_SIGNATURE',
    async () => buildRotate(otherNetwork, await ada.as('ada1'), bytesOf('x'))
  ],
  ['an ADD by a revoked device', 'SIGNER_REVOKED', () => ada.addRecord('ada3', 'ada4')],
  ['an ADD of a revoked device', 'DEVICE_KNOWN', () => ada.addRecord('ada1', 'ada3')],
  ['an ADD of oneself', 'DEVICE_KNOWN', () => ada.addRecord('ada1', 'ada1')],
  [
    'an ADD of a revoked signing key under a new messaging key',
    'DEVICE_KNOWN',
    async () => draftAdd({ ...(await castDevice('ada3')).keys, messagingKeyHash: bytesOf('new') }, await ada.as('ada1'))
  ],
  ['a ROTATE by a device of another account', 'UNKNOWN_SIGNER', () => buildRotateAs('bob1')],
  ['a ROTATE by a revoked device', 'SIGNER_REVOKED', () => buildRotateAs('ada3')],
  ['a REVOKE across accounts', 'UNKNOWN_SIGNER', async () => bob.revokeRecord('ada1', 'bob1')],
  ['a REVOKE of a revoked device', 'TARGET_REVOKED', () => ada.revokeRecord('ada1', 'ada3')],
  ['a REVOKE by a device that an older one revoked', 'SIGNER_REVOKED', () => ada.revokeRecord('ada3', 'ada1')],
  ['a RECOVER without a recovery key', 'NO_RECOVERY_KEY', () => recover(bob, 'carol2', null)],
  ['a RECOVER that keeps its key', 'RECOVERY_KEY_REUSED', () => recover(ada, 'carol2', 'code')],
  ['a RECOVER to a known device', 'DEVICE_KNOWN', () => recover(ada, 'ada3', null)],
  [
    'a reveal without a commitment',
    'COMMIT_UNKNOWN',
    async () => buildNameReveal(network, await ada.as('ada1'), bytesOf('tag'), bytesOf('salt'))
  ],
  [
    'a release of a name that was never claimed',
    'NAME_UNCLAIMED',
    async () => ({
      kind: 'nameRelease',
      prev: ada.state.head,
      nameTag: bytesOf('tag'),
      by: (await castDevice('ada1')).deviceId,
      time: 0,
      deviceSignature: new Uint8Array(64)
    })
  ],
  [
    'a commitment by a stranger',
    'UNKNOWN_SIGNER',
    async () => buildNameCommit(network, await ada.as('bob1'), bytesOf('c'))
  ],
  [
    'a VOUCH by a revoked device',
    'SIGNER_REVOKED',
    async () => buildVouch(network, await ada.as('ada3'), bob.accountId)
  ]
]

async function buildRotateAs(device: string): Promise<DirectoryRecord> {
  return buildRotate(network, await ada.as(device), bytesOf('x'))
}

/** An unsigned RECOVER. @param next - name of the new recovery key. */
export async function recover(account: TestAccount, added: string, next: string | null): Promise<RecordOf<'recover'>> {
  return {
    kind: 'recover',
    prev: account.state.head,
    device: (await castDevice(added)).keys,
    recoveryKey: next === null ? null : (await castKey(next)).publicKey,
    time: 0,
    newDeviceSignature: new Uint8Array(64),
    recoverySignature: new Uint8Array(64)
  }
}
