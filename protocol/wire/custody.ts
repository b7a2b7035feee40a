/**
 * What nodes sign about the messages they take charge of: receipts, denials, refusals, evictions; and what a device signs
 * to let go of one: the acknowledgement. Everyone can check each of them, offline.
 */
import { bytes, constant, list, oneOf, struct, uint, type TypeOf } from '../codec.ts'
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { deviceIdCodec, deviceIdOf, devicePublicKeysCodec, type DeviceId } from '../identity/device.ts'
import { labelled } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { Cbor } from '../cbor.ts'
import { deliveryIdCodec, type DeliveryId } from './envelope.ts'
import { merkleRoot, rootFromPath } from './merkle.ts'
import { nodeKeyCodec } from './placement.ts'

/** Deliveries that one batch can hold: 64 envelopes of 64 recipients. */
export const MAX_BATCH_DELIVERIES = 4096
const MAX_PATH = 12
const signature = bytes(SIGNATURE_BYTES)

/** A node's word that it holds, fsynced, every delivery under `root`. One signature serves a whole batch. */
export const receiptCodec = struct({
  version: constant(1),
  node: nodeKeyCodec,
  epoch: uint(),
  /** Of the batch; a mailbox under the root may be of another shard that the same nodes keep. */
  shard: uint(0xffff),
  /** Milliseconds since 1970 by the node's clock. */
  time: uint(),
  /** RFC 9162 Merkle tree hash over {@link custodyLeaf}, in batch order. */
  root: bytes(32),
  count: uint(MAX_BATCH_DELIVERIES),
  signature
})
export type Receipt = TypeOf<typeof receiptCodec>

/** A receipt together with the path from one delivery to its root. */
export const deliveryReceiptCodec = struct({
  receipt: receiptCodec,
  index: uint(MAX_BATCH_DELIVERIES),
  path: list(bytes(32), MAX_PATH)
})
export type DeliveryReceipt = TypeOf<typeof deliveryReceiptCodec>

/** The leaf of a receipt's tree: delivery id, mailbox, expiry as 8 bytes big-endian. */
export function custodyLeaf(id: DeliveryId, mailbox: DeviceId, expiry: number): Uint8Array {
  const leaf = new Uint8Array(32 + 16 + 8)
  leaf.set(id, 0)
  leaf.set(mailbox, 32)
  // In two halves: a BigInt made for each leaf costs more than its hash.
  const view = new DataView(leaf.buffer)
  view.setUint32(48, Math.floor(expiry / 0x1_0000_0000))
  view.setUint32(52, expiry)
  return leaf
}

const receiptBytes = (network: NetworkId, receipt: Omit<Receipt, 'signature'>): Uint8Array => {
  const { version, node, epoch, shard, time, root, count } = receipt
  return labelled('receipt', network, version, node, epoch, shard, time, root, count)
}

/** Signs a receipt over the leaves that were fsynced, in batch order. @param root - of the leaves' tree, if it is known. */
export async function signReceipt(
  crypto: Crypto,
  network: NetworkId,
  key: SigningKey,
  fields: Pick<Receipt, 'node' | 'epoch' | 'shard' | 'time'>,
  leaves: Uint8Array[],
  root: Uint8Array = merkleRoot(crypto, leaves)
): Promise<Receipt> {
  const unsigned = { ...fields, version: 1 as const, root, count: leaves.length }
  return { ...unsigned, signature: await key.sign(receiptBytes(network, unsigned)) }
}

/** Whether the node named in a receipt signed it. That the node is listed and a replica is the caller's to check. */
export function verifyReceipt(crypto: Crypto, network: NetworkId, receipt: Receipt): Promise<boolean> {
  return crypto.verify(receipt.node, receiptBytes(network, receipt), receipt.signature)
}

/** Whether a receipt, rightly signed, covers this delivery. */
export async function verifyDeliveryReceipt(
  crypto: Crypto,
  network: NetworkId,
  proof: DeliveryReceipt,
  leaf: Uint8Array
): Promise<boolean> {
  const root = rootFromPath(crypto, leaf, proof.index, proof.receipt.count, proof.path)
  if (root === undefined || !root.every((byte, index) => byte === proof.receipt.root[index])) return false
  return verifyReceipt(crypto, network, proof.receipt)
}

/**
 * A node's word that it does not hold a delivery, and why as far as it knows. It names what was asked for exactly, the expiry
 * too: with another expiry the same id is another delivery, which a node may rightly deny.
 */
export const denialCodec = struct({
  version: constant(1),
  node: nodeKeyCodec,
  /** The list of nodes under which it was asked. */
  epoch: uint(),
  time: uint(),
  mailbox: deviceIdCodec,
  id: deliveryIdCodec,
  expiry: uint(),
  reason: oneOf('unknown', 'acknowledged', 'expired', 'evicted'),
  signature
})
export type Denial = TypeOf<typeof denialCodec>

