/** Opens as a dishonest device makes them: any content, any signer, any target. */
import { commitmentOf, bodyKey } from '../../../../protocol/session/key-schedule.ts'
import type { SigningKey } from '../../../../protocol/crypto/crypto.ts'
import type { Environment } from '../../../../protocol/environment.ts'
import type { SealTarget } from '../../../../protocol/session/conversation-keys.ts'
import {
  decodeOpenBody,
  encodeOpenBody,
  encodeOpenContent,
  type OpenContent
} from '../../../../protocol/session/open-body.ts'
import { padToMultiple } from '../../../../protocol/session/padding.ts'
import type { SealKeyId } from '../../../../protocol/session/seal-key.ts'
import { sealParts } from '../../../../protocol/session/seal-parts.ts'
import { heldKeysOf, type TestDevice } from './fixtures.ts'

export interface ForgedOpen {
  openBody: Uint8Array
  partTo(device: TestDevice): Promise<Uint8Array>
}

/** A target under the device's weekly key, as at first contact. */
export function weeklyTarget(env: Environment, device: TestDevice): SealTarget {
  return { device: device.listed, keyId: heldKeysOf(env, device)[0]!.keyId, publicKey: device.bundle.weeklyKey }
}

/** Encrypts `content` under `secret`; the parts are signed by `signer`, whoever the content says it is from. */
export function forgeOpen(env: Environment, content: OpenContent, secret: Uint8Array, signer: SigningKey): ForgedOpen {
  const { crypto, network } = env
  const commitment = commitmentOf(crypto, network, secret)
  const { key, nonce } = bodyKey(crypto, network, secret, commitment)
  const padded = padToMultiple(encodeOpenContent(content), 1024)
  const openBody = encodeOpenBody({ suite: 1, commitment, sealed: crypto.chachaSeal(key, nonce, padded, commitment) })
  return { openBody, partTo: device => forgePart(env, openBody, content, secret, signer, weeklyTarget(env, device)) }
}

/** One part for a body that is there already. */
export async function forgePart(
  env: Environment,
  openBody: Uint8Array,
  { context: { sessionId } }: OpenContent,
  secret: Uint8Array,
  signer: SigningKey,
  target: SealTarget
): Promise<Uint8Array> {
  const { commitment } = decodeOpenBody(openBody)
  const source = { sessionId, openBody, commitment, secret, pairingRoot: env.random(32) }
  const { parts, unsealed } = await sealParts(env, signer, source, [target])
  if (!parts[0]) throw unsealed[0]!.error
  return parts[0].part
}

/** A target whose key has another id than its own. */
export function targetUnder(target: SealTarget, keyId: SealKeyId): SealTarget {
  return { ...target, keyId }
}
