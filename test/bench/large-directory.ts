/**
 * A directory of many accounts, each with a CREATE and a name, as a node holds it after following them: the view in memory,
 * the transactions in LevelDB. The records are real but for their signatures, which are zeros and pass unchecked: a million
 * accounts would take three million signatures to make and to verify.
 */
import { hash } from 'node:crypto'
import type { ClassicLevel } from 'classic-level'
import type { ChainStore } from '../../chain/chain-store.ts'
import { FollowerStore } from '../../chain/follow/follower-store.ts'
import { parseBlockHash, parseTransactionId } from '../../chain/source/chain-source.ts'
import { KeyDirectory } from '../../node/key-directory/key-directory.ts'
import { toHex, utf8 } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { encodeMetadata } from '../../protocol/directory/metadata.ts'
import { parseTransaction } from '../../protocol/directory/transaction.ts'
import { deviceIdOf, type AccountId, type RecordId } from '../../protocol/identity/device.ts'
import { nameCommitment } from '../../protocol/identity/name-commitment.ts'
import { encodeRecord, recordIdOf, type DirectoryRecord, type RecordOf } from '../../protocol/identity/record.ts'
import { NAME_REVEAL_MIN_BLOCKS } from '../../protocol/limits.ts'
import { crypto, genesis, network } from '../support/directory/cast.ts'
import { rawTransaction } from '../support/directory/raw-cbor.ts'
import { timeOf } from '../support/directory/test-chain.ts'

/** Records of one transaction: what a publisher's full batch holds. */
const BATCH = 20
const SIGNATURE = new Uint8Array(64)

const unchecked: Crypto = { ...crypto, verify: () => Promise.resolve(true) }
const bytesOf = (purpose: string, account: number): Uint8Array =>
  Uint8Array.from(hash('sha256', `${purpose} ${account}`, 'buffer'))

/** The tag of an account's name. */
export const tagOf = (account: number): Uint8Array => bytesOf('tag', account)

function createOf(account: number): RecordOf<'create'> {
  const device = { signingKey: bytesOf('key', account), messagingKeyHash: bytesOf('messaging', account) }
  return { kind: 'create', device, recoveryKey: null, time: timeOf(0), deviceSignature: SIGNATURE }
}

/** The id of an account. */
export function accountIdOf(account: number): AccountId {
  return recordIdOf(crypto, network, createOf(account)) as Uint8Array as AccountId
}

function recordsOf(account: number): [create: DirectoryRecord, commit: DirectoryRecord, reveal: DirectoryRecord] {
  const create = createOf(account)
  const prev = recordIdOf(crypto, network, create)
  const signed = { by: deviceIdOf(crypto, network, create.device), time: timeOf(0), deviceSignature: SIGNATURE }
  const [nameTag, salt] = [tagOf(account), bytesOf('salt', account)]
  const commitment = nameCommitment(crypto, network, nameTag, prev as Uint8Array as AccountId, salt)
  const commit: DirectoryRecord = { kind: 'nameCommit', prev, commitment, ...signed }
  const head: RecordId = recordIdOf(crypto, network, commit)
  return [create, commit, { kind: 'nameReveal', prev: head, nameTag, salt, ...signed }]
}

/** Follows the transactions of a chain that somebody makes up. */
class MadeUpChain {
  readonly #view: KeyDirectory
  readonly #store: FollowerStore
  #sequence = 0

  constructor(view: KeyDirectory, store: FollowerStore) {
    this.#view = view
    this.#store = store
  }

  async put(records: DirectoryRecord[], height: number, index: number): Promise<void> {
    const bytes = rawTransaction({
      aux: encodeMetadata(genesis.metadataLabel, records.map(encodeRecord)),
      fee: 200_000 + this.#sequence
    })
    const id = parseTransactionId(toHex(parseTransaction(bytes).id))
    const blockHash = parseBlockHash(toHex(crypto.sha256(utf8(`block ${height}`))))
    await this.#store.putBytes(id, bytes)
    const place = { id, blockHash, height, index, slot: height * 20, time: timeOf(height) }
    await this.#view.restoreFinal({ ...place, bytes, confirmations: 0, sequence: this.#sequence++ })
  }
}

/** What {@link followMany} made. */
export interface LargeDirectory {
  view: KeyDirectory
  store: FollowerStore
  accounts: number
}

/** Builds the directory. @param level - open, empty. */
export async function followMany(level: ClassicLevel, accounts: number): Promise<LargeDirectory> {
  const view = new KeyDirectory({ crypto: unchecked, clock: Date.now }, { network, genesis })
  const store = new FollowerStore(level as ChainStore)
  const chain = new MadeUpChain(view, store)
  const reveals: DirectoryRecord[][] = []
  const groups = Math.ceil(accounts / BATCH)
  for (let height = 0; height < groups + NAME_REVEAL_MIN_BLOCKS; height++) {
    if (height < groups) {
      const first = height * BATCH
      const group = Array.from({ length: Math.min(BATCH, accounts - first) }, (_, i) => recordsOf(first + i))
      await chain.put(
        group.map(([create]) => create),
        height,
        0
      )
      await chain.put(
        group.map(([, commit]) => commit),
        height,
        1
      )
      reveals.push(group.map(([, , reveal]) => reveal))
    }
    if (height >= NAME_REVEAL_MIN_BLOCKS) await chain.put(reveals.shift()!, height, 2)
  }
  const tip = { hash: parseBlockHash('0'.repeat(64)), height: groups + 2_160, slot: 0, time: timeOf(groups + 2_160) }
  await view.applyChange({ tip, final: [], provisional: [], rolledBack: [] })
  const { accountCount, recordCount } = view.current
  if (accountCount !== accounts || recordCount !== 3 * accounts) throw new Error('the directory skipped a record')
  return { view, store, accounts }
}
