/**
 * The few primitives of suite `volo/1`, behind one seam. Three backends implement it (noble, node:crypto, WebCrypto)
 * and pass the same vectors; everything above names algorithms only through this interface.
 *
 * Hashes, MACs, KDFs and ChaCha20-Poly1305 are synchronous; everything with a public key may be asynchronous, because
 * WebCrypto is.
 */

/** Cost parameters of RFC 9106, section 3.1. */
export interface Argon2idParameters {
  /** Memory in KiB (1024 bytes), at least 8 × parallelism. */
  memoryKib: number
  /** Passes over the memory. */
  iterations: number
  /** Lanes. */
  parallelism: number
}

/** An Ed25519 signing key; the secret may be held by the platform and never be readable. */
export interface SigningKey {
  /** 32 bytes, canonical encoding (RFC 8032). */
  readonly publicKey: Uint8Array
  /** @returns the 64-byte signature. */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** An X-Wing decapsulation key (draft-connolly-cfrg-xwing-kem). */
export interface MessagingKey {
  /** {@link MESSAGING_KEY_BYTES} bytes: ML-KEM-768 encapsulation key, then X25519 public key. */
  readonly publicKey: Uint8Array
  /**
   * @param ciphertext - {@link KEM_CIPHERTEXT_BYTES} bytes.
   * @returns 32 bytes. ML-KEM rejects implicitly: a wrong ciphertext gives a wrong secret, which the AEAD refuses.
   * @throws ProtocolError `MALFORMED` for a wrong length, `BAD_KEY` if X25519 gives all zeros.
   */
  decapsulate(ciphertext: Uint8Array): Promise<Uint8Array>
}

/** Bytes of an X-Wing public key. */
export const MESSAGING_KEY_BYTES = 1216
/** Bytes of an X-Wing ciphertext. */
export const KEM_CIPHERTEXT_BYTES = 1120
/** Bytes of an Ed25519 public key, of a session key, of every hash here. */
export const KEY_BYTES = 32
/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64
/** Bytes that an AEAD adds. */
export const AEAD_TAG_BYTES = 16
/** Bytes of an AEAD nonce. */
export const AEAD_NONCE_BYTES = 12
/** Longest output of HKDF-Expand with SHA-256, 255 blocks (RFC 5869, section 2.3). */
export const MAX_HKDF_BYTES = 255 * 32

/** SHA-256 of data that comes in pieces. */
export interface Sha256 {
  update(data: Uint8Array): void
  /** @returns 32 bytes; called once, at the end. */
  digest(): Uint8Array
}

export interface Crypto {
  /** Which implementation this is, for reports. */
  readonly name: 'noble' | 'node' | 'webcrypto'

  sha256(data: Uint8Array): Uint8Array
  /** The same for data that is never whole in memory. */
  createSha256(): Sha256
  sha512(data: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
  /** HKDF-Extract with SHA-256 (RFC 5869). @returns 32 bytes. */
  hkdfExtract(salt: Uint8Array, inputKey: Uint8Array): Uint8Array
  /** HKDF-Expand with SHA-256 (RFC 5869). @param length - at most 255 * 32. */
  hkdfExpand(pseudoRandomKey: Uint8Array, info: Uint8Array, length: number): Uint8Array

  /** ChaCha20-Poly1305 (RFC 8439). @returns ciphertext with the 16-byte tag at its end. */
  chachaSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array
  /** @throws ProtocolError `DECRYPT_FAILED`. */
  chachaOpen(key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, associatedData: Uint8Array): Uint8Array

  /** AES-256-GCM with a 12-byte nonce and a full tag, for bulk data. */
  aesGcmSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Promise<Uint8Array>
  /** @throws ProtocolError `DECRYPT_FAILED`. */
  aesGcmOpen(
    key: Uint8Array,
    nonce: Uint8Array,
    ciphertext: Uint8Array,
    associatedData: Uint8Array
  ): Promise<Uint8Array>

  /** PBKDF2-HMAC-SHA-512 (RFC 8018). */
  pbkdf2Sha512(password: Uint8Array, salt: Uint8Array, iterations: number, length: number): Promise<Uint8Array>
  /** Argon2id (RFC 9106), see `argon2id.ts` for what is accepted. @throws ProtocolError `INVALID`. */
  argon2id(password: Uint8Array, salt: Uint8Array, cost: Argon2idParameters, length: number): Promise<Uint8Array>

  /** The Ed25519 key of a 32-byte seed (RFC 8032, section 5.1.5). */
  signingKeyFromSeed(seed: Uint8Array): Promise<SigningKey>
  /**
   * The one signature rule of Volo: cofactorless equation, canonical A, R and S, small-order A and R refused
   * (as ed25519-dalek's `verify_strict`). Total: any input gives true or false.
   */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>

  /** X25519 (RFC 7748). @throws ProtocolError `BAD_KEY` for an all-zero output or a wrong length. */
  x25519(secretKey: Uint8Array, publicKey: Uint8Array): Promise<Uint8Array>

  /** The X-Wing key of a 32-byte seed. */
  messagingKeyFromSeed(seed: Uint8Array): Promise<MessagingKey>
  /**
   * Encapsulates to an X-Wing public key, with the platform's randomness.
   * @throws ProtocolError `BAD_KEY` for a wrong length, a non-canonical ML-KEM key (FIPS 203, 7.2) or a small-order X25519 key.
   */
  encapsulate(publicKey: Uint8Array): Promise<{ ciphertext: Uint8Array; sharedSecret: Uint8Array }>
}

/** Cryptographically strong random bytes; an argument everywhere, so that tests reach every state. */
export type Random = (length: number) => Uint8Array

/** Milliseconds since 1970, an argument everywhere. */
export type Clock = () => number
