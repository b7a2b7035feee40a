/**
 * Everything between the two devices is sealed under the session key S of a linking.
 *
 * S = HKDF-Extract(`L(link-secret)`, secret). From it, for each direction: a key, a key for the end, and the id of the box
 * where a node keeps the messages. Nonces count; the associated data holds the hash of all messages before, so that one that
 * is left out, copied or from another linking does not open.
 */
import { wipe } from '../bytes.ts'
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, KEY_BYTES, type Crypto } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { labelled, labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { LinkSecret } from './link-code.ts'
import { decodeLinkMessage, encodeLinkMessage, MAX_LINK_MESSAGE_BYTES, type LinkMessage } from './link-messages.ts'

/** The device that is on the account already, and the one to be added. */
export type LinkSide = 'old' | 'new'

/** Bytes of a box's id. */
export const LINK_BOX_BYTES = 16
/** Longest sealed message. */
export const MAX_SEALED_LINK_BYTES = MAX_LINK_MESSAGE_BYTES + AEAD_TAG_BYTES

/** What one side writes with. */
interface Direction {
  /** Names the box of this side's messages: 16 bytes, known to the two devices and to the node that keeps it. */
  box: Uint8Array
  key: Uint8Array
  endKey: Uint8Array
  count: number
}

/** One side's view of a linking: it seals its own messages and opens the other's, in their order. */
export class LinkChannel {
  readonly #crypto: Crypto
  readonly #network: NetworkId
  readonly #side: LinkSide
  readonly #directions: Record<LinkSide, Direction>
  /** 32 bytes: makes the check words. */
  readonly checkKey: Uint8Array
  #transcript: Uint8Array

  constructor(crypto: Crypto, network: NetworkId, secret: LinkSecret, side: LinkSide) {
    this.#crypto = crypto
    this.#network = network
    this.#side = side
    const session = crypto.hkdfExtract(labelled('link-secret', network), secret)
    const derive = (what: string, length: number): Uint8Array =>
      crypto.hkdfExpand(session, labelled('link-key', network, what), length)
    const direction = (from: LinkSide): Direction => ({
      box: derive(`box ${from}`, LINK_BOX_BYTES),
      key: derive(`seal ${from}`, KEY_BYTES),
      endKey: derive(`end ${from}`, KEY_BYTES),
      count: 0
    })
    this.#directions = { old: direction('old'), new: direction('new') }
    this.checkKey = derive('check words', KEY_BYTES)
    this.#transcript = labelledHash(crypto, 'link-transcript', network)
    wipe(session)
  }

  /** Hash of all messages so far, 32 bytes. */
  get transcript(): Uint8Array {
    return this.#transcript
  }

  /** Where a side's messages are. */
  box(side: LinkSide): Uint8Array {
    return this.#directions[side].box
  }

  /** Index of a side's next message in its box. */
  next(side: LinkSide): number {
    return this.#directions[side].count
  }

  /** Seals the next message of this side. */
  seal(message: LinkMessage): Uint8Array {
    const isEnd = message.kind === 'ended'
    const plaintext = encodeLinkMessage(message)
    const sealed = this.#crypto.chachaSeal(
      ...this.#keyAndNonce(this.#side, isEnd),
      plaintext,
      this.#bound(this.#side, isEnd)
    )
    this.#advance(this.#side, sealed)
    return sealed
  }

  /**
   * Opens the next message of the other side. A failure leaves the channel as it was.
   * @throws ProtocolError `DECRYPT_FAILED` for anything else than that message, `MALFORMED`.
   */
  open(sealed: Uint8Array): LinkMessage {
    const from = this.#side === 'old' ? 'new' : 'old'
    const ended = this.#tryOpen(from, sealed, true)
    const plaintext = ended ?? this.#tryOpen(from, sealed, false)
    if (!plaintext) throw new ProtocolError('DECRYPT_FAILED', 'this is not the next message of the linking')
    const message = decodeLinkMessage(plaintext)
    if ((message.kind === 'ended') !== (ended !== undefined)) {
      throw new ProtocolError('MALFORMED', 'the end of a linking has a key of its own')
    }
    this.#advance(from, sealed)
    return message
  }

  /** Erases the keys; the channel is of no use afterwards. */
  wipe(): void {
    for (const { key, endKey } of Object.values(this.#directions)) wipe(key, endKey)
    wipe(this.checkKey)
  }

  #tryOpen(from: LinkSide, sealed: Uint8Array, isEnd: boolean): Uint8Array | undefined {
    try {
      return this.#crypto.chachaOpen(...this.#keyAndNonce(from, isEnd), sealed, this.#bound(from, isEnd))
    } catch (error) {
      if (error instanceof ProtocolError) return undefined
      throw error
    }
  }

  #keyAndNonce(from: LinkSide, isEnd: boolean): [key: Uint8Array, nonce: Uint8Array] {
    const { key, endKey, count } = this.#directions[from]
    const nonce = new Uint8Array(AEAD_NONCE_BYTES)
    nonce[AEAD_NONCE_BYTES - 1] = count
    return [isEnd ? endKey : key, nonce]
  }

  /** The end may cross a message of the other side, so it is bound to its place alone. */
  #bound(from: LinkSide, isEnd: boolean): Uint8Array {
    const { count } = this.#directions[from]
    return labelled('link-message', this.#network, from, count, isEnd ? null : this.#transcript)
  }

  #advance(from: LinkSide, sealed: Uint8Array): void {
    if (++this.#directions[from].count > 255) throw new ProtocolError('LIMIT_REACHED', 'a linking has few messages')
    this.#transcript = labelledHash(this.#crypto, 'link-transcript', this.#network, this.#transcript, from, sealed)
  }
}
