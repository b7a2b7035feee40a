/** Ed25519 from noble, with the equation of the strict rule checked here. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from '../bytes.ts'
import { KEY_BYTES, type SigningKey } from './crypto.ts'
import { passesEd25519Precheck } from './ed25519-precheck.ts'
import { requireBytes } from './parameters.ts'

const { Point } = ed25519

/** The Ed25519 key of a 32-byte seed. @throws ProtocolError `BAD_KEY` for another length. */
export function nobleSigningKey(seed: Uint8Array): SigningKey {
  requireBytes('signing key seed', seed, KEY_BYTES, 'BAD_KEY')
  const secret = Uint8Array.from(seed)
  return {
    publicKey: ed25519.getPublicKey(secret),
    sign: message => Promise.resolve(ed25519.sign(message, secret))
  }
}

/**
 * The strict, cofactorless rule. noble's own `verify` multiplies by the cofactor even with `zip215: false`, so it accepts
 * mixed-order points that every other backend refuses; here SB - kA must be R itself, byte for byte.
 */
export function nobleVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!passesEd25519Precheck(publicKey, signature)) return false
  try {
    const A = Point.fromBytes(publicKey, false)
    const R = signature.subarray(0, KEY_BYTES)
    const S = littleEndian(signature.subarray(KEY_BYTES))
    const k = Point.Fn.create(littleEndian(sha512(concatBytes(R, publicKey, message))))
    return equalBytes(Point.BASE.multiplyUnsafe(S).subtract(A.multiplyUnsafe(k)).toBytes(), R)
  } catch {
    return false
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!)
  return value
}
