import { sign } from 'node:crypto'
import type { AppleKey } from './provider-config.ts'

/** Good for one question: minutes are enough. */
const LIFE_S = 5 * 60

/**
 * What Apple takes in place of a client secret: a JWT that the operator's key signs (ES256).
 * @param audience - Apple's issuer. @param now - milliseconds since 1970.
 */
export function appleClientSecret(
  { teamId, keyId, privateKey }: AppleKey,
  { clientId, audience, now }: { clientId: string; audience: string; now: number }
): string {
  const seconds = Math.floor(now / 1000)
  const header = { alg: 'ES256', kid: keyId }
  const claims = { iss: teamId, iat: seconds, exp: seconds + LIFE_S, aud: audience, sub: clientId }
  const content = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature = sign('sha256', Buffer.from(content), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${content}.${signature.toString('base64url')}`
}
