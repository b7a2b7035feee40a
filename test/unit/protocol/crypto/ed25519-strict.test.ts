import { createHash } from 'node:crypto'
import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex } from '../../../../protocol/bytes.ts'
import { allBackends } from '../../../vectors/backends.ts'

/**
 * Edge vectors made from known discrete logarithms, so that the right verdict follows from how each was made and not from
 * another verifier. With A = aB + iT, R = rB + jT and S = r + ka, the cofactored equation always holds; the cofactorless
 * one holds exactly if (j + ki) mod 8 = 0, T being a point of order 8.
 */
interface EdgeVector {
  name: string
  publicKey: Uint8Array
  message: Uint8Array
  signature: Uint8Array
  strict: boolean
}

const { Point } = ed25519
const L = Point.Fn.ORDER
const P = 2n ** 255n - 19n
const T = ED25519_TORSION_SUBGROUP.map(hex => Point.fromHex(hex, true)).find(point => {
  return !point.multiplyUnsafe(4n).is0()
})!
const torsion = (index: number): typeof T => T.multiplyUnsafe(BigInt(index))

const littleEndian = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n)
const encode = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
const challenge = (R: Uint8Array, A: Uint8Array, message: Uint8Array): bigint =>
  littleEndian(createHash('sha512').update(R).update(A).update(message).digest()) % L
const scalar = (text: string): bigint => littleEndian(createHash('sha512').update(text).digest()) % L
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Spellings of a point: canonical, and those with y + p or a set sign bit on x = 0 that decoders may let through. */
function spellings(point: typeof T): { bytes: Uint8Array; canonical: boolean }[] {
  const { x, y } = point.toAffine()
  const sign = (x & 1n) << 255n
  const made = [{ bytes: encode(y | sign), canonical: true }]
  if (y + P < 2n ** 255n) made.push({ bytes: encode((y + P) | sign), canonical: false })
  if (x === 0n) made.push({ bytes: encode(y | (1n << 255n)), canonical: false })
  return made
}

function mixedOrder(a: bigint, r: bigint, i: number, j: number, message: Uint8Array): EdgeVector[] {
  const point = (factor: bigint, index: number): typeof T => Point.BASE.multiplyUnsafe(factor).add(torsion(index))
  const vectors: EdgeVector[] = []
  for (const A of spellings(point(a, i))) {
    for (const R of spellings(point(r, j))) {
      const k = challenge(R.bytes, A.bytes, message)
      const cofactorless = (BigInt(j) + k * BigInt(i)) % 8n === 0n
      vectors.push({
        name: `A = ${a === 0n ? '0' : 'aB'} + ${i}T, R = ${r === 0n ? '0' : 'rB'} + ${j}T`,
        publicKey: A.bytes,
        message,
        signature: concatBytes(R.bytes, encode((r + k * a) % L)),
        strict: cofactorless && a !== 0n && r !== 0n && A.canonical && R.canonical
      })
    }
  }
  return vectors
}

function edgeVectors(): EdgeVector[] {
  const vectors: EdgeVector[] = []
  const indices = [0, 1, 2, 3, 4, 5, 6, 7]
  for (const i of indices) {
    for (const j of indices) {
      for (let n = 0; n < 6; n++) {
        const name = `${i} ${j} ${n}`
        vectors.push(...mixedOrder(scalar(`a ${name}`), scalar(`r ${name}`), i, j, text(`m ${name}`)))
      }
      const name = `${i} ${j}`
      vectors.push(...mixedOrder(0n, scalar(`r ${name}`), i, j, text(name)))
      vectors.push(...mixedOrder(scalar(`a ${name}`), 0n, i, j, text(name)))
      vectors.push(...mixedOrder(0n, 0n, i, j, text(name)))
    }
  }
  const honest = Array.from(
    { length: 12 },
    (_, n) => mixedOrder(scalar(`x${n}`), scalar(`y${n}`), 0, 0, text(`${n}`))[0]!
  )
  vectors.push(...honest)
  for (const vector of honest) {
    const [R, S] = [vector.signature.slice(0, 32), littleEndian(vector.signature.slice(32))]
    for (let m = 1n; S + m * L < 2n ** 256n; m++) {
      vectors.push({ ...vector, name: `S + ${m}L`, signature: concatBytes(R, encode(S + m * L)), strict: false })
    }
  }
  const [vector] = honest
  for (let bit = 0; bit < 512; bit += 7) {
    const signature = Uint8Array.from(vector!.signature)
    signature[bit >> 3]! ^= 1 << (bit & 7)
    vectors.push({ ...vector!, name: `bit ${bit} of the signature`, signature, strict: false })
  }
  for (let y = P; y < 2n ** 255n; y++) {
    for (const sign of [0n, 1n << 255n]) {
      vectors.push({ ...vector!, name: 'A with y past p', publicKey: encode(y | sign), strict: false })
      const signature = concatBytes(encode(y | sign), vector!.signature.slice(32))
      vectors.push({ ...vector!, name: 'R with y past p', signature, strict: false })
    }
  }
  const zeroS = concatBytes(vector!.signature.slice(0, 32), new Uint8Array(32))
  vectors.push({ ...vector!, name: 'S = 0', signature: zeroS, strict: false })
  return vectors
}

describe('the strict Ed25519 rule', async () => {
  const vectors = edgeVectors()
  const backends = await allBackends()

  it('is put to at least 900 edge vectors, of which some are valid beyond the plain case', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(900)
    expect(vectors.filter(vector => vector.strict && !vector.name.includes('0T')).length).toBeGreaterThan(20)
    expect(vectors.filter(vector => !vector.strict).length).toBeGreaterThan(700)
  })

  it('is sharper than ZIP 215 on vectors that hold under the cofactored equation', () => {
    const lenient = vectors.filter(vector => vector.name.startsWith('A = '))
    for (const { publicKey, message, signature, name } of lenient.filter((_, index) => index % 10 === 0)) {
      expect(ed25519.verify(signature, message, publicKey, { zip215: true }), name).toBe(true)
    }
    expect(lenient.filter(vector => !vector.strict).length).toBeGreaterThan(300)
  })

  for (const crypto of backends) {
    it(`is what the ${crypto.name} backend does on all of them`, async () => {
      const wrong: string[] = []
      for (const { name, publicKey, message, signature, strict } of vectors) {
        if ((await crypto.verify(publicKey, message, signature)) !== strict) wrong.push(name)
      }
      expect(wrong).toEqual([])
    })
  }

  it('accepts no forgery under a small-order key, for which anybody can make one', async () => {
    for (const hex of ED25519_TORSION_SUBGROUP) {
      for (let n = 0; n < 16; n++) {
        const signature = concatBytes(fromHex(hex), new Uint8Array(32))
        for (const crypto of backends) expect(await crypto.verify(fromHex(hex), text(`${n}`), signature)).toBe(false)
      }
    }
  })
})
