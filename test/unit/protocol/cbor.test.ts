import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../protocol/bytes.ts'
import { decodeCbor, encodeCbor, type Cbor, type CborLimits } from '../../../protocol/cbor.ts'
import { ProtocolError } from '../../../protocol/errors.ts'

const LIMITS: CborLimits = { maxBytes: 4096 }
const code = (value: string): unknown => expect.objectContaining({ name: 'ProtocolError', code: value })

/** Every value the encoder promises to carry, nested at most five deep. */
const { value: anyCbor } = fc.letrec<{ value: Cbor }>(tie => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 30 }),
    fc.array(tie('value'), { maxLength: 6 })
  )
}))

describe('canonical CBOR', () => {
  it.each<[Cbor, string]>([
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [255, '18ff'],
    [256, '190100'],
    [65536, '1a00010000'],
    [2 ** 32, '1b0000000100000000'],
    [Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
    [-1, '20'],
    [-256, '38ff'],
    [2n ** 64n - 1n, '1bffffffffffffffff'],
    [true, 'f5'],
    [false, 'f4'],
    [null, 'f6'],
    ['ü', '62c3bc'],
    [Uint8Array.of(1, 2), '420102'],
    [[], '80'],
    [[1, [2, 'a']], '8201820261' + '61']
  ])('writes %s as RFC 8949 says, %s', (value, hex) => {
    expect(toHex(encodeCbor(value))).toBe(hex)
    expect(decodeCbor(fromHex(hex), LIMITS)).toEqual(value)
  })

  it('reads back whatever it wrote', () => {
    fc.assert(
      fc.property(anyCbor, value => {
        expect(decodeCbor(encodeCbor(value), LIMITS)).toEqual(value)
      }),
      { numRuns: 500 }
    )
  })

  it('carries text that begins with a byte order mark', () => {
    for (const text of ['\ufeff', '\ufeffhello', 'a\ufeff', '\ufeff'.repeat(40)]) {
      expect(decodeCbor(encodeCbor(text), LIMITS)).toBe(text)
    }
  })

  it.each([
    ['an integer longer than needed', '1817'],
    ['a 16-bit integer that fits 8', '1900ff'],
    ['a 32-bit integer that fits 16', '1a0000ffff'],
    ['a 64-bit integer that fits 32', '1b00000000ffffffff'],
    ['a negative integer longer than needed', '3801'],
    ['a byte string length longer than needed', '580100'],
    ['a text length longer than needed', '780161'],
    ['an array length longer than needed', '980101'],
    ['an indefinite byte string', '5f4101ff'],
    ['an indefinite text', '7f6161ff'],
    ['an indefinite array', '9f01ff'],
    ['a map', 'a10102'],
    ['an empty map', 'a0'],
    ['an indefinite map', 'bf0102ff'],
    ['a tag', 'c11a514b67b0'],
    ['a bignum', 'c249010000000000000000'],
    ['undefined', 'f7'],
    ['a simple value', 'f0'],
    ['a simple value in two bytes', 'f8ff'],
    ['true in two bytes', 'f815'],
    ['a half float', 'f93c00'],
    ['a single float', 'fa47c35000'],
    ['a double', 'fb3ff199999999999a'],
    ['NaN', 'f97e00'],
    ['a lone break', 'ff'],
    ['a reserved length', '1c'],
    ['nothing', ''],
    ['two values', '0000'],
    ['a byte after the value', '810100'],
    ['an array that ends early', '8201'],
    ['a byte string that ends early', '4201'],
    ['a length that ends early', '19'],
    ['an array of 2^64 - 1 items', '9bffffffffffffffff'],
    ['a byte string of 2^64 - 1 bytes', '5bffffffffffffffff'],
    ['text that is not UTF-8', '62c328'],
    ['text with an overlong encoding', '62c080'],
    ['text with an encoded surrogate', '63eda080'],
    ['a map within an array', '81a10102']
  ])('refuses %s', (_, hex) => {
    expect(() => decodeCbor(fromHex(hex), LIMITS)).toThrow(code('MALFORMED'))
  })

  it('accepts no second spelling of a value: each one-byte neighbour is refused or means something else', () => {
    const value: Cbor = [1, 300, 'text', Uint8Array.of(9, 9), [null, true, [-5]], 2 ** 40]
    const bytes = encodeCbor(value)
    for (const i of bytes.keys()) {
      for (let byte = 0; byte < 256; byte++) {
        if (byte === bytes[i]) continue
        const neighbour = Uint8Array.from(bytes)
        neighbour[i] = byte
        let decoded: Cbor
        try {
          decoded = decodeCbor(neighbour, LIMITS)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
          continue
        }
        expect(decoded).not.toEqual(value)
        expect(encodeCbor(decoded)).toEqual(neighbour)
      }
    }
  })

  it('bounds size, depth and number of items', () => {
    const nested = (depth: number): Uint8Array => Uint8Array.from([...Array<number>(depth).fill(0x81), 0x00])
    expect(() => decodeCbor(new Uint8Array(4097), LIMITS)).toThrow(code('TOO_LARGE'))
    expect(decodeCbor(nested(8), LIMITS)).toBeDefined()
    expect(() => decodeCbor(nested(9), LIMITS)).toThrow(code('TOO_LARGE'))
    expect(() => decodeCbor(nested(4000), LIMITS)).toThrow(code('TOO_LARGE'))
    expect(decodeCbor(fromHex('81820102'), { maxBytes: 10, maxDepth: 2 })).toEqual([[1, 2]])
    expect(() => decodeCbor(fromHex('81820102'), { maxBytes: 10, maxDepth: 1 })).toThrow(code('TOO_LARGE'))
    const many = encodeCbor(Array<number>(100).fill(0))
    expect(decodeCbor(many, { maxBytes: 200, maxItems: 101 })).toHaveLength(100)
    expect(() => decodeCbor(many, { maxBytes: 200, maxItems: 100 })).toThrow(code('TOO_LARGE'))
  })

  it('answers random bytes with a canonical value or a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        try {
          expect(encodeCbor(decodeCbor(bytes, LIMITS))).toEqual(bytes)
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
        }
      }),
      { numRuns: 5000 }
    )
  })

  it('answers damaged encodings with a canonical value or a ProtocolError', () => {
    fc.assert(
      fc.property(anyCbor, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(), (value, position, mask, length) => {
        const bytes = encodeCbor(value)
        bytes[position % bytes.length]! ^= mask
        const cut = bytes.subarray(0, length % 3 === 0 ? length % (bytes.length + 1) : bytes.length)
        try {
          expect(encodeCbor(decodeCbor(cut, LIMITS))).toEqual(cut)
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
        }
      }),
      { numRuns: 3000 }
    )
  })

  it('reads bytes that are a view into something larger', () => {
    const larger = Uint8Array.from([0xff, 0x82, 0x01, 0x61, 0x61, 0xff])
    expect(decodeCbor(larger.subarray(1, 5), LIMITS)).toEqual([1, 'a'])
    expect(decodeCbor(Buffer.from(larger).subarray(1, 5), LIMITS)).toEqual([1, 'a'])
    expect(utf8('a')).toEqual(Uint8Array.of(0x61))
  })
})
