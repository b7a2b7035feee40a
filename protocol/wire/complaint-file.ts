/** The file of a complaint: JSON, because people keep it and send it around. One complaint has one spelling. */
import { fromHex, toHex } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import type { DeviceId } from '../identity/device.ts'
import type { NetworkId } from '../network.ts'
import type { Complaint } from './complaint.ts'
import { MAX_BATCH_DELIVERIES, type DeliveryReceipt, type Denial } from './custody.ts'
import type { DeliveryId } from './envelope.ts'
import type { NodeKey } from './placement.ts'

/** Longest text of a complaint, in characters. */
export const MAX_COMPLAINT_LENGTH = 8 * 1024
/** Complaints in one answer of a node. */
export const MAX_COMPLAINTS_PER_PAGE = 64
const FORMAT = 'volo-complaint'
const VERSION = 1
const MAX_PATH = 12
/** Latest time that a date can show, in milliseconds since 1970. */
const MAX_TIME = 8.64e15
const REASONS = ['unknown', 'acknowledged', 'expired', 'evicted'] as const

/** The text of a complaint file, with a line break at its end. */
export function complaintText({ network, mailbox, id, expiry, receipt, denial }: Complaint): string {
  const { receipt: word, index, path } = receipt
  const json = {
    format: FORMAT,
    version: VERSION,
    network: toHex(network),
    mailbox: toHex(mailbox),
    id: toHex(id),
    expiry,
    receipt: {
      node: toHex(word.node),
      epoch: word.epoch,
      shard: word.shard,
      time: word.time,
      root: toHex(word.root),
      count: word.count,
      index,
      path: path.map(toHex),
      signature: toHex(word.signature)
    },
    denial: {
      node: toHex(denial.node),
      epoch: denial.epoch,
      time: denial.time,
      mailbox: toHex(denial.mailbox),
      id: toHex(denial.id),
      expiry: denial.expiry,
      reason: denial.reason,
      signature: toHex(denial.signature)
    }
  }
  return `${JSON.stringify(json, null, 2)}\n`
}

/**
 * Reads the text of a complaint. It says nothing about whether the complaint holds.
 * @throws ProtocolError `TOO_LARGE`, `UNSUPPORTED_VERSION`, or `MALFORMED` naming the field.
 */
export function readComplaint(text: string): Complaint {
  if (text.length > MAX_COMPLAINT_LENGTH) throw new ProtocolError('TOO_LARGE', 'a complaint is at most 8 KiB long')
  const fields = new Fields(parseJson(text), '')
  if (fields.text('format') !== FORMAT) throw malformed('format', `"${FORMAT}"`)
  if (fields.whole('version') !== VERSION) {
    throw new ProtocolError('UNSUPPORTED_VERSION', `a complaint of a version other than ${VERSION}`)
  }
  const complaint: Complaint = {
    network: fields.hex('network', 32) as NetworkId,
    mailbox: fields.hex('mailbox', 16) as DeviceId,
    id: fields.hex('id', 32) as DeliveryId,
    expiry: fields.whole('expiry', MAX_TIME),
    receipt: readReceipt(fields.object('receipt')),
    denial: readDenial(fields.object('denial'))
  }
  fields.close()
  return complaint
}

function readReceipt(fields: Fields): DeliveryReceipt {
  const receipt = {
    version: 1 as const,
    node: fields.hex('node', 32) as NodeKey,
    epoch: fields.whole('epoch'),
    shard: fields.whole('shard', 0xffff),
    time: fields.whole('time', MAX_TIME),
    root: fields.hex('root', 32),
    count: fields.whole('count', MAX_BATCH_DELIVERIES),
    signature: fields.hex('signature', 64)
  }
  const read = { receipt, index: fields.whole('index', MAX_BATCH_DELIVERIES), path: fields.hexes('path', 32, MAX_PATH) }
  fields.close()
  return read
}

function readDenial(fields: Fields): Denial {
  const reason = REASONS.find(known => known === fields.text('reason'))
  if (reason === undefined) throw malformed('denial.reason', `one of ${REASONS.join(', ')}`)
  const denial: Denial = {
    version: 1,
    node: fields.hex('node', 32) as NodeKey,
    epoch: fields.whole('epoch'),
    time: fields.whole('time', MAX_TIME),
    mailbox: fields.hex('mailbox', 16) as DeviceId,
    id: fields.hex('id', 32) as DeliveryId,
    expiry: fields.whole('expiry', MAX_TIME),
    reason,
    signature: fields.hex('signature', 64)
  }
  fields.close()
  return denial
}

const malformed = (field: string, expected: string): ProtocolError =>
  new ProtocolError('MALFORMED', `"${field}" of a complaint must be ${expected}`)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new ProtocolError('MALFORMED', 'a complaint is JSON', { cause })
  }
}

/** Fields of one JSON object, each read once: whatever is left over makes it malformed, so that a complaint has one spelling. */
class Fields {
  readonly #value: Record<string, unknown>
  readonly #path: string
  readonly #seen = new Set<string>()

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(path || 'all', 'an object')
    this.#value = value as Record<string, unknown>
    this.#path = path
  }

  #take(name: string): unknown {
    this.#seen.add(name)
    return Object.hasOwn(this.#value, name) ? this.#value[name] : undefined
  }

  object(name: string): Fields {
    return new Fields(this.#take(name), `${this.#path}${name}.`)
  }

  text(name: string): string {
    const value = this.#take(name)
    if (typeof value === 'string') return value
    throw malformed(this.#path + name, 'a text')
  }

  whole(name: string, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#take(name)
    if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max) return value as number
    throw malformed(this.#path + name, 'a whole number in its bounds')
  }

  hex(name: string, length: number): Uint8Array {
    return hexOf(this.#take(name), length, this.#path + name)
  }

  hexes(name: string, length: number, max: number): Uint8Array[] {
    const value = this.#take(name)
    if (!Array.isArray(value) || value.length > max) throw malformed(this.#path + name, `a list of at most ${max}`)
    return value.map(item => hexOf(item, length, this.#path + name))
  }

  close(): void {
    const extra = Object.keys(this.#value).find(name => !this.#seen.has(name))
    if (extra !== undefined) throw malformed(this.#path + extra.slice(0, 32), 'left out')
  }
}

function hexOf(value: unknown, length: number, path: string): Uint8Array {
  if (typeof value === 'string' && value.length === 2 * length && /^[0-9a-f]*$/.test(value))
    return fromHex(value, length)
  throw malformed(path, `${2 * length} lower-case hex digits`)
}
