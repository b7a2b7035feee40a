/**
 * What people and their devices say to each other, before encryption: `[id, sent at, expires after, body]`, where the
 * body is `[kind, version, ...fields]`. A kind or version that this build does not know is kept as it came, so that it
 * can be shown as "update Volo to see this" and read after the update.
 */
import type { Brand } from '../brand.ts'
import { encodeCbor, decodeCbor, type Cbor } from '../cbor.ts'
import { encode, nullable, struct, uint, type Codec, type TypeOf } from '../codec.ts'
import { ProtocolError } from '../errors.ts'
import { MAX_CONTENT_BYTES } from '../session/message-packet.ts'
import { MAX_EXPIRY_SECONDS, MESSAGE_ID_BYTES, messageIdCodec, messageKinds, type MessageId } from './message-kinds.ts'

export type { MessageId } from './message-kinds.ts'
export { MESSAGE_ID_BYTES } from './message-kinds.ts'

type Kinds = typeof messageKinds
export type KnownKind = keyof Kinds
type KnownBody = { [K in KnownKind]: { kind: K } & TypeOf<Kinds[K]['codec']> }[KnownKind]

/** The body of one kind. */
export type BodyOf<K extends KnownKind> = Extract<KnownBody, { kind: K }>

/** A body of a newer version, kept as it came. */
export interface UnsupportedBody {
  kind: 'unsupported'
  kindNumber: number
  version: number
  /** Canonical CBOR of the whole body. */
  encoded: UnsupportedBytes
}
type UnsupportedBytes = Brand<Uint8Array, 'UnsupportedBody'>

export type MessageBody = KnownBody | UnsupportedBody

const byNumber = new Map<number, { kind: KnownKind; codec: Codec<unknown> }>(
  Object.entries(messageKinds).map(([kind, { number, codec }]) => [
    number,
    { kind: kind as KnownKind, codec: codec as Codec<unknown> }
  ])
)

/** The version of every kind that this build writes. A kind that changes gets 2, and readers of 1 show it as unsupported. */
const KIND_VERSION = 1
const BODY_LIMITS = { maxBytes: MAX_CONTENT_BYTES, maxDepth: 8, maxItems: 4096 }

const bodyCodec: Codec<MessageBody> = {
  toCbor: body => {
    if (body.kind === 'unsupported') return decodeCbor(body.encoded, BODY_LIMITS)
    const { number, codec } = messageKinds[body.kind]
    return [number, KIND_VERSION, ...((codec as Codec<unknown>).toCbor(body) as Cbor[])]
  },
  fromCbor: (value, path) => {
    const [number, version, ...fields] = Array.isArray(value) ? value : []
    if (typeof number !== 'number' || typeof version !== 'number') {
      throw new ProtocolError('MALFORMED', `"${path}" must begin with a kind and a version`)
    }
    const known = byNumber.get(number)
    if (!known || version !== KIND_VERSION) {
      const encoded = encodeCbor(value) as UnsupportedBytes
      return { kind: 'unsupported', kindNumber: number, version, encoded }
    }
    return { kind: known.kind, ...(known.codec.fromCbor(fields, path) as object) } as KnownBody
  }
}

const messageCodec = struct({
  messageId: messageIdCodec,
  /** Milliseconds since 1970, by the sender's clock: shown, and never used to order. */
  sentAt: uint(),
  /** Seconds after reading at which the message disappears; `null` if it stays. */
  expiresAfter: nullable(uint(MAX_EXPIRY_SECONDS)),
  body: bodyCodec
})

/** One message. Its sender is the device whose session carried it; the message does not name it. */
export interface Message {
  messageId: MessageId
  sentAt: number
  expiresAfter: number | null
  body: MessageBody
}

/**
 * Canonical bytes of a message, for `encryptMessage`.
 * @throws ProtocolError `TOO_LARGE` past {@link MAX_CONTENT_BYTES}, `MALFORMED` for a field past its limit.
 */
export function encodeMessage(message: Message): Uint8Array {
  const encoded = encode(messageCodec, message)
  // What no receiver would take must not be sent: parsing it here names the field.
  decodeMessage(encoded)
  return encoded
}

/** @throws ProtocolError `MALFORMED` or `TOO_LARGE`. An unknown kind is not an error, see {@link UnsupportedBody}. */
export function decodeMessage(input: Uint8Array): Message {
  return messageCodec.fromCbor(decodeCbor(input, BODY_LIMITS), '')
}

/** Kinds whose loss makes no gap: they are repeated, or soon mean nothing. */
const UNSEQUENCED: ReadonlySet<MessageBody['kind']> = new Set<MessageBody['kind']>([
  'receipt',
  'typing',
  'presence',
  'head',
  'resendRequest',
  'openedAck',
  'keyUpdate',
  'gone',
  'seen',
  'historyRequest',
  'historyChunk'
])

/** Kinds that one device says to one other, never to a roster. */
const BETWEEN_TWO: ReadonlySet<MessageBody['kind']> = new Set<MessageBody['kind']>([
  'receipt',
  'typing',
  'presence',
  'resendRequest',
  'openedAck',
  'keyUpdate',
  'gone',
  'seen',
  'historyRequest',
  'historyChunk'
])

/** Whether messages of this kind travel in the channel between two devices: see session/pair-channel.ts. */
export function isBetweenTwo(kind: MessageBody['kind']): boolean {
  return BETWEEN_TWO.has(kind)
}

/** Whether messages of this kind take a place in their sender's sequence: see `encryptMessage`. */
export function isSequenced(kind: MessageBody['kind']): boolean {
  return !UNSEQUENCED.has(kind)
}

/** 16 random bytes for a new message. */
export function createMessageId(random: (length: number) => Uint8Array): MessageId {
  return messageIdCodec.fromCbor(random(MESSAGE_ID_BYTES), 'messageId')
}
