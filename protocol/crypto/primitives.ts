/**
 * What every backend has below the seam: the parts X-Wing is made of. Protocol code never sees these; the vector
 * runner and {@link file://./x-wing.ts} do.
 */
import type { Crypto } from './crypto.ts'

/** Bytes of an ML-KEM-768 encapsulation key (FIPS 203, table 3). */
export const ML_KEM_PUBLIC_KEY_BYTES = 1184
/** Bytes of an ML-KEM-768 ciphertext. */
export const ML_KEM_CIPHERTEXT_BYTES = 1088
/** Bytes of an ML-KEM-768 seed, d then z. */
export const ML_KEM_SEED_BYTES = 64

/** A ciphertext and the 32-byte secret inside it. */
export interface Encapsulation {
  ciphertext: Uint8Array
  sharedSecret: Uint8Array
}

/** An ML-KEM-768 decapsulation key. */
export interface MlKemKey {
  /** {@link ML_KEM_PUBLIC_KEY_BYTES} bytes. */
  readonly publicKey: Uint8Array
  /**
   * @returns 32 bytes; a wrong ciphertext of the right length gives a wrong secret (implicit rejection).
   * @throws ProtocolError `MALFORMED` for a wrong length.
   */
  decapsulate(ciphertext: Uint8Array): Promise<Uint8Array>
}

/** An X25519 secret key. */
export interface X25519Key {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** @throws ProtocolError `BAD_KEY` for a wrong length or an all-zero output. */
  agree(publicKey: Uint8Array): Promise<Uint8Array>
}

export interface Primitives {
  sha3_256(data: Uint8Array): Uint8Array
  shake256(data: Uint8Array, length: number): Uint8Array

  /** @throws ProtocolError `BAD_KEY` for anything but 32 bytes. */
  x25519KeyFromSecret(secret: Uint8Array): Promise<X25519Key>
  /** A fresh key for one agreement. */
  generateX25519Key(): Promise<X25519Key>

  /** @throws ProtocolError `BAD_KEY` for anything but {@link ML_KEM_SEED_BYTES} bytes. */
  mlKemKeyFromSeed(seed: Uint8Array): Promise<MlKemKey>
  /** @throws ProtocolError `BAD_KEY` for a wrong length or a coefficient past the modulus (FIPS 203, 7.2). */
  mlKemEncapsulate(publicKey: Uint8Array): Promise<Encapsulation>
  /**
   * The same with the 32-byte message given, for vectors only: a repeated message reveals that two secrets are equal.
   * Absent where the platform always draws its own.
   */
  mlKemEncapsulateDerandomised?(publicKey: Uint8Array, message: Uint8Array): Promise<Encapsulation>
}

/** A backend together with its primitives. */
export interface CryptoWithPrimitives extends Crypto {
  readonly primitives: Primitives
}
