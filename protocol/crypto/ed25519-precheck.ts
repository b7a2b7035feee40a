/**
 * The part of the strict Ed25519 rule that needs no curve arithmetic, shared by all backends so that they cannot
 * differ in it. Platforms disagree here (Chromium accepts small-order keys, for which everyone can forge signatures).
 */
import { KEY_BYTES, SIGNATURE_BYTES } from './crypto.ts'

/** y of the eight points whose order divides 8, little-endian; a point and its negative share theirs. */
const SMALL_ORDER_Y = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'
].map(hex => Uint8Array.from({ length: KEY_BYTES }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)))

/** The order of the prime-order subgroup, L = 2^252 + 27742317777372353535851937790883648493, big-endian. */
const GROUP_ORDER = [
  0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7, 0x9c, 0xd6, 0x58, 0x12, 0x63,
  0x1a, 0x5c, 0xf5, 0xd3, 0xed
]

/**
 * Whether a key and signature may go to curve arithmetic: right lengths, A and R encoded with y < p, neither of them of
 * small order, and S < L. Whether A is on the curve and SB = R + kA remains to be checked.
 *
 * @param publicKey - A, 32 bytes.
 * @param signature - R then S, 64 bytes.
 */
export function passesEd25519Precheck(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return (
    publicKey instanceof Uint8Array &&
    publicKey.length === KEY_BYTES &&
    signature instanceof Uint8Array &&
    signature.length === SIGNATURE_BYTES &&
    isAcceptablePoint(publicKey) &&
    isAcceptablePoint(signature.subarray(0, KEY_BYTES)) &&
    isReducedScalar(signature.subarray(KEY_BYTES))
  )
}

/** Canonical y and not of small order. The encodings of x = 0 with a set sign bit fall under small order too. */
function isAcceptablePoint(point: Uint8Array): boolean {
  return isCanonicalY(point) && !SMALL_ORDER_Y.some(y => hasY(point, y))
}

/** y < p = 2^255 - 19: only 19 encodings, ed ff … ff 7f to ff ff … ff 7f, are out of range. */
function isCanonicalY(point: Uint8Array): boolean {
  if ((point[31]! & 0x7f) !== 0x7f || point[0]! < 0xed) return true
  for (let i = 1; i < 31; i++) if (point[i] !== 0xff) return true
  return false
}

function hasY(point: Uint8Array, y: Uint8Array): boolean {
  if ((point[31]! & 0x7f) !== y[31]) return false
  for (let i = 0; i < 31; i++) if (point[i] !== y[i]) return false
  return true
}

function isReducedScalar(scalar: Uint8Array): boolean {
  for (let i = 0; i < KEY_BYTES; i++) {
    const difference = scalar[31 - i]! - GROUP_ORDER[i]!
    if (difference !== 0) return difference < 0
  }
  return false
}
