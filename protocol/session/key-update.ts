/**
 * A fresh conversation key of a device that opens no session. It travels in the channel between two devices, with the
 * acknowledgement of a session that was sealed to an older key, so only devices that seal to this one get it.
 *
 * The device signs it. The secret of the channel alone must not be enough: with it a thief who read a store once could
 * hand over a key of its own, and would read all that is sealed to it from then on.
 */
import type { SigningKey } from '../crypto/crypto.ts'
import type { Environment } from '../environment.ts'
import { ProtocolError } from '../errors.ts'
import type { DeviceId } from '../identity/device.ts'
import { labelled } from '../labels.ts'
import { KEY_UPDATE_PERIOD_MS } from '../limits.ts'
import type { ConversationId } from '../roster/roster.ts'
import { renewOwnKey, updatePeerKey, type OwnKeys, type PeerKey } from './conversation-keys.ts'
import { conversationKeyId } from './seal-key.ts'

/** Whose key it is. */
export interface KeyOwner {
  conversationId: ConversationId
  deviceId: DeviceId
}

/** Fields of a `keyUpdate` message. */
export interface KeyUpdate {
  index: number
  /** X-Wing public key, 1216 bytes. */
  publicKey: Uint8Array
  signature: Uint8Array
}

/** The bytes under the signature of the device. */
function signedBytes(
  { crypto, network }: Environment,
  owner: KeyOwner,
  index: number,
  publicKey: Uint8Array
): Uint8Array {
  const keyId = conversationKeyId(crypto, network, publicKey)
  return labelled('key-update', network, owner.conversationId, owner.deviceId, index, keyId)
}

/**
 * The key that goes with an acknowledgement: the newest if the acknowledged Open was sealed to an older one (or to none of
 * this conversation), a fresh one if the newest has served its time.
 *
 * @param usedOwnIndex - highest own index that the other device has sealed to, `null` for none.
 * @returns `undefined` if the other device has all it needs; `own` is to be stored before the update is sent.
 */
export async function keyUpdateFor(
  env: Environment,
  signingKey: SigningKey,
  owner: KeyOwner,
  own: OwnKeys,
  usedOwnIndex: number | null
): Promise<{ own: OwnKeys; update: KeyUpdate } | undefined> {
  const newest = own.keys.at(-1)
  const isDue = !newest || Math.abs(env.now() - own.renewedAt) >= KEY_UPDATE_PERIOD_MS
  if (!isDue && usedOwnIndex !== null && usedOwnIndex >= newest.index) return undefined
  const renewed = isDue ? await renewOwnKey(env, own) : undefined
  const index = renewed?.index ?? newest!.index
  const key = renewed?.key ?? (await env.crypto.messagingKeyFromSeed(newest!.seed.expose()))
  const { publicKey } = key
  const signature = await signingKey.sign(signedBytes(env, owner, index, publicKey))
  return { own: renewed?.own ?? own, update: { index, publicKey, signature } }
}

/**
 * Takes in a key that came through the channel with its owner.
 *
 * @param signingKey - of the owner, as the directory has it.
 * @param held - what is held of the owner in this conversation.
 * @throws ProtocolError `BAD_SIGNATURE`; `INVALID` if the owner used one index for two keys.
 */
export async function acceptKeyUpdate(
  env: Environment,
  owner: KeyOwner,
  signingKey: Uint8Array,
  held: PeerKey | undefined,
  { index, publicKey, signature }: KeyUpdate
): Promise<PeerKey> {
  if (!(await env.crypto.verify(signingKey, signedBytes(env, owner, index, publicKey), signature))) {
    throw new ProtocolError('BAD_SIGNATURE', 'key update is not signed by its device')
  }
  return updatePeerKey(held, { deviceId: owner.deviceId, index, publicKey, usedOwnIndex: null })
}
