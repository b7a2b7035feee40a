/**
 * Encryption of one frame with one message key: `AEAD(padded ‖ signature)`, where the session key signs
 * `(label, H(ctx), counter, padded)`. The signature is inside, so that only those who can read it see who signed.
 */
import { concatBytes, wipe } from '../bytes.ts'
import { SIGNATURE_BYTES, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { labelled } from '../labels.ts'
import type { SessionId } from './context.ts'
import type { Environment } from '../environment.ts'
import { messageCipherKey } from './key-schedule.ts'
import { decodeMessageFrame, encodeMessageFrame, type MessageFrame } from './message-packet.ts'
import { padToBucket, unpad } from './padding.ts'

/** What a message is bound to besides its key. */
export interface MessageBinding {
  sessionId: SessionId
  /** H(ctx), 32 bytes. */
  contextHash: Uint8Array
  counter: number
}

function signedBytes({ network }: Environment, binding: MessageBinding, padded: Uint8Array): Uint8Array {
  return labelled('session-message', network, binding.contextHash, binding.counter, padded)
}

function associatedData({ network }: Environment, binding: MessageBinding): Uint8Array {
  return labelled('session-packet', network, binding.sessionId, binding.counter)
}

/**
 * @param messageKey - 32 bytes, wiped by the caller.
 * @returns the ciphertext of a packet.
 * @throws ProtocolError `TOO_LARGE` for content past `MAX_CONTENT_BYTES`.
 */
export async function sealFrame(
  env: Environment,
  binding: MessageBinding,
  messageKey: Uint8Array,
  sessionKey: SigningKey,
  frame: MessageFrame
): Promise<Uint8Array> {
  const padded = padToBucket(encodeMessageFrame(frame))
  const signature = await sessionKey.sign(signedBytes(env, binding, padded))
  const { key, nonce } = messageCipherKey(env.crypto, env.network, messageKey)
  const ciphertext = env.crypto.chachaSeal(key, nonce, concatBytes(padded, signature), associatedData(env, binding))
  wipe(key)
  return ciphertext
}

/**
 * @param sessionKey - the Ed25519 public key that the Open named.
 * @throws ProtocolError `DECRYPT_FAILED`, `BAD_SIGNATURE` for one forged by another member, `MALFORMED`.
 */
export async function openFrame(
  env: Environment,
  binding: MessageBinding,
  messageKey: Uint8Array,
  sessionKey: Uint8Array,
  ciphertext: Uint8Array
): Promise<MessageFrame> {
  const { key, nonce } = messageCipherKey(env.crypto, env.network, messageKey)
  let plaintext: Uint8Array
  try {
    plaintext = env.crypto.chachaOpen(key, nonce, ciphertext, associatedData(env, binding))
  } finally {
    wipe(key)
  }
  const padded = plaintext.slice(0, -SIGNATURE_BYTES)
  const signature = plaintext.slice(-SIGNATURE_BYTES)
  if (!(await env.crypto.verify(sessionKey, signedBytes(env, binding, padded), signature))) {
    throw new ProtocolError('BAD_SIGNATURE', 'message is not signed by the session key')
  }
  return decodeMessageFrame(unpad(padded))
}
