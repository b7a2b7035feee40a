/**
 * A word that a person wants to hear of strangers before their messages are shown as requests. Who knows it proves so inside the sealed
 * message: neither a node nor a person who was written to by mistake gets the word itself.
 */
import { equalSecrets, utf8 } from '../bytes.ts'
import type { Crypto } from '../crypto/crypto.ts'
import { labelled } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { AccountId } from './device.ts'

/** Longest word, in UTF-16 code units. */
export const MAX_FIRST_WORD_UNITS = 64

/** The two people of a proof: it counts for them only. */
export interface FirstContact {
  stranger: AccountId
  owner: AccountId
}

/** Capitals, outer blanks and forms of letters make no other word: people say it to each other. */
export const foldedFirstWord = (word: string): string => word.normalize('NFKC').toLowerCase().trim()

/** @returns 32 bytes. */
export function firstWordProof(crypto: Crypto, network: NetworkId, word: string, pair: FirstContact): Uint8Array {
  return crypto.hmacSha256(utf8(foldedFirstWord(word)), labelled('first-word', network, pair.stranger, pair.owner))
}

/** Whether a stranger has proven to know a word. */
export function isFirstWordProof(
  crypto: Crypto,
  network: NetworkId,
  word: string,
  pair: FirstContact,
  proof: Uint8Array
): boolean {
  return equalSecrets(firstWordProof(crypto, network, word, pair), proof)
}
