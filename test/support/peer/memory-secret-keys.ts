import { randomBytes } from 'node:crypto'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import type { SecretKey, SecretKeys } from '../../../peer/ports.ts'
import { createAesAtRestCipher } from '../../../peer/store/aes-at-rest-cipher.ts'

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** Keys of secrets that survive the peer above them, but not the test. */
export function memorySecretKeys(): SecretKeys & { keys: SecretKey[] } {
  const crypto = createNodeCrypto()
  return {
    keys: [],
    location: 'memory',
    async load() {
      return [...this.keys]
    },
    async add(number, since) {
      const key = { number, since, cipher: createAesAtRestCipher(crypto, random(32), random) }
      this.keys = [...this.keys.filter(other => other.number !== number), key]
      return key
    },
    async keepOnly(number) {
      this.keys = this.keys.filter(key => key.number === number)
    }
  }
}
