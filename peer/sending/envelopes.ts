import { toHex } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { MAX_ENVELOPE_RECIPIENTS } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { deliveryProof } from '../../protocol/wire/delivery-token.ts'
import {
  decodeEnvelope,
  deliveryIdOf,
  encodeEnvelope,
  envelopeIdOf,
  type Envelope
} from '../../protocol/wire/envelope.ts'
import type { OutboxItem } from '../store/store-layout.ts'

const NOTHING = new Uint8Array(0)

/** One payload for many mailboxes. */
export interface EnvelopeInit {
  payload: Uint8Array
  expiry: number
  recipients: DeviceId[]
  /** Sealed parts of an Open; a recipient without one gets the payload alone. */
  parts: { deviceId: DeviceId; part: Uint8Array }[]
  /** Delivery tokens, by device id in hex. Recipients without one are written to as a stranger. */
  tokens: ReadonlyMap<string, Uint8Array>
}

type Built = Pick<OutboxItem, 'envelope' | 'mailboxes'>

/** As many envelopes as the recipients need: of one id for contacts, and of one for others. */
export function buildEnvelopes(crypto: Crypto, network: NetworkId, init: EnvelopeInit): Built[] {
  const { payload, expiry, recipients, tokens } = init
  const contacts = recipients.filter(mailbox => tokens.has(toHex(mailbox)))
  const others = recipients.filter(mailbox => !tokens.has(toHex(mailbox)))
  const shared = { version: 1 as const, expiry, payload }
  return [
    ...envelopesTo(crypto, network, init, { ...shared, class: 'contact' }, contacts),
    ...envelopesTo(crypto, network, init, { ...shared, class: 'request' }, others)
  ]
}

function envelopesTo(
  crypto: Crypto,
  network: NetworkId,
  { parts, tokens }: EnvelopeInit,
  shared: Omit<Envelope, 'recipients'>,
  recipients: DeviceId[]
): Built[] {
  if (recipients.length === 0) return []
  const partOf = new Map(parts.map(({ deviceId, part }) => [toHex(deviceId), part]))
  const envelopeId = envelopeIdOf(crypto, network, shared)
  const proofOf = (mailbox: DeviceId): Uint8Array => {
    const token = tokens.get(toHex(mailbox))
    return token ? deliveryProof(crypto, network, token, envelopeId) : NOTHING
  }
  const built: Built[] = []
  for (let i = 0; i < recipients.length; i += MAX_ENVELOPE_RECIPIENTS) {
    const entries = recipients
      .slice(i, i + MAX_ENVELOPE_RECIPIENTS)
      .map(mailbox => ({ mailbox, part: partOf.get(toHex(mailbox)) ?? NOTHING, proof: proofOf(mailbox) }))
    built.push({
      envelope: encodeEnvelope({ ...shared, recipients: entries }),
      mailboxes: entries.map(entry => ({
        mailbox: entry.mailbox,
        id: deliveryIdOf(crypto, network, envelopeId, entry),
        stored: false
      }))
    })
  }
  return built
}

/**
 * The same payload and parts as a stranger sends them, and so with other ids, for the mailboxes that do not keep it yet: a
 * proof is for one id only. A device that got it under its old id as well drops the second as a copy: each of its messages
 * opens once.
 */
export function asStranger(
  crypto: Crypto,
  network: NetworkId,
  item: OutboxItem,
  expiry: number = item.expiry
): OutboxItem {
  const stored = new Set(item.mailboxes.filter(mailbox => mailbox.stored).map(({ mailbox }) => toHex(mailbox)))
  const before = decodeEnvelope(item.envelope)
  const recipients = before.recipients
    .filter(({ mailbox }) => !stored.has(toHex(mailbox)))
    .map(recipient => ({ ...recipient, proof: NOTHING }))
  return withIds(crypto, network, { ...item, expiry }, { ...before, expiry, class: 'request', recipients })
}

/** An item whose ids were made before they covered proofs, with the ids of today. */
export function withTrueIds(crypto: Crypto, network: NetworkId, item: OutboxItem): OutboxItem {
  return withIds(crypto, network, item, decodeEnvelope(item.envelope))
}

function withIds(crypto: Crypto, network: NetworkId, item: OutboxItem, envelope: Envelope): OutboxItem {
  const envelopeId = envelopeIdOf(crypto, network, envelope)
  const ids = new Map(
    envelope.recipients.map(entry => [toHex(entry.mailbox), deliveryIdOf(crypto, network, envelopeId, entry)])
  )
  const mailboxes = item.mailboxes.map(mailbox => ({ ...mailbox, id: ids.get(toHex(mailbox.mailbox)) ?? mailbox.id }))
  return { ...item, envelope: encodeEnvelope(envelope), mailboxes }
}
