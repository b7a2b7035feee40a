/**
 * What a mailbox lost: messages that were removed before their device took them, because there was no room or their time
 * had passed. Only counts are kept, until the device says that it knows, and for {@link LOSS_KEPT_MS} at most: a mailbox
 * that no device ever opens leaves nothing for ever.
 */
import { crc32 } from 'node:zlib'
import type { DeviceId } from '../../protocol/identity/device.ts'
import { PENDING_TTL_MS } from '../../protocol/limits.ts'
import type { EnvelopeClass } from '../../protocol/wire/envelope.ts'
import { byteKey, bytesOfKey } from '../byte-key.ts'
import { lossExpiryKey, lossKey, type PendingDatabase, type Write } from './pending-records.ts'

/** A count is forgotten this long after the last loss. */
export const LOSS_KEPT_MS = 2 * PENDING_TTL_MS

/** Messages that a mailbox lost since its device last said that it knows. */
export interface MailboxLoss {
  /** Of contacts: with a proof that holds. */
  contacts: number
  /** Of everybody else. */
  requests: number
  /** Of the last loss, milliseconds since 1970 by this node's clock. */
  at: number
}

const NONE: MailboxLoss = { contacts: 0, requests: 0, at: 0 }
const MAX_COUNT = 0xffff_ffff
const BODY_BYTES = 4 + 4 + 6

function encodeLoss({ contacts, requests, at }: MailboxLoss): Buffer {
  const bytes = Buffer.allocUnsafe(BODY_BYTES + 4)
  bytes.writeUInt32BE(Math.min(contacts, MAX_COUNT), 0)
  bytes.writeUInt32BE(Math.min(requests, MAX_COUNT), 4)
  bytes.writeUIntBE(at, 8, 6)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, BODY_BYTES)), BODY_BYTES)
  return bytes
}

/** @returns undefined for nothing, or for bytes that are not what was written. */
export function decodeLoss(value: Uint8Array | undefined): MailboxLoss | undefined {
  if (value?.length !== BODY_BYTES + 4) return undefined
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (crc32(bytes.subarray(0, BODY_BYTES)) !== bytes.readUInt32BE(BODY_BYTES)) return undefined
  return { contacts: bytes.readUInt32BE(0), requests: bytes.readUInt32BE(4), at: bytes.readUIntBE(8, 6) }
}

/** Changes of the counts within one group of writes. */
export class LossChanges {
  readonly #lost = new Map<string, { contacts: number; requests: number }>()
  /** Mailbox → time up to which its device knows. */
  readonly #known = new Map<string, number>()
  readonly #due = new Set<string>()

  /** A message of a class was removed before its device took it. What programs say to each other is not counted. */
  add(mailbox: DeviceId, envelopeClass: EnvelopeClass): void {
    if (envelopeClass === 'system') return
    const key = byteKey(mailbox)
    const lost = this.#lost.get(key) ?? { contacts: 0, requests: 0 }
    lost[envelopeClass === 'contact' ? 'contacts' : 'requests'] += 1
    this.#lost.set(key, lost)
  }

  /** The device knows what was lost up to a time. */
  clear(mailbox: DeviceId, through: number): void {
    this.#known.set(byteKey(mailbox), through)
  }

  /** The time of a count may have passed. */
  due(mailbox: DeviceId): void {
    this.#due.add(byteKey(mailbox))
  }

  /** Reads the counts that change, and makes the writes. */
  async writes(database: PendingDatabase, now: number): Promise<Write[]> {
    const keys = [...new Set([...this.#lost.keys(), ...this.#known.keys(), ...this.#due])]
    if (keys.length === 0) return []
    const values = await database.getMany(keys.map(key => lossKey(bytesOfKey(key) as DeviceId)))
    return keys.flatMap((key, index) => this.#writesOf(key, decodeLoss(values[index]), now))
  }

  #writesOf(key: string, before: MailboxLoss | undefined, now: number): Write[] {
    const mailbox = bytesOfKey(key) as DeviceId
    const lost = this.#lost.get(key)
    const through = this.#known.get(key)
    const isOver = before && (before.at <= (through ?? -1) || before.at + LOSS_KEPT_MS <= now)
    const kept = isOver || !before ? NONE : before
    if (lost) {
      const { contacts, requests } = kept
      const after = { contacts: contacts + lost.contacts, requests: requests + lost.requests, at: now }
      const put: Write = { type: 'put', key: lossKey(mailbox), value: encodeLoss(after) }
      // A count that was there has its expiry, which is put off when it is due.
      return before ? [put] : [put, expiryOf(mailbox, now)]
    }
    if (isOver) return [{ type: 'del', key: lossKey(mailbox) }]
    return before && this.#due.has(key) ? [expiryOf(mailbox, before.at)] : []
  }
}

function expiryOf(mailbox: DeviceId, at: number): Write {
  return { type: 'put', key: lossExpiryKey(at + LOSS_KEPT_MS, mailbox), value: new Uint8Array() }
}
