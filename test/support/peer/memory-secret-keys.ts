import { randomBytes } from 'node:crypto'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { Secret } from '../../../protocol/secret.ts'
import type { SecretKey, SecretKeys } from '../../../peer/ports.ts'
import { createAesAtRestCipher } from '../../../peer/store/aes-at-rest-cipher.ts'

/** A key of secrets with its bytes, to put it aside beside a copy of a store. */
export interface StoredSecretKey {
  number: number
  since: number
  key: Uint8Array
}

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** Keys of secrets that survive the peer above them, but not the test. */
export function memorySecretKeys(start: StoredSecretKey[] = []): SecretKeys & { stored: StoredSecretKey[] } {
  const crypto = createNodeCrypto()
  const opened = ({ number, since, key }: StoredSecretKey): SecretKey => ({
    number,
    since,
    cipher: createAesAtRestCipher(crypto, new Secret(key), random)
  })
  return {
    stored: [...start],
    location: 'memory',
    async load() {
      return this.stored.map(opened)
    },
    async add(number, since) {
      const stored = { number, since, key: random(32) }
      this.stored = [...this.stored.filter(other => other.number !== number), stored]
      return opened(stored)
    },
    async keepOnly(number) {
      this.stored = this.stored.filter(key => key.number === number)
    }
  }
}
