/**
 * Encryption of one chunk. The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015): the nonce holds the
 * index and the final mark, so chunks that are left out, repeated, moved or cut off do not open.
 */
import { wipe } from '../bytes.ts'
import { AEAD_NONCE_BYTES, KEY_BYTES } from '../crypto/crypto.ts'
import type { Environment } from '../environment.ts'
import { labelled } from '../labels.ts'
import { requireBytes } from '../crypto/parameters.ts'
import { FILE_VERSION, type FileLayout } from './file-layout.ts'

/** What the cipher of a file is given from outside. */
export type FileEnvironment = Pick<Environment, 'crypto' | 'network'>

/** Seals and opens the chunks of one file. Wiped by {@link ChunkCipher.wipe}. */
export class ChunkCipher {
  readonly #env: FileEnvironment
  readonly #layout: FileLayout
  readonly #chunkKey: Uint8Array

  /**
   * @param key - 32 bytes, of this file alone.
   * @throws ProtocolError `BAD_KEY` for another length.
   */
  constructor(env: FileEnvironment, layout: FileLayout, key: Uint8Array) {
    requireBytes('key', key, KEY_BYTES, 'BAD_KEY')
    this.#env = env
    this.#layout = layout
    this.#chunkKey = env.crypto.hkdfExpand(key, labelled('file-key', env.network), KEY_BYTES)
  }

  /** Only ever called once for each index: a repeated nonce with other content gives away both. */
  seal(index: number, plaintext: Uint8Array): Promise<Uint8Array> {
    return this.#env.crypto.aesGcmSeal(this.#chunkKey, this.#nonce(index), plaintext, this.#associatedData())
  }

  /** @throws ProtocolError `DECRYPT_FAILED`. */
  open(index: number, stored: Uint8Array): Promise<Uint8Array> {
    return this.#env.crypto.aesGcmOpen(this.#chunkKey, this.#nonce(index), stored, this.#associatedData())
  }

  wipe(): void {
    wipe(this.#chunkKey)
  }

  /** The index as 11 bytes, big-endian, then 1 for the last chunk, else 0. */
  #nonce(index: number): Uint8Array {
    const nonce = new Uint8Array(AEAD_NONCE_BYTES)
    new DataView(nonce.buffer).setUint32(AEAD_NONCE_BYTES - 5, index)
    nonce[AEAD_NONCE_BYTES - 1] = index === this.#layout.chunks - 1 ? 1 : 0
    return nonce
  }

  /** The size is here, so that a wrong one opens nothing: padding needs no end mark. */
  #associatedData(): Uint8Array {
    return labelled('file-chunk', this.#env.network, FILE_VERSION, this.#layout.size)
  }
}
