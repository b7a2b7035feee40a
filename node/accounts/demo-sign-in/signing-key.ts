import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { JWK } from 'oidc-provider'

/** A new ES256 key, secret part included, as oidc-provider takes it. */
export async function exportJwk(): Promise<JWK> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid: 'demo', use: 'sig', alg: 'ES256' } as JWK
}
