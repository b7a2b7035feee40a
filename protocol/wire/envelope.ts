import { toHex } from '../bytes.ts'
import type { Brand } from '../brand.ts'
import { bytes, bytesBetween, constant, decode, encode, list, oneOf, struct, uint, type TypeOf } from '../codec.ts'
import type { Crypto } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { deviceIdCodec, type DeviceId } from '../identity/device.ts'
import { labelledHash } from '../labels.ts'
import {
  CLOCK_TOLERANCE_MS,
  MAX_ENVELOPE_BYTES,
  MAX_ENVELOPE_PAYLOAD_BYTES,
  MAX_ENVELOPE_RECIPIENTS,
  MAX_RECIPIENT_PART_BYTES,
  PENDING_TTL_MS
} from '../limits.ts'
import type { NetworkId } from '../network.ts'

/** 32 bytes that name an envelope by its shared fields. */
export type EnvelopeId = Brand<Uint8Array, 'EnvelopeId'>
/** 32 bytes that name what one mailbox gets of an envelope; custody, acknowledgement and dedupe go by it. */
export type DeliveryId = Brand<Uint8Array, 'DeliveryId'>

export const deliveryIdCodec = bytes<DeliveryId>(32)

/** Bytes of a recipient's proof at most. */
export const MAX_RECIPIENT_PROOF_BYTES = 32

const recipientCodec = struct({
  mailbox: deviceIdCodec,
  /** What only this recipient needs, such as its sealed session key. */
  part: bytesBetween(0, MAX_RECIPIENT_PART_BYTES),
  /** See `deliveryProof`; empty where the sender knows no token of the recipient's account. */
  proof: bytesBetween(0, MAX_RECIPIENT_PROOF_BYTES)
})

/** The unit that nodes carry and keep. It names recipients, never a sender. */
export const envelopeCodec = struct({
  version: constant(1),
  /** Milliseconds since 1970; never delivered after it. */
  expiry: uint(),
  class: oneOf('contact', 'request', 'system'),
  payload: bytesBetween(1, MAX_ENVELOPE_PAYLOAD_BYTES),
  recipients: list(recipientCodec, MAX_ENVELOPE_RECIPIENTS, 1)
})

export type Envelope = TypeOf<typeof envelopeCodec>
export type EnvelopeRecipient = TypeOf<typeof recipientCodec>
export type EnvelopeClass = Envelope['class']

const ENVELOPE_LIMITS = { maxBytes: MAX_ENVELOPE_BYTES, maxDepth: 3, maxItems: 5 + 4 * MAX_ENVELOPE_RECIPIENTS + 4 }

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return encode(envelopeCodec, envelope)
}

/** @throws ProtocolError `TOO_LARGE`, `MALFORMED`, or `INVALID` if a mailbox is named twice. */
export function decodeEnvelope(encoded: Uint8Array): Envelope {
  const envelope = decode(envelopeCodec, encoded, ENVELOPE_LIMITS)
  const { recipients } = envelope
  // Most have one recipient, and names of many are made for those only.
  const isUnique =
    recipients.length === 1 || new Set(recipients.map(recipient => toHex(recipient.mailbox))).size === recipients.length
  if (!isUnique) throw new ProtocolError('INVALID', 'a mailbox is named twice')
  return envelope
}

/** Hash of the fields that all recipients share. The same for every part of a large fan-out. */
export function envelopeIdOf(crypto: Crypto, network: NetworkId, envelope: Omit<Envelope, 'recipients'>): EnvelopeId {
  const { version, expiry, payload } = envelope
  const classIndex = envelopeClassIndex(envelope.class)
  return labelledHash(crypto, 'envelope', network, version, expiry, classIndex, payload) as EnvelopeId
}

function envelopeClassIndex(envelopeClass: EnvelopeClass): number {
  return ['contact', 'request', 'system'].indexOf(envelopeClass)
}

/**
 * Names what one mailbox gets. The recipient's part and proof are inside, because otherwise a node that sees the payload could
 * store it first with a broken part, or without the proof, and the true one would be dropped as known.
 */
export function deliveryIdOf(
  crypto: Crypto,
  network: NetworkId,
  envelopeId: EnvelopeId,
  { mailbox, part, proof }: EnvelopeRecipient
): DeliveryId {
  return labelledHash(crypto, 'delivery', network, envelopeId, mailbox, part, proof) as DeliveryId
}

/** Why an envelope's expiry is refused at `now`, or undefined if it is fine. */
export function expiryProblem(expiry: number, now: number): 'expired' | 'too-far' | undefined {
  if (expiry < now - CLOCK_TOLERANCE_MS) return 'expired'
  if (expiry > now + PENDING_TTL_MS + CLOCK_TOLERANCE_MS) return 'too-far'
  return undefined
}

/** What a node hands to one mailbox: an envelope of that one recipient. */
export const deliveryCodec = struct({
  id: deliveryIdCodec,
  expiry: uint(),
  class: oneOf('contact', 'request', 'system'),
  part: bytesBetween(0, MAX_RECIPIENT_PART_BYTES),
  proof: bytesBetween(0, MAX_RECIPIENT_PROOF_BYTES),
  payload: bytesBetween(1, MAX_ENVELOPE_PAYLOAD_BYTES),
  /**
   * When the node that hands it out took it into custody, milliseconds: that node's word, so not part of the id. The
   * expiry is the sender's claim and tells nothing about it.
   */
  storedAt: uint()
})

export type Delivery = TypeOf<typeof deliveryCodec>

/** Recomputes a delivery's id from its bytes: stores flip bits, and nodes lie. */
export function isDeliveryIntact(crypto: Crypto, network: NetworkId, mailbox: DeviceId, delivery: Delivery): boolean {
  const { expiry, payload, part, proof } = delivery
  const envelopeId = envelopeIdOf(crypto, network, { version: 1, expiry, class: delivery.class, payload })
  const id = deliveryIdOf(crypto, network, envelopeId, { mailbox, part, proof })
  return id.every((byte, index) => byte === delivery.id[index])
}
