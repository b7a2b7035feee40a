import { equalBytes } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { Directory } from '../../protocol/directory/directory.ts'
import { liveDevices } from '../../protocol/directory/account.ts'
import { buildCreate, buildNameCommit, buildNameReveal } from '../../protocol/identity/build-record.ts'
import { deviceIdOf, type AccountId, type DeviceId, type RecordId } from '../../protocol/identity/device.ts'
import { nameCommitment } from '../../protocol/identity/name-commitment.ts'
import { encodeRecord, recordIdOf } from '../../protocol/identity/record.ts'
import { nameTagOf, parseUsername } from '../../protocol/identity/username.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'

const NAME_PREFIX = 'smoke_'
const NAME_LETTERS = 'bcdfghjkmpqtxyz'
const NAME_RANDOM_LETTERS = 12

/** An account for one run; its key is not stored. */
export interface SmokeAccount {
  readonly accountId: AccountId
  readonly deviceId: DeviceId
  /** Without `@`. */
  readonly username: string
  readonly nameTag: Uint8Array
  readonly commitId: RecordId
  /** Encoded CREATE, NAME commitment and NAME reveal. */
  readonly records: { readonly create: Uint8Array; readonly commit: Uint8Array; readonly reveal: Uint8Array }
}

export interface SmokeAccountComponents {
  crypto: Crypto
  network: NetworkId
  genesis: Genesis
  /** Fills so many bytes with randomness. */
  random: (length: number) => Uint8Array
  /** Milliseconds since 1970. */
  now: () => number
}

/** Makes all records of a new account's life up to its name. */
export async function createSmokeAccount(components: SmokeAccountComponents): Promise<SmokeAccount> {
  const { crypto, network, genesis, random, now } = components
  const key = await crypto.signingKeyFromSeed(random(32))
  const messagingKeyHash = random(32)
  const create = await buildCreate(network, key, { messagingKeyHash, recoveryKey: null, time: now() })
  const deviceId = deviceIdOf(crypto, network, create.device)
  const accountId = recordIdOf(crypto, network, create) as Uint8Array as AccountId
  const letters = [...random(NAME_RANDOM_LETTERS)].map(byte => NAME_LETTERS[byte % NAME_LETTERS.length])
  const username = parseUsername(NAME_PREFIX + letters.join(''))
  const nameTag = await nameTagOf(crypto, network, genesis, username)
  const salt = random(32)
  const after = (prev: Uint8Array) => ({ key, deviceId, prev: prev as RecordId, time: now() })
  const commitment = nameCommitment(crypto, network, nameTag, accountId, salt)
  const commit = await buildNameCommit(network, after(accountId), commitment)
  const commitId = recordIdOf(crypto, network, commit)
  const reveal = await buildNameReveal(network, after(commitId), nameTag, salt)
  const records = { create: encodeRecord(create), commit: encodeRecord(commit), reveal: encodeRecord(reveal) }
  return { accountId, deviceId, username, nameTag, commitId, records }
}

/** Whether a directory knows the account with its device, and with its name if asked. */
export function isKnown(directory: Directory, account: SmokeAccount, withName: boolean): boolean {
  const state = directory.account(account.accountId)
  const isThere =
    state !== undefined && liveDevices(state).some(({ deviceId }) => equalBytes(deviceId, account.deviceId))
  return isThere && (!withName || directory.holdsName(account.accountId, account.nameTag))
}
