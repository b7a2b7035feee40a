/**
 * HPKE (RFC 9180) in base mode for the one suite of Volo: KEM X-Wing, KDF HKDF-SHA-256, AEAD ChaCha20-Poly1305.
 */
import { concatBytes, utf8, wipe } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import { AEAD_NONCE_BYTES, KEY_BYTES, MAX_HKDF_BYTES, type Crypto, type MessagingKey } from './crypto.ts'
import { requireInteger } from './parameters.ts'

/** X-Wing in the registry of KEMs. */
export const HPKE_KEM_ID = 0x647a
/** HKDF-SHA-256. */
export const HPKE_KDF_ID = 0x0001
/** ChaCha20-Poly1305. */
export const HPKE_AEAD_ID = 0x0003

const MODE_BASE = 0
const EMPTY = new Uint8Array(0)
const VERSION = utf8('HPKE-v1')
const SUITE_ID = concatBytes(utf8('HPKE'), uint16(HPKE_KEM_ID), uint16(HPKE_KDF_ID), uint16(HPKE_AEAD_ID))

/** What the key schedule of RFC 9180, section 5.1, gives. */
export interface HpkeKeySchedule {
  /** 32 bytes. */
  key: Uint8Array
  /** 12 bytes. */
  baseNonce: Uint8Array
  /** 32 bytes. */
  exporterSecret: Uint8Array
}

/** The key schedule of RFC 9180, section 5.1, in base mode. @param sharedSecret - 32 bytes, from the KEM. */
export function hpkeKeySchedule(crypto: Crypto, sharedSecret: Uint8Array, info: Uint8Array): HpkeKeySchedule {
  const context = concatBytes(
    Uint8Array.of(MODE_BASE),
    labeledExtract(crypto, EMPTY, 'psk_id_hash', EMPTY),
    labeledExtract(crypto, EMPTY, 'info_hash', info)
  )
  const secret = labeledExtract(crypto, sharedSecret, 'secret', EMPTY)
  const schedule = {
    key: labeledExpand(crypto, secret, 'key', context, KEY_BYTES),
    baseNonce: labeledExpand(crypto, secret, 'base_nonce', context, AEAD_NONCE_BYTES),
    exporterSecret: labeledExpand(crypto, secret, 'exp', context, KEY_BYTES)
  }
  wipe(secret)
  return schedule
}

/** One direction of an HPKE session; messages are opened in the order they were sealed. */
export class HpkeContext {
  readonly #crypto: Crypto
  readonly #schedule: HpkeKeySchedule
  #sequence = 0

  constructor(crypto: Crypto, schedule: HpkeKeySchedule) {
    this.#crypto = crypto
    this.#schedule = schedule
  }

  /** Encrypts the next message. @returns ciphertext with its 16-byte tag. */
  seal(associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = this.#crypto.chachaSeal(this.#schedule.key, this.#nonce(), plaintext, associatedData)
    this.#sequence++
    return sealed
  }

  /** Decrypts the next message; a failure leaves the context as it was. @throws ProtocolError `DECRYPT_FAILED`. */
  open(associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const opened = this.#crypto.chachaOpen(this.#schedule.key, this.#nonce(), ciphertext, associatedData)
    this.#sequence++
    return opened
  }

  /** Derives a further secret (RFC 9180, section 5.3). @param length - bytes wanted, at most {@link MAX_HKDF_BYTES}. */
  export(exporterContext: Uint8Array, length: number): Uint8Array {
    return labeledExpand(this.#crypto, this.#schedule.exporterSecret, 'sec', exporterContext, length)
  }

  /** Erases the keys; the context is of no use afterwards. */
  wipe(): void {
    wipe(this.#schedule.key, this.#schedule.baseNonce, this.#schedule.exporterSecret)
    this.#sequence = Number.MAX_SAFE_INTEGER
  }

  /** base_nonce XOR the sequence number, big-endian. */
  #nonce(): Uint8Array {
    if (this.#sequence >= Number.MAX_SAFE_INTEGER) throw new ProtocolError('LIMIT_REACHED', 'HPKE context is used up')
    const nonce = Uint8Array.from(this.#schedule.baseNonce)
    for (let i = nonce.length - 1, rest = this.#sequence; rest > 0; i--, rest = Math.floor(rest / 256)) {
      nonce[i]! ^= rest % 256
    }
    return nonce
  }
}

/** SetupBaseS. @throws ProtocolError `BAD_KEY` as {@link Crypto.encapsulate}. */
export async function hpkeSender(
  crypto: Crypto,
  publicKey: Uint8Array,
  info: Uint8Array
): Promise<{ enc: Uint8Array; context: HpkeContext }> {
  const { ciphertext, sharedSecret } = await crypto.encapsulate(publicKey)
  const context = new HpkeContext(crypto, hpkeKeySchedule(crypto, sharedSecret, info))
  wipe(sharedSecret)
  return { enc: ciphertext, context }
}

/** SetupBaseR. @throws ProtocolError `MALFORMED`, `BAD_KEY` as {@link MessagingKey.decapsulate}. */
export async function hpkeReceiver(
  crypto: Crypto,
  key: MessagingKey,
  enc: Uint8Array,
  info: Uint8Array
): Promise<HpkeContext> {
  const sharedSecret = await key.decapsulate(enc)
  const context = new HpkeContext(crypto, hpkeKeySchedule(crypto, sharedSecret, info))
  wipe(sharedSecret)
  return context
}

/**
 * Encrypts one message to an X-Wing public key, single-shot.
 *
 * @returns `enc`, the KEM ciphertext (1120 bytes), and `ciphertext`, 16 bytes longer than the plaintext.
 * @throws ProtocolError `BAD_KEY` as {@link Crypto.encapsulate}.
 */
export async function hpkeSeal(
  crypto: Crypto,
  publicKey: Uint8Array,
  info: Uint8Array,
  associatedData: Uint8Array,
  plaintext: Uint8Array
): Promise<{ enc: Uint8Array; ciphertext: Uint8Array }> {
  const { enc, context } = await hpkeSender(crypto, publicKey, info)
  const ciphertext = context.seal(associatedData, plaintext)
  context.wipe()
  return { enc, ciphertext }
}

/**
 * Opens what {@link hpkeSeal} made.
 *
 * @throws ProtocolError `DECRYPT_FAILED` if anything differs from what was sealed; `MALFORMED` or `BAD_KEY` for an `enc`
 * of a wrong length or with a small-order X25519 key.
 */
export async function hpkeOpen(
  crypto: Crypto,
  key: MessagingKey,
  enc: Uint8Array,
  info: Uint8Array,
  associatedData: Uint8Array,
  ciphertext: Uint8Array
): Promise<Uint8Array> {
  const context = await hpkeReceiver(crypto, key, enc, info)
  try {
    return context.open(associatedData, ciphertext)
  } finally {
    context.wipe()
  }
}

function labeledExtract(crypto: Crypto, salt: Uint8Array, label: string, inputKey: Uint8Array): Uint8Array {
  const labeled = concatBytes(VERSION, SUITE_ID, utf8(label), inputKey)
  return crypto.hkdfExtract(salt, labeled)
}

function labeledExpand(
  crypto: Crypto,
  pseudoRandomKey: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number
): Uint8Array {
  requireInteger('HPKE output length', length, 0, MAX_HKDF_BYTES)
  const labeled = concatBytes(uint16(length), VERSION, SUITE_ID, utf8(label), info)
  return crypto.hkdfExpand(pseudoRandomKey, labeled, length)
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255)
}