/** A node's word that it did not accept a delivery. */
export const refusalCodec = struct({
  version: constant(1),
  node: nodeKeyCodec,
  epoch: uint(),
  time: uint(),
  mailbox: deviceIdCodec,
  id: deliveryIdCodec,
  reason: oneOf(
    'expired',
    'expiry-too-far',
    'mailbox-full',
    'rate-limited',
    'unknown-mailbox',
    'epoch',
    'proof',
    'disk-full'
  ),
  signature
})
export type Refusal = TypeOf<typeof refusalCodec>

/** A node's record that it removed deliveries to keep a mailbox within its limits; replicated to the other replicas. */
export const evictionCodec = struct({
  version: constant(1),
  node: nodeKeyCodec,
  time: uint(),
  mailbox: deviceIdCodec,
  ids: list(deliveryIdCodec, 1024, 1),
  signature
})
export type Eviction = TypeOf<typeof evictionCodec>

const INDEX_OF_REASON = {
  denial: ['unknown', 'acknowledged', 'expired', 'evicted'],
  refusal: [
    'expired',
    'expiry-too-far',
    'mailbox-full',
    'rate-limited',
    'unknown-mailbox',
    'epoch',
    'proof',
    'disk-full'
  ]
}

const denialBytes = (network: NetworkId, d: Omit<Denial, 'signature'>): Uint8Array => {
  const reason = INDEX_OF_REASON.denial.indexOf(d.reason)
  return labelled('denial', network, d.version, d.node, d.epoch, d.time, d.mailbox, d.id, d.expiry, reason)
}

const refusalBytes = (network: NetworkId, r: Omit<Refusal, 'signature'>): Uint8Array =>
  labelled(
    'refusal',
    network,
    r.version,
    r.node,
    r.epoch,
    r.time,
    r.mailbox,
    r.id,
    INDEX_OF_REASON.refusal.indexOf(r.reason)
  )

const evictionBytes = (network: NetworkId, e: Omit<Eviction, 'signature'>): Uint8Array =>
  labelled('eviction', network, e.version, e.node, e.time, e.mailbox, e.ids as Cbor[])

/** Signing and checking of one kind of a node's word; `bytes` are what its signature covers. */
function nodesWord<T extends { version: 1; node: Uint8Array; signature: Uint8Array }>(
  bytes: (network: NetworkId, word: Omit<T, 'signature'>) => Uint8Array
) {
  return {
    async sign(network: NetworkId, key: SigningKey, fields: Omit<T, 'version' | 'signature'>): Promise<T> {
      const unsigned = { ...fields, version: 1 } as unknown as Omit<T, 'signature'>
      return { ...unsigned, signature: await key.sign(bytes(network, unsigned)) } as T
    },
    verify: (crypto: Crypto, network: NetworkId, word: T): Promise<boolean> =>
      crypto.verify(word.node, bytes(network, word), word.signature)
  }
}

export const { sign: signDenial, verify: verifyDenial } = nodesWord<Denial>(denialBytes)
export const { sign: signRefusal, verify: verifyRefusal } = nodesWord<Refusal>(refusalBytes)
export const { sign: signEviction, verify: verifyEviction } = nodesWord<Eviction>(evictionBytes)

/** Deliveries that one acknowledgement may name. */
export const MAX_ACKNOWLEDGED = 256

/**
 * A device's word that it has these deliveries safely: nodes delete them and keep a tombstone. It carries the device's
 * public keys, whose hash is the mailbox, so every replica can check it without a directory.
 */
export const acknowledgementCodec = struct({
  version: constant(1),
  keys: devicePublicKeysCodec,
  ids: list(deliveryIdCodec, MAX_ACKNOWLEDGED, 1),
  signature: bytes(SIGNATURE_BYTES)
})
export type Acknowledgement = TypeOf<typeof acknowledgementCodec>

const acknowledgementBytes = (network: NetworkId, mailbox: DeviceId, ids: DeliveryId[]): Uint8Array =>
  labelled('acknowledgement', network, 1, mailbox, ids as Cbor[])

export async function signAcknowledgement(
  crypto: Crypto,
  network: NetworkId,
  key: SigningKey,
  keys: Acknowledgement['keys'],
  ids: DeliveryId[]
): Promise<Acknowledgement> {
  const mailbox = deviceIdOf(crypto, network, keys)
  return { version: 1, keys, ids, signature: await key.sign(acknowledgementBytes(network, mailbox, ids)) }
}

/** The mailbox that an acknowledgement speaks for, or undefined if its signature does not verify. */
export async function verifyAcknowledgement(
  crypto: Crypto,
  network: NetworkId,
  acknowledgement: Acknowledgement
): Promise<DeviceId | undefined> {
  const { keys, ids } = acknowledgement
  if (keys.signingKey.length !== KEY_BYTES) return undefined
  const mailbox = deviceIdOf(crypto, network, keys)
  const signed = acknowledgementBytes(network, mailbox, ids)
  return (await crypto.verify(keys.signingKey, signed, acknowledgement.signature)) ? mailbox : undefined
}
