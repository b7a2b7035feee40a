import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import { createWebCrypto } from '../../protocol/crypto/backends/web-crypto.ts'
import { createNobleCrypto } from '../../protocol/crypto/noble.ts'
import type { CryptoWithPrimitives } from '../../protocol/crypto/primitives.ts'

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

/** All backends of the crypto seam, as they run in this process. */
export async function allBackends(): Promise<CryptoWithPrimitives[]> {
  return [createNobleCrypto(random), createNodeCrypto(), await createWebCrypto(crypto.subtle, random)]
}
