/**
 * Each device's own part of an Open: session secret, pairing secret and the sender's signature, sealed to one of the
 * device's keys. The signature is made for this part alone, so a member that knows the session secret cannot seal the
 * body again: not for another device, not to another key of the same device, not with another pairing secret.
 */
import { wipe } from '../bytes.ts'
import type { SigningKey } from '../crypto/crypto.ts'
import { hpkeSender } from '../crypto/hpke.ts'
import type { Environment } from '../environment.ts'
import { ProtocolError } from '../errors.ts'
import type { DeviceId } from '../identity/device.ts'
import { labelled, labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { SessionId } from './context.ts'
import type { SealTarget, Unsealed } from './conversation-keys.ts'
import { encodeOpenPart, joinPartSecrets } from './open-body.ts'
import { pairingCommitment, pairingSecret } from './pairing.ts'
import { sealTag, type SealKeyId } from './seal-key.ts'

/** One recipient's part of an envelope. */
export interface DevicePart {
  deviceId: DeviceId
  /** The recipient's key that it is sealed to. */
  keyId: SealKeyId
  /** About 1.3 KiB, at most `MAX_RECIPIENT_PART_BYTES`. */
  part: Uint8Array
}

/** What the parts of one Open are made from. */
export interface PartSource {
  sessionId: SessionId
  openBody: Uint8Array
  commitment: Uint8Array
  /** The session secret. */
  secret: Uint8Array
  /** Pairing secrets are derived from it. */
  pairingRoot: Uint8Array
}

/** H(body): what every part is bound to. @param openBody - encoded body. @returns 32 bytes. */
export function openBodyHash({ crypto, network }: Environment, openBody: Uint8Array): Uint8Array {
  return labelledHash(crypto, 'session-body', network, openBody)
}

/** What a part is bound to: the recipient, its key, the session secret and the body. */
export interface PartBinding {
  recipient: DeviceId
  keyId: SealKeyId
  commitment: Uint8Array
  /** 32 bytes, of {@link openBodyHash}. */
  bodyHash: Uint8Array
}

/** HPKE `info` of one part: nobody can move the part to another device, key or body. */
export function sealInfo(network: NetworkId, { recipient, keyId, commitment, bodyHash }: PartBinding): Uint8Array {
  return labelled('session-seal', network, recipient, keyId, commitment, bodyHash)
}

/**
 * The bytes under the device signature in a part. Body hash and commitment fix all that the body says: the commitment
 * leaves one session secret, and under that one the body has one content.
 *
 * @param enc - KEM ciphertext of the part.
 * @param pairing - `pairingCommitment` of the pairing secret in the part.
 */
export function partSigningBytes(
  network: NetworkId,
  { recipient, keyId, commitment, bodyHash }: PartBinding,
  enc: Uint8Array,
  pairing: Uint8Array
): Uint8Array {
  return labelled('session-part', network, recipient, keyId, commitment, bodyHash, enc, pairing)
}

/** Seals the part of each target; also for an Open that is sent again. */
export async function sealParts(
  env: Environment,
  signingKey: SigningKey,
  source: PartSource,
  targets: SealTarget[]
): Promise<{ parts: DevicePart[]; unsealed: Unsealed[] }> {
  const bodyHash = openBodyHash(env, source.openBody)
  const parts: DevicePart[] = []
  const unsealed: Unsealed[] = []
  for (const target of targets) {
    const { deviceId } = target.device
    try {
      const part = await sealPart(env, signingKey, source, bodyHash, target)
      parts.push({ deviceId, keyId: target.keyId, part })
    } catch (error) {
      // A device may hand out a key that is none; that must cost only itself.
      if (!(error instanceof ProtocolError)) throw error
      unsealed.push({ deviceId, error })
    }
  }
  return { parts, unsealed }
}

async function sealPart(
  env: Environment,
  signingKey: SigningKey,
  source: PartSource,
  bodyHash: Uint8Array,
  { device, keyId, publicKey }: SealTarget
): Promise<Uint8Array> {
  const { crypto, network } = env
  const { sessionId, commitment, secret } = source
  const binding = { recipient: device.deviceId, keyId, commitment, bodyHash }
  const { enc, context } = await hpkeSender(crypto, publicKey, sealInfo(network, binding))
  const pairing = pairingSecret(crypto, network, source.pairingRoot, sessionId, device.deviceId)
  const signed = partSigningBytes(network, binding, enc, pairingCommitment(crypto, network, pairing))
  const joined = joinPartSecrets({ secret, pairingSecret: pairing, signature: await signingKey.sign(signed) })
  const sealed = context.seal(NO_ASSOCIATED_DATA, joined)
  context.wipe()
  wipe(pairing, joined)
  return encodeOpenPart({ tag: sealTag(crypto, network, keyId, bodyHash), enc, sealed })
}

/** All that a part is bound to stands in {@link sealInfo}. */
export const NO_ASSOCIATED_DATA = new Uint8Array(0)
