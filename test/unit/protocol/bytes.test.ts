import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareBytes,
  concatBytes,
  equalBytes,
  equalSecrets,
  fromHex,
  toHex,
  utf8,
  wipe
} from '../../../protocol/bytes.ts'

const malformed = expect.objectContaining({ name: 'ProtocolError', code: 'MALFORMED' }) as unknown

describe('byte strings', () => {
  it('come back from hex as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array(), bytes => {
        expect(fromHex(toHex(bytes))).toEqual(bytes)
      })
    )
    expect(toHex(Uint8Array.of(0, 15, 255))).toBe('000fff')
  })

  it.each(['0', 'AB', '0g', ' 00', '00 ', '0x00', '00\n', 'é0'])('are not read from %j', text => {
    expect(() => fromHex(text)).toThrow(malformed)
  })

  it('are read from hex only in the expected length', () => {
    expect(fromHex('0102', 2)).toEqual(Uint8Array.of(1, 2))
    expect(() => fromHex('0102', 3)).toThrow(malformed)
  })

  it('of text are what the platform writes, lone surrogates included', () => {
    const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string())
    const lone = fc.array(fc.integer({ min: 0xd700, max: 0xe0ff }), { maxLength: 12 }).map(units => {
      return String.fromCharCode(...units)
    })
    fc.assert(
      fc.property(fc.oneof(anyText, lone), text => {
        expect(utf8(text)).toEqual(new TextEncoder().encode(text))
      }),
      { numRuns: 1000 }
    )
  })

  it('are equal exactly if they are the same, by either comparison', () => {
    const near = fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .chain(bytes => fc.tuple(fc.constant(bytes), fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 })))
    fc.assert(
      fc.property(near, ([bytes, index, mask]) => {
        const other = Uint8Array.from(bytes)
        for (const equal of [equalBytes, equalSecrets]) expect(equal(bytes, other)).toBe(true)
        other[index]! ^= mask
        for (const equal of [equalBytes, equalSecrets]) {
          expect(equal(bytes, other)).toBe(false)
          expect(equal(bytes, bytes.subarray(1))).toBe(false)
        }
      })
    )
  })

  it('are in the order of the platform, shorter first on a tie', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4, max: 3 }), fc.uint8Array({ maxLength: 4, max: 3 }), (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
      })
    )
  })

  it('are joined into a copy', () => {
    const part = Uint8Array.of(1, 2)
    const joined = concatBytes(part, new Uint8Array(0), Uint8Array.of(3))
    part[0] = 9
    expect(joined).toEqual(Uint8Array.of(1, 2, 3))
    expect(concatBytes()).toEqual(new Uint8Array(0))
  })

  it('are zeros once wiped', () => {
    const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(3)]
    wipe(a, b)
    expect([a, b]).toEqual([new Uint8Array(2), new Uint8Array(1)])
  })
})
