import { toHex } from '../../protocol/bytes.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { MAX_ENVELOPE_RECIPIENTS } from '../../protocol/limits.ts'
import type { NetworkId } from '../../protocol/network.ts'
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
}

/** As many envelopes of one id as the recipients need. */
export function buildEnvelopes(
  crypto: Crypto,
  network: NetworkId,
  { payload, expiry, recipients, parts }: EnvelopeInit
): Pick<OutboxItem, 'envelope' | 'mailboxes'>[] {
  const partOf = new Map(parts.map(({ deviceId, part }) => [toHex(deviceId), part]))
  const shared = { version: 1 as const, expiry, class: 'contact' as const, payload }
  const envelopeId = envelopeIdOf(crypto, network, shared)
  const built: Pick<OutboxItem, 'envelope' | 'mailboxes'>[] = []
  for (let i = 0; i < recipients.length; i += MAX_ENVELOPE_RECIPIENTS) {
    const entries = recipients.slice(i, i + MAX_ENVELOPE_RECIPIENTS).map(mailbox => ({
      mailbox,
      part: partOf.get(toHex(mailbox)) ?? NOTHING,
      proof: NOTHING
    }))
    const envelope: Envelope = { ...shared, recipients: entries }
    built.push({
      envelope: encodeEnvelope(envelope),
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
 * The same payload and parts with another expiry, and so with other ids, for the mailboxes that do not keep it yet. A
 * device that got it under its old id as well drops the second as a copy: each of its messages opens once.
 */
export function withExpiry(crypto: Crypto, network: NetworkId, item: OutboxItem, expiry: number): OutboxItem {
  const stored = new Set(item.mailboxes.filter(mailbox => mailbox.stored).map(({ mailbox }) => toHex(mailbox)))
  const before = decodeEnvelope(item.envelope)
  const recipients = before.recipients.filter(({ mailbox }) => !stored.has(toHex(mailbox)))
  const envelope: Envelope = { ...before, expiry, recipients }
  const envelopeId = envelopeIdOf(crypto, network, envelope)
  const ids = new Map(recipients.map(entry => [toHex(entry.mailbox), deliveryIdOf(crypto, network, envelopeId, entry)]))
  const mailboxes = item.mailboxes.map(mailbox => ({ ...mailbox, id: ids.get(toHex(mailbox.mailbox)) ?? mailbox.id }))
  return { ...item, envelope: encodeEnvelope(envelope), expiry, mailboxes }
}
