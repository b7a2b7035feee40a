/**
 * The code that adds a device: 16 random bytes, as twelve words of BIP-39 or inside a QR code. It is random, so that its key
 * derivation needs no slow hash; see docs/decisions/0012-linking.md.
 */
import { base64urlnopad } from '@scure/base'
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import type { Brand } from '../brand.ts'
import { bytes, constant, decode, encode, list, struct, text, uint } from '../codec.ts'
import type { Random } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import type { NetworkId } from '../network.ts'
import { isNodeOrigin } from '../node-origin.ts'

/** 16 random bytes, good for one linking. */
export type LinkSecret = Brand<Uint8Array, 'LinkSecret'>

/** 128 bits. */
export const LINK_SECRET_BYTES = 16
/** Words of a code; the last one has four bits of checksum. */
export const LINK_CODE_WORDS = 12
/** The first letters that tell one word from all others (BIP-39). */
const WORD_BEGINNING = 4
/** Longest text that is looked at. */
const MAX_CODE_TEXT = 2_000
/** Of the network's id: enough to tell a person that a code is of another network. */
const NETWORK_BYTES = 8
const MAX_ORIGINS = 3
const MAX_ORIGIN_LENGTH = 256
const QR_PATH = '#/link/'

const qrCodec = struct({
  version: constant(1),
  secret: bytes<LinkSecret>(LINK_SECRET_BYTES),
  network: bytes(NETWORK_BYTES),
  /** Milliseconds since 1970, by the old device's clock. */
  expiresAt: uint(),
  origins: list(text(MAX_ORIGIN_LENGTH), MAX_ORIGINS, 1)
})

/** What a code says. The words carry the secret alone. */
export interface LinkCode {
  secret: LinkSecret
  /** Beginning of the network's id, 8 bytes; null in words. */
  network: Uint8Array | null
  /** Milliseconds since 1970; null in words. */
  expiresAt: number | null
  /** Nodes to start from; none in words. */
  origins: string[]
}

/** Makes the secret of a new code. The caller wipes it. */
export function createLinkSecret(random: Random): LinkSecret {
  return random(LINK_SECRET_BYTES) as LinkSecret
}

/** The code as twelve words with spaces between them. */
export function formatLinkWords(secret: LinkSecret): string {
  return entropyToMnemonic(secret, wordlist)
}

/**
 * The text of the QR code: an address of the app, so that a phone's own camera opens it. The code is in the fragment, which
 * browsers send to nobody.
 *
 * @param origins - of nodes, the one to open first; at most {@link MAX_ORIGINS} are kept.
 */
export function formatLinkAddress(
  network: NetworkId,
  { secret, expiresAt, origins }: Pick<LinkCode, 'secret' | 'origins'> & { expiresAt: number }
): string {
  const kept = origins.slice(0, MAX_ORIGINS)
  const code = { version: 1 as const, secret, network: network.slice(0, NETWORK_BYTES), expiresAt, origins: kept }
  return `${kept[0]}/${QR_PATH}${base64urlnopad.encode(encode(qrCodec, code))}`
}

/**
 * Reads a code as people type it, or the text of a QR code.
 *
 * Capitals, commas and line breaks do not matter, and the first four letters of a word are enough.
 *
 * @throws ProtocolError `MALFORMED` if it is no code, with the first word that is not in the list in its message; `INVALID`
 * if the words do not fit together: one is wrong, or two have changed places.
 */
export function parseLinkCode(typed: string): LinkCode {
  const text = typed.slice(0, MAX_CODE_TEXT).trim()
  const at = text.indexOf(QR_PATH)
  return at < 0 ? parseWords(text) : parseAddress(text.slice(at + QR_PATH.length))
}

function parseAddress(payload: string): LinkCode {
  try {
    const { secret, network, expiresAt, origins } = decode(qrCodec, base64urlnopad.decode(payload), { maxBytes: 1024 })
    return { secret, network, expiresAt, origins: origins.filter(isNodeOrigin) }
  } catch (cause) {
    throw new ProtocolError('MALFORMED', 'the QR code is not one of Volo for adding a device', { cause })
  }
}

function parseWords(text: string): LinkCode {
  const typed = text.toLowerCase().match(/[a-z]+/g) ?? []
  if (typed.length !== LINK_CODE_WORDS) {
    throw new ProtocolError('MALFORMED', `a code has ${LINK_CODE_WORDS} words, got ${typed.length}`)
  }
  const words = typed.map(wordOf)
  try {
    const secret = mnemonicToEntropy(words.join(' '), wordlist) as LinkSecret
    return { secret, network: null, expiresAt: null, origins: [] }
  } catch (cause) {
    throw new ProtocolError('INVALID', 'a word of the code is wrong, or two have changed places', { cause })
  }
}

function wordOf(typed: string): string {
  const found = wordlist.find(
    word => word === typed || (typed.length >= WORD_BEGINNING && word.slice(0, WORD_BEGINNING) === typed)
  )
  if (found !== undefined) return found
  throw new ProtocolError('MALFORMED', 'a word of the code is not in the list')
}
