import type { TransactionId } from '../chain/chain-source.ts'
import { fromHex } from '../protocol/bytes.ts'
import type { Clock } from '../protocol/crypto/crypto.ts'
import { historyOf, type AccountState } from '../protocol/directory/account.ts'
import type { OrderKey } from '../protocol/directory/order.ts'
import { encodeReleaseProof, MAX_RELEASE_TRANSACTIONS } from '../protocol/directory/release-proof.ts'
import {
  encodeProof,
  MAX_PROOF_PENDING,
  type AccountProof,
  type ProofTransaction
} from '../protocol/directory/proof.ts'
import type { AccountId } from '../protocol/identity/device.ts'
import type { DirectoryView } from './directory-view.ts'
import { NodeError } from './errors.ts'

/** Where raw transactions of the FINAL log are kept. */
export interface TransactionLog {
  /** Raw bytes, or undefined for a transaction that is not in the log. */
  transactionBytes(id: TransactionId): Promise<Uint8Array | undefined>
}

interface Components {
  view: DirectoryView
  transactions: TransactionLog
  clock: Clock
}

/**
 * Collects what proves an account: the transactions with its accepted records, what waits, and the newest block seen.
 * The view must not change meanwhile.
 *
 * @returns an encoded `AccountProof`; undefined if the account is unknown.
 * @throws NodeError `internal` if a transaction that was followed cannot be found any more.
 */
export async function accountProof(components: Components, accountId: AccountId): Promise<Uint8Array | undefined> {
  const { view } = components
  const account = view.current.account(accountId)
  if (account === undefined) return undefined
  const orders = historyOf(account).flatMap(({ order }) => order ?? [])
  return encodeProof({
    version: 1,
    accountId,
    transactions: await transactionsOf(components, orders),
    pending: pendingOf(view, account),
    tip: tipOf(components)
  })
}

/**
 * Collects what proves the newest releases of the web app. The view must not change meanwhile.
 *
 * @returns an encoded `ReleaseProof`.
 * @throws NodeError `internal` if a transaction that was followed cannot be found any more.
 */
export async function releaseProof(components: Components): Promise<Uint8Array> {
  const orders = components.view.recorded.releases().flatMap(({ order }) => order ?? [])
  const transactions = await transactionsOf(components, orders.slice(-MAX_RELEASE_TRANSACTIONS))
  return encodeReleaseProof({ version: 1, transactions, tip: tipOf(components) })
}

/** Before the chain was ever seen there is no block to name. */
function tipOf({ view: { tip }, clock }: Components): AccountProof['tip'] {
  return tip
    ? { height: tip.height, hash: fromHex(tip.hash), time: tip.time }
    : { height: 0, hash: new Uint8Array(32), time: clock() }
}

async function transactionsOf(
  { view, transactions }: Components,
  orders: readonly OrderKey[]
): Promise<ProofTransaction[]> {
  const byPlace = new Map<string, OrderKey[]>()
  for (const order of orders) {
    const key = `${order.blockHeight}/${order.txIndex}`
    byPlace.set(key, [...(byPlace.get(key) ?? []), order])
  }
  return Promise.all(
    [...byPlace.values()].map(async orders => {
      const place = view.transactionAt(orders[0]!)
      const transaction = place && (place.bytes ?? (await transactions.transactionBytes(place.id)))
      if (!transaction) throw new NodeError('internal', 'a followed transaction cannot be found any more')
      return {
        transaction,
        blockHeight: place.height,
        blockHash: fromHex(place.blockHash),
        blockTime: place.time,
        txIndex: place.index,
        recordIndexes: orders.map(order => order.recordIndex)
      }
    })
  )
}

function pendingOf(view: DirectoryView, account: AccountState): Uint8Array[] {
  return historyOf(account)
    .filter(({ order }) => order === null)
    .flatMap(({ recordId }) => view.pool.get(recordId)?.bytes ?? [])
    .slice(0, MAX_PROOF_PENDING)
}
