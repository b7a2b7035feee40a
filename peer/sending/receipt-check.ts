import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { RECEIPTS_REQUIRED } from '../../protocol/limits.ts'
import { custodyLeaf, verifyDeliveryReceipt, type DeliveryReceipt } from '../../protocol/wire/custody.ts'
import type { DeliveryId } from '../../protocol/wire/envelope.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { receiptsRequired, replicaSet, shardOf } from '../../protocol/wire/placement.ts'
import type { NetworkInfo } from '../network/network-info.ts'

/** What was handed in for one mailbox. */
export interface Custody {
  mailbox: DeviceId
  id: DeliveryId
  expiry: number
}

/**
 * The receipts that count: of the epoch, by a replica of the mailbox, one per operator, rightly signed over
 * this delivery. A node's word "stored" counts for nothing. The shard of a receipt is that of its batch: another one, perhaps,
 * that the same nodes keep.
 */
export async function validReceipts(
  crypto: Crypto,
  info: NetworkInfo,
  { mailbox, id, expiry }: Custody,
  receipts: DeliveryReceipt[]
): Promise<DeliveryReceipt[]> {
  const shard = shardOf(crypto, info.id, info.genesis, mailbox)
  const replicas = replicaSet(crypto, info.id, info.genesis, info.epoch, shard)
  const leaf = custodyLeaf(id, mailbox, expiry)
  const operators = new Set<string>()
  const valid: DeliveryReceipt[] = []
  for (const proof of receipts) {
    const replica = replicas.find(({ key }) => equalBytes(key, proof.receipt.node))
    if (!replica || operators.has(toHex(replica.operator))) continue
    if (proof.receipt.epoch !== info.epoch.number) continue
    if (!(await verifyDeliveryReceipt(crypto, info.id, proof, leaf))) continue
    operators.add(toHex(replica.operator))
    valid.push(proof)
  }
  return valid
}

/** Whether these receipts, already checked, make a delivery *sent*. */
export function isKept(crypto: Crypto, info: NetworkInfo, mailbox: DeviceId, valid: DeliveryReceipt[]): boolean {
  const shard = shardOf(crypto, info.id, info.genesis, mailbox)
  const replicas = replicaSet(crypto, info.id, info.genesis, info.epoch, shard)
  return valid.length >= receiptsRequired(replicas, RECEIPTS_REQUIRED)
}
