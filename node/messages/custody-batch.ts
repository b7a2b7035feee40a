import { equalBytes } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'
import {
  decodeEnvelope,
  deliveryIdOf,
  envelopeIdOf,
  type Delivery,
  type Envelope
} from '../../protocol/wire/envelope.ts'
import { batchIdOf, decodeBatch, verifyBatch, type Batch } from '../../protocol/wire/node-frames.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'
import { NodeError } from '../errors.ts'
import type { NetworkView } from '../network/network-view.ts'

/** One delivery of a batch. */
export interface BatchDelivery {
  mailbox: DeviceId
  delivery: Delivery
}

/** A batch whose form, signature, shard and ids are right, or that this node made itself. */
export interface CheckedBatch {
  /** 32 bytes, see `batchIdOf`. */
  id: Uint8Array
  origin: NodeKey
  epoch: number
  shard: number
  deliveries: BatchDelivery[]
  /** Root of the tree over all deliveries, where this node makes it anyway. */
  root?: () => Uint8Array
}

interface BatchComponents {
  crypto: Crypto
  network: NetworkId
  view: NetworkView
  clock: Clock
}

/** What each recipient of an envelope gets. @param storedAt - when this node took it, milliseconds. */
export function deliveriesOf(
  crypto: Crypto,
  network: NetworkId,
  envelope: Envelope,
  storedAt: number
): BatchDelivery[] {
  const envelopeId = envelopeIdOf(crypto, network, envelope)
  const { expiry, payload } = envelope
  return envelope.recipients.map(({ mailbox, part, proof }) => {
    const id = deliveryIdOf(crypto, network, envelopeId, { mailbox, part, proof })
    return { mailbox, delivery: { id, expiry, class: envelope.class, part, proof, payload, storedAt } }
  })
}

/**
 * Checks a batch that came from another node.
 *
 * @param topic - shard of the topic it came on, and the node it came from; undefined if it came on a stream.
 * @param onVouched - told the deliveries before the signature is looked at, if the batch came from its origin itself: what
 * the signature will prove to others, the connection has proved here.
 * @throws ProtocolError for provable faults of who made or passed it on: not decodable, wrong shard, not signed by its
 * origin. NodeError `wrong-epoch`, `not-a-replica` or `not-listed` where only the views of the network differ.
 */
export async function checkBatch(
  components: BatchComponents,
  encoded: Uint8Array,
  topic?: { shard: number; from: NodeKey },
  onVouched?: (deliveries: BatchDelivery[]) => void
): Promise<CheckedBatch> {
  const { crypto, network, view } = components
  const batch = decodeBatch(encoded)
  if ((topic !== undefined && batch.shard !== topic.shard) || batch.shard >= view.shardCount) {
    throw new ProtocolError('INVALID', 'the batch is of another shard')
  }
  const id = batchIdOf(crypto, network, batch)
  if (view.listed(batch.origin) === undefined) throw new NodeError('not-listed', 'the origin is not listed')
  const isVouched = topic !== undefined && equalBytes(topic.from, batch.origin)
  const vouched = isVouched ? contentsOf(components, batch) : undefined
  if (vouched) onVouched?.(vouched)
  if (!(await verifyBatch(crypto, network, batch, id))) {
    throw new ProtocolError('BAD_SIGNATURE', 'the batch is not signed by its origin')
  }
  const deliveries = vouched ?? contentsOf(components, batch)
  return { id, origin: batch.origin, epoch: batch.epoch, shard: batch.shard, deliveries }
}

/** @throws as {@link checkBatch} does. */
function contentsOf({ crypto, network, view, clock }: BatchComponents, batch: Batch): BatchDelivery[] {
  const epoch = view.epoch(batch.epoch)
  if (epoch === undefined) throw new NodeError('wrong-epoch', `epoch ${batch.epoch} is not in force`)
  if (!view.isReplica(epoch, batch.shard, view.nodeKey)) {
    throw new NodeError('not-a-replica', 'this node does not keep that shard')
  }
  const now = clock()
  const deliveries = batch.envelopes.flatMap(bytes => deliveriesOf(crypto, network, decodeEnvelope(bytes), now))
  const group = view.groupOf(epoch, batch.shard)
  if (deliveries.some(({ mailbox }) => view.groupOf(epoch, view.shardOf(mailbox)) !== group)) {
    throw new ProtocolError('INVALID', 'the batch names a mailbox that other nodes keep')
  }
  return deliveries
}
