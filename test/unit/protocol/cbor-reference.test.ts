import { decode as decodeCborg, encode as encodeCborg, Tokenizer, type Token } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalBytes, toHex } from '../../../protocol/bytes.ts'
import { decodeCbor, encodeCbor, type Cbor } from '../../../protocol/cbor.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import { mutateBytes, mutateCbor } from '../../adversary/campaigns/fuzz/mutation.ts'
import { SeededRandom } from '../../support/seeded-random.ts'

const LIMITS = { maxBytes: 4096, maxDepth: 16 }
const OPTIONS = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  allowBigInt: true,
  retainStringBytes: true
}

/** cborg drops a byte order mark at the start of text. */
class MarkKeepingTokenizer extends Tokenizer {
  override next(): Token {
    const token = super.next()
    const bytes = token.byteValue
    if (bytes?.[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) token.value = `\ufeff${token.value as string}`
    return token
  }
}

const isOurs = (value: unknown): boolean =>
  value === null ||
  ['string', 'boolean', 'bigint'].includes(typeof value) ||
  value instanceof Uint8Array ||
  Number.isSafeInteger(value) ||
  (Array.isArray(value) && value.every(isOurs))

/** The rule in another's words: decode, re-encode, compare. @returns undefined for what is refused. */
function referenceDecode(bytes: Uint8Array): unknown {
  try {
    const value: unknown = decodeCborg(bytes, { ...OPTIONS, tokenizer: new MarkKeepingTokenizer(bytes, OPTIONS) })
    return isOurs(value) && equalBytes(encodeCborg(value), bytes) ? value : undefined
  } catch {
    return undefined
  }
}

function decodeOrRefuse(bytes: Uint8Array): Cbor | undefined {
  try {
    return decodeCbor(bytes, LIMITS)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

const boundary = fc
  .tuple(
    fc.constantFrom(0n, 24n, 1n << 8n, 1n << 16n, 1n << 32n, 1n << 53n, 1n << 64n),
    fc.bigInt(-3n, 3n),
    fc.boolean()
  )
  .map(([edge, step, isNegative]) => (isNegative ? -(edge + step) : edge + step))
  .filter(value => value >= -(1n << 64n) && value < 1n << 64n)
  .map(value => (BigInt.asIntN(53, value) === value ? Number(value) : value))

const { value: anyCbor } = fc.letrec<{ value: Cbor }>(tie => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: 'small' },
    fc.maxSafeInteger(),
    boundary,
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 30 })
  )
}))

/** Both judge alike, and read the same where they accept. @returns whether it was accepted. */
function expectSameVerdict(bytes: Uint8Array): boolean {
  const decoded = decodeOrRefuse(bytes)
  const expected = referenceDecode(bytes)
  // Most are refused by both: no assertion for each, it costs more than both decoders.
  if (decoded === undefined && expected === undefined) return false
  expect(decoded, toHex(bytes)).toEqual(expected)
  return true
}

describe('the one-pass CBOR decoder and another implementation with a re-encoding check', () => {
  it('write the same bytes', () => {
    fc.assert(
      fc.property(anyCbor, value => {
        expect(encodeCbor(value)).toEqual(new Uint8Array(encodeCborg(value)))
      }),
      { numRuns: 500 }
    )
  })

  it('judge every input of two bytes or fewer alike, and many of three', () => {
    let accepted = 0
    for (let length = 0; length <= 2; length++) {
      for (let number = 0; number < 256 ** length; number++) {
        if (expectSameVerdict(Uint8Array.of(number, number >> 8).subarray(0, length))) accepted++
      }
    }
    for (let initial = 0; initial < 256; initial++) {
      for (const second of [0x00, 0x17, 0x18, 0x61, 0x7f, 0x80, 0xc2, 0xff]) {
        for (let third = 0; third < 256; third += 51) {
          if (expectSameVerdict(Uint8Array.of(initial, second, third))) accepted++
        }
      }
    }
    expect(accepted).toBeGreaterThan(1000)
  })

  it('judge random bytes alike', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
        expectSameVerdict(bytes)
      }),
      { numRuns: 2000 }
    )
  })

  it('judge spoilt encodings alike, accepted and refused ones', () => {
    const seen = { accepted: 0, refused: 0 }
    fc.assert(
      fc.property(anyCbor, fc.integer(), (value, seed) => {
        const random = new SeededRandom(seed)
        const bytes = encodeCbor(value)
        for (const spoilt of [mutateBytes(random, bytes), mutateBytes(random, bytes), mutateCbor(random, bytes)]) {
          if (spoilt.length <= LIMITS.maxBytes) seen[expectSameVerdict(spoilt) ? 'accepted' : 'refused']++
        }
      }),
      { numRuns: 1000 }
    )
    expect(seen.accepted).toBeGreaterThan(500)
    expect(seen.refused).toBeGreaterThan(500)
  })

  it('judge text alike, well-formed or not', () => {
    const lead = fc.constantFrom(0x41, 0x7f, 0x80, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff)
    const tail = fc.constantFrom(0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbb, 0xbf, 0xc0, 0x00)
    fc.assert(
      fc.property(fc.array(fc.oneof(lead, tail), { maxLength: 20 }), units => {
        expectSameVerdict(Uint8Array.from([0x60 | units.length, ...units]))
      }),
      { numRuns: 5000 }
    )
  })

  it.each<[string, unknown]>([
    ['a fraction', 1.5],
    ['NaN', NaN],
    ['infinity', -Infinity],
    ['a number that is not exact', 2 ** 53],
    ['an integer of more than 64 bits', 1n << 64n],
    ['a negative integer of more than 64 bits', -(1n << 64n) - 1n],
    ['undefined', undefined],
    ['undefined in an array', [1, undefined]],
    ['an object', { a: 1 }],
    ['a symbol', Symbol('a')]
  ])('%s is not written', (_, value) => {
    expect(() => encodeCbor(value as Cbor)).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
  })
})
