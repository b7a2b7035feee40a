import type { TransactionId } from '../../chain/source/chain-source.ts'
import { fromHex } from '../../protocol/bytes.ts'
import type { Clock } from '../../protocol/crypto/crypto.ts'
import { historyOf, type AccountState } from '../../protocol/directory/account.ts'
import { encodeNodeListProof, nodeListRecords } from '../../protocol/directory/proofs/node-list-proof.ts'
import type { OrderKey } from '../../protocol/directory/order.ts'
import {
  encodeReleaseProof,
  MAX_RELEASE_PROOF_BYTES,
  MAX_RELEASE_TRANSACTIONS
} from '../../protocol/directory/proofs/release-proof.ts'
import {
  encodeProof,
  MAX_PROOF_PENDING,
  type AccountProof,
  type ProofTransaction
} from '../../protocol/directory/proofs/proof.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { MAX_NODE_LIST_PROOF_BYTES } from '../../protocol/limits.ts'
import type { Epoch } from '../../protocol/wire/placement.ts'
import type { RecordedTransaction } from './final-places.ts'
import type { KeyDirectory } from './key-directory.ts'
import { NodeError } from '../errors.ts'

/** Where raw transactions of the FINAL log are kept. */
export interface TransactionLog {
  /** Raw bytes, or undefined for a transaction that is not in the log. */
  transactionBytes(id: TransactionId): Promise<Uint8Array | undefined>
}

interface Components {
  keyDirectory: KeyDirectory
  transactions: TransactionLog
  clock: Clock
}

/**
 * Collects what proves an account: the transactions with its accepted records, what waits, and the newest block seen. A
 * record counts where it was accepted first; a person who publishes it again, in however large a transaction, adds nothing.
 *
 * @param maxBytes - longest encoded proof that is of use.
 * @returns an encoded `AccountProof`; undefined if the account is unknown.
 * @throws NodeError `too-large` past `maxBytes`, `internal` if a transaction that was followed cannot be found any more.
 */
export async function accountProof(
  components: Components,
  accountId: AccountId,
  maxBytes: number
): Promise<Uint8Array | undefined> {
  const { keyDirectory, transactions } = components
  // The keyDirectory stands still while places are looked up, not while the log is read: a long history must not hold up blocks.
  const found = await keyDirectory.exclusive(async () => {
    const account = keyDirectory.current.account(accountId)
    if (account === undefined) return undefined
    const places = placesOf(
      keyDirectory,
      historyOf(account).flatMap(({ order }) => order ?? [])
    )
    return { places, pending: pendingOf(keyDirectory, account), tip: tipOf(components) }
  })
  if (found === undefined) return undefined
  const { places, pending, tip } = found
  const proof = encodeProof({
    version: 1,
    accountId,
    transactions: await load(transactions, places, maxBytes),
    pending,
    tip
  })
  if (proof.length > maxBytes) throw tooLarge(maxBytes)
  return proof
}

/**
 * Collects what proves the newest releases of the web app.
 *
 * @returns an encoded `ReleaseProof`.
 * @throws NodeError `internal` if a transaction that was followed cannot be found any more.
 */
export async function releaseProof(components: Components): Promise<Uint8Array> {
  const { keyDirectory, transactions } = components
  const { places, tip } = await keyDirectory.exclusive(async () => {
    const orders = keyDirectory.recorded.releases().flatMap(({ order }) => order ?? [])
    return { places: placesOf(keyDirectory, orders.slice(-MAX_RELEASE_TRANSACTIONS)), tip: tipOf(components) }
  })
  return encodeReleaseProof({
    version: 1,
    transactions: await load(transactions, places, MAX_RELEASE_PROOF_BYTES),
    tip
  })
}

/**
 * Collects what proves a list of nodes.
 *
 * @param height - of its boundary.
 * @returns an encoded `NodeListProof`.
 * @throws NodeError `too-large`, or `internal` if a transaction that was followed cannot be found any more.
 */
export async function nodeListProof(components: Components, epoch: Epoch, height: number): Promise<Uint8Array> {
  const { keyDirectory, transactions } = components
  const places = await keyDirectory.exclusive(async () =>
    placesOf(keyDirectory, nodeListRecords(keyDirectory.recorded, epoch.nodes, height))
  )
  return encodeNodeListProof({
    version: 1,
    transactions: await load(transactions, places, MAX_NODE_LIST_PROOF_BYTES)
  })
}

/** Before the chain was ever seen there is no block to name. */
function tipOf({ keyDirectory: { tip }, clock }: Components): AccountProof['tip'] {
  return tip
    ? { height: tip.height, hash: fromHex(tip.hash), time: tip.time }
    : { height: 0, hash: new Uint8Array(32), time: clock() }
}

interface PlacedRecords {
  place: RecordedTransaction
  recordIndexes: number[]
}

/** The transactions at these places, in the same order. */
function placesOf(keyDirectory: KeyDirectory, orders: readonly OrderKey[]): PlacedRecords[] {
  const byPlace = new Map<string, PlacedRecords>()
  for (const order of orders) {
    const key = `${order.blockHeight}/${order.txIndex}`
    const known = byPlace.get(key)
    if (known) {
      known.recordIndexes.push(order.recordIndex)
      continue
    }
    const place = keyDirectory.transactionAt(order)
    if (place === undefined) throw lost()
    byPlace.set(key, { place, recordIndexes: [order.recordIndex] })
  }
  return [...byPlace.values()]
}

/** Reads one after the other, so that what is too large is noticed before all of it is in memory. */
async function load(log: TransactionLog, places: PlacedRecords[], maxBytes: number): Promise<ProofTransaction[]> {
  const loaded: ProofTransaction[] = []
  let size = 0
  for (const { place, recordIndexes } of places) {
    const transaction = place.bytes ?? (await log.transactionBytes(place.id))
    if (!transaction) throw lost()
    size += transaction.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    const { height: blockHeight, time: blockTime, index: txIndex } = place
    loaded.push({ transaction, blockHeight, blockHash: fromHex(place.blockHash), blockTime, txIndex, recordIndexes })
  }
  return loaded
}

const lost = (): NodeError => new NodeError('internal', 'a followed transaction cannot be found any more')

const tooLarge = (maxBytes: number): NodeError =>
  new NodeError('too-large', `the proof of this account is larger than ${maxBytes} bytes`)

function pendingOf(keyDirectory: KeyDirectory, account: AccountState): Uint8Array[] {
  return historyOf(account)
    .filter(({ order }) => order === null)
    .flatMap(({ recordId }) => keyDirectory.pool.get(recordId)?.bytes ?? [])
    .slice(0, MAX_PROOF_PENDING)
}
