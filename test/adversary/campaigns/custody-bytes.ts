/** What one message costs on the wires, in the frames that nodes and clients really send. */
import { randomBytes } from 'node:crypto'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../protocol/network.ts'
import { custodyLeaf, signAcknowledgement, signReceipt } from '../../../protocol/wire/custody.ts'
import { encodeEnvelope, type Delivery, type DeliveryId, type Envelope } from '../../../protocol/wire/envelope.ts'
import { encodeBatch, encodeNodeLinkFrame, signBatch } from '../../../protocol/wire/node-frames.ts'
import { encodeNodeFrame } from '../../../protocol/wire/peer-frames.ts'
import type { NodeKey } from '../../../protocol/wire/placement.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length))
const EPOCH = 12
const SHARD = 2_047
/** What gossipsub, yamux, Noise and TCP add to a message of a topic or a frame of a stream: its own fields, tags, headers. */
const PACKET_BYTES = 100

/** Bytes that leave nodes for each byte of payload that a device gets. */
export interface MessageBytes {
  /** Messages of one batch. */
  batch: number
  payloadBytes: number
  /** From the origin to the replicas, and back; between replicas; to the device. */
  perPayloadByte: number
}

/** @param replicas - that get a copy from the origin, which is none of them. */
export async function messageBytes(batch: number, payloadBytes: number, replicas: number): Promise<MessageBytes> {
  const network = random(32) as NetworkId
  const key = await crypto.signingKeyFromSeed(random(32))
  const node = key.publicKey as NodeKey
  const time = Date.now()
  const mailbox = random(16) as DeviceId
  const envelopes = Array.from({ length: batch }, () => envelopeOf(mailbox, payloadBytes, time))
  const fields = { origin: node, epoch: EPOCH, shard: SHARD, time, envelopes: envelopes.map(encodeEnvelope) }
  const signed = await signBatch(crypto, network, key, fields)
  const ids = envelopes.map(() => random(32) as DeliveryId)
  const leaves = ids.map(id => custodyLeaf(id, mailbox, time))
  const receipt = await signReceipt(crypto, network, key, { node, epoch: EPOCH, shard: SHARD, time }, leaves)
  const stored = encodeNodeLinkFrame({ kind: 'stored', request: 0, batch: signed.id, receipt, refused: [] })
  const keys = { signingKey: random(32), messagingKeyHash: random(32) }
  const acknowledgement = await signAcknowledgement(crypto, network, key, keys as never, ids)
  const passedOn = encodeNodeLinkFrame({ kind: 'acknowledge', request: 7, acknowledgements: [acknowledgement] })
  const deliveries = envelopes.map((envelope, index) => deliveryOf(envelope, ids[index]!, time))
  const delivered = encodeNodeFrame({ kind: 'deliver', request: 0, deliveries })
  const bytes =
    replicas * (encodeBatch(signed.batch).length + stored.length + 2 * PACKET_BYTES) +
    (replicas - 1) * (passedOn.length + PACKET_BYTES) +
    delivered.length +
    PACKET_BYTES
  return { batch, payloadBytes, perPayloadByte: bytes / (batch * payloadBytes) }
}

function envelopeOf(mailbox: DeviceId, payloadBytes: number, time: number): Envelope {
  const recipients = [{ mailbox, part: new Uint8Array(), proof: random(32) }]
  return { version: 1, expiry: time, class: 'contact', payload: random(payloadBytes), recipients }
}

function deliveryOf({ expiry, payload, recipients }: Envelope, id: DeliveryId, storedAt: number): Delivery {
  const { part, proof } = recipients[0]!
  return { id, expiry, class: 'contact', part, proof, payload, storedAt }
}
