import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { custodyLeaf, type DeliveryReceipt, type Refusal } from '../../protocol/wire/custody.ts'
import type { Delivery } from '../../protocol/wire/envelope.ts'
import { merkleTree } from '../../protocol/wire/merkle.ts'
import type { Epoch, ListedNode } from '../../protocol/wire/placement.ts'

/** What became of one delivery in one epoch. */
export type CustodyResult =
  | { state: 'stored' | 'waiting'; receipts: DeliveryReceipt[] }
  | { state: 'refused'; receipts: DeliveryReceipt[]; refusal: Refusal }

/** One delivery to hand over, and the caller that waits for its result. */
export interface CustodyRequest {
  mailbox: DeviceId
  delivery: Delivery
  settle(result: CustodyResult): void
}

/** One envelope's part for one shard. */
export interface ShardEnvelope {
  /** Encoded, naming only mailboxes of the shard. */
  encoded: Uint8Array
  requests: CustodyRequest[]
}

/** A delivery of a batch in flight, with what replicas have said about it. The maps are keyed by operator. */
export interface Progress extends CustodyRequest {
  leaf: Uint8Array
  receipts: Map<string, DeliveryReceipt>
  refusals: Map<string, Refusal>
  isSettled: boolean
}

/** A batch that not every replica has answered for. */
export interface BatchInFlight {
  id: Uint8Array
  epoch: Epoch
  shard: number
  replicas: ListedNode[]
  /** Receipts of different operators that make a delivery stored. */
  required: number
  items: Progress[]
  /** Encoded and signed; undefined where this node is the only replica. */
  encoded: Uint8Array | undefined
  /** Nodes that have answered for every delivery. */
  answered: Set<string>
  unsettled: number
  /** When it was sent, by a clock that never goes back. */
  sentAt: number
  /** How often silent replicas were asked since. */
  asked: number
  /** Over all leaves, made when the first receipt for all comes. */
  tree: CustodyTree | undefined
}

/** Root and paths of the leaves that a receipt covers. */
export interface CustodyTree {
  root: Uint8Array
  paths: Uint8Array[][]
}

/** Begins to follow a request. */
export function progressOf(request: CustodyRequest): Progress {
  const { mailbox, delivery } = request
  return {
    ...request,
    leaf: custodyLeaf(delivery.id, mailbox, delivery.expiry),
    receipts: new Map(),
    refusals: new Map(),
    isSettled: false
  }
}

/** The tree over some deliveries of a batch; that over all of them is made once. */
export function treeOf(crypto: Crypto, batch: BatchInFlight, covered: Progress[]): CustodyTree {
  const isWhole = covered.length === batch.items.length
  if (isWhole && batch.tree) return batch.tree
  const leaves = covered.map(item => item.leaf)
  const tree = merkleTree(crypto, leaves)
  if (isWhole) batch.tree = tree
  return tree
}

/** Names a batch that never leaves this node. */
export function localBatchId(number: number): Uint8Array {
  const id = new Uint8Array(32)
  new DataView(id.buffer).setBigUint64(0, BigInt(number))
  return id
}
