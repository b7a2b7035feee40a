/**
 * Changes of a group on their way beside an Open: whoever can read the Open can read them, and nobody else. They are not part
 * of its body, because a device that is new to the group needs all of them and the others only the last.
 *
 * ```
 * key ‖ nonce = HKDF-SHA-256(ikm SK, salt, info L(group-log-key, session id)) → 32 ‖ 12
 * sealed log  = salt 16 ‖ AEAD(pad([change, …]), AAD L(group-log, session id))
 * ```
 *
 * The sender's signature does not cover them: each change has its own, and the Open names the last ones.
 */
import { concatBytes, wipe } from '../bytes.ts'
import { bytesBetween, decode, encode, list } from '../codec.ts'
import type { Crypto } from '../crypto/crypto.ts'
import type { Environment } from '../environment.ts'
import { ProtocolError } from '../errors.ts'
import { labelled } from '../labels.ts'
import { MAX_GROUP_CHANGE_BYTES, MAX_SEALED_GROUP_LOG_BYTES } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import type { SessionId } from '../session/context.ts'
import { oneTimeKey, type OneTimeKey } from '../session/key-schedule.ts'
import { BODY_PADDING_BYTES, padToMultiple, unpad } from '../session/padding.ts'

const SALT_BYTES = 16
/** More never fit: a change has a signature of 64 bytes and a key of 32. */
const MAX_CHANGES = MAX_SEALED_GROUP_LOG_BYTES / 96
const changesCodec = list(bytesBetween(1, MAX_GROUP_CHANGE_BYTES + 128), Math.ceil(MAX_CHANGES))

/**
 * Seals changes to those who get the session secret. Each call uses a key of its own.
 * @throws ProtocolError `TOO_LARGE` past {@link MAX_SEALED_GROUP_LOG_BYTES}.
 */
export function sealGroupLog(
  { crypto, network, random }: Environment,
  secret: Uint8Array,
  sessionId: SessionId,
  encodedChanges: Uint8Array[]
): Uint8Array {
  const salt = random(SALT_BYTES)
  const { key, nonce } = logKey(crypto, network, secret, sessionId, salt)
  const padded = padToMultiple(encode(changesCodec, encodedChanges), BODY_PADDING_BYTES)
  const sealed = concatBytes(salt, crypto.chachaSeal(key, nonce, padded, labelled('group-log', network, sessionId)))
  wipe(key)
  if (sealed.length > MAX_SEALED_GROUP_LOG_BYTES) {
    throw new ProtocolError('TOO_LARGE', `a sealed log has at most ${MAX_SEALED_GROUP_LOG_BYTES} bytes`)
  }
  return sealed
}

/** What {@link sealGroupLog} sealed. @throws ProtocolError `DECRYPT_FAILED`, `MALFORMED`, `TOO_LARGE`. */
export function openGroupLog(
  { crypto, network }: Pick<Environment, 'crypto' | 'network'>,
  secret: Uint8Array,
  sessionId: SessionId,
  sealed: Uint8Array
): Uint8Array[] {
  if (sealed.length > MAX_SEALED_GROUP_LOG_BYTES) throw new ProtocolError('TOO_LARGE', 'sealed log is too long')
  const salt = sealed.slice(0, SALT_BYTES)
  const { key, nonce } = logKey(crypto, network, secret, sessionId, salt)
  const padded = crypto.chachaOpen(key, nonce, sealed.slice(SALT_BYTES), labelled('group-log', network, sessionId))
  wipe(key)
  return decode(changesCodec, unpad(padded), {
    maxBytes: padded.length,
    maxDepth: 1,
    maxItems: Math.ceil(MAX_CHANGES) + 1
  })
}

function logKey(
  crypto: Crypto,
  network: NetworkId,
  secret: Uint8Array,
  sessionId: SessionId,
  salt: Uint8Array
): OneTimeKey {
  const extracted = crypto.hkdfExtract(salt, secret)
  const derived = oneTimeKey(crypto, extracted, labelled('group-log-key', network, sessionId))
  wipe(extracted)
  return derived
}
