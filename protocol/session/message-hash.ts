import type { ConversationId } from '../roster/roster.ts'
import type { Crypto } from '../crypto/crypto.ts'
import type { DeviceId } from '../identity/device.ts'
import { labelledHash } from '../labels.ts'
import type { NetworkId } from '../network.ts'

/** Whose sequence a message is in. */
export interface Sender {
  conversationId: ConversationId
  deviceId: DeviceId
}

/** The predecessor of the message with sequence 0: a hash of no message, 32 bytes. */
export function firstPredecessor(crypto: Crypto, network: NetworkId, sender: Sender): Uint8Array {
  return labelledHash(crypto, 'message-predecessor', network, sender.conversationId, sender.deviceId)
}

/**
 * What the next message names as its predecessor. It does not depend on the session, so a message that is sent again
 * in another one keeps its place in the row, and nothing else fits there.
 *
 * @param content - the encoded message, before padding.
 * @returns 32 bytes.
 */
export function messageHash(
  crypto: Crypto,
  network: NetworkId,
  sender: Sender,
  sequence: number,
  predecessor: Uint8Array,
  content: Uint8Array
): Uint8Array {
  const { conversationId, deviceId } = sender
  return labelledHash(crypto, 'message-predecessor', network, conversationId, deviceId, sequence, predecessor, content)
}
