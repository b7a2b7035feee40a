import { ChainError } from '../errors.ts'

/** Bech32 as in BIP-173, without its length limit, which Cardano addresses pass (CIP-19). */
const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const CHECKSUM_LENGTH = 6
const MAX_ADDRESS_LENGTH = 200

function polymod(values: number[]): number {
  let checksum = 1
  for (const value of values) {
    const top = checksum >>> 25
    checksum = ((checksum & 0x1ffffff) << 5) ^ value
    GENERATOR.forEach((generator, bit) => {
      if ((top >>> bit) & 1) checksum ^= generator
    })
  }
  return checksum
}

const invalid = (): ChainError => new ChainError('MALFORMED', 'not a Cardano address')

/**
 * The bytes of a Shelley address (CIP-19).
 * @param text - bech32 with prefix `addr` or `addr_test`, lower case.
 * @throws {@link ChainError} `MALFORMED`.
 */
export function decodeAddress(text: string): Uint8Array {
  const separator = text.lastIndexOf('1')
  const prefix = text.slice(0, separator)
  if (text.length > MAX_ADDRESS_LENGTH || (prefix !== 'addr' && prefix !== 'addr_test')) throw invalid()
  const data = [...text.slice(separator + 1)].map(character => ALPHABET.indexOf(character))
  const letters = [...prefix].map(character => character.charCodeAt(0))
  const expanded = [...letters.map(code => code >> 5), 0, ...letters.map(code => code & 31)]
  if (data.length < CHECKSUM_LENGTH || data.includes(-1) || polymod([...expanded, ...data]) !== 1) throw invalid()
  return regroup(data.slice(0, -CHECKSUM_LENGTH))
}

/** From groups of five bits to bytes; the padding must be short and zero. */
function regroup(groups: number[]): Uint8Array {
  const bytes: number[] = []
  let held = 0
  let bits = 0
  for (const group of groups) {
    held = (held << 5) | group
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push(held >> bits)
      held &= (1 << bits) - 1
    }
  }
  if (bits >= 5 || held !== 0) throw invalid()
  return Uint8Array.from(bytes)
}
