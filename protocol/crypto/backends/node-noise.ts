/** The ciphers of libp2p's Noise from node:crypto, for links and connections of nodes and command-line peers. */
import type { ICryptoInterface } from '@libp2p/noise'
import { defaultCrypto } from '@libp2p/noise/crypto'
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { AEAD_TAG_BYTES } from '../crypto.ts'

/** Shorter packets are left to @libp2p/noise: its WebAssembly is faster there. */
const FROM_BYTES = 400
const ALGORITHM = 'chacha20-poly1305'

/** Keys as node:crypto wants them: given bytes, Node 24 finds out by catching errors that they are none. */
const keys = new WeakMap<Uint8Array, KeyObject>()

function keyObject(key: Uint8Array): KeyObject {
  let object = keys.get(key)
  // A connection has one array for each direction, which lives as long and never changes.
  if (object === undefined) keys.set(key, (object = createSecretKey(key)))
  return object
}

/** What @libp2p/noise uses by itself, but in a third of the time for the packets that carry messages. */
export const nodeNoiseCrypto: ICryptoInterface = {
  ...defaultCrypto,
  chaCha20Poly1305Encrypt(plaintext, nonce, associatedData, key) {
    const { byteLength } = plaintext
    if (byteLength < FROM_BYTES) return defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, associatedData, key)
    const cipher = createCipheriv(ALGORITHM, keyObject(key), nonce, { authTagLength: AEAD_TAG_BYTES })
    cipher.setAAD(associatedData, { plaintextLength: byteLength })
    const sealed = Buffer.allocUnsafe(byteLength + AEAD_TAG_BYTES)
    sealed.set(cipher.update(plaintext.subarray()))
    cipher.final()
    sealed.set(cipher.getAuthTag(), byteLength)
    return sealed
  },
  /** @throws Error if the packet was changed. */
  chaCha20Poly1305Decrypt(ciphertext, nonce, associatedData, key, into) {
    if (ciphertext.byteLength < FROM_BYTES) {
      return defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, associatedData, key, into)
    }
    const sealed = ciphertext.subarray()
    const length = sealed.length - AEAD_TAG_BYTES
    const decipher = createDecipheriv(ALGORITHM, keyObject(key), nonce, { authTagLength: AEAD_TAG_BYTES })
    decipher.setAAD(associatedData, { plaintextLength: length })
    decipher.setAuthTag(sealed.subarray(length))
    const opened = decipher.update(sealed.subarray(0, length))
    decipher.final()
    return opened
  }
}
