import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeCbor, type Cbor } from '../../../protocol/cbor.ts'
import {
  bool,
  bytes,
  bytesBetween,
  constant,
  decode,
  embedded,
  encode,
  list,
  nullable,
  oneOf,
  refine,
  struct,
  text,
  uint,
  variant,
  type Codec,
  type TypeOf
} from '../../../protocol/codec.ts'
import { ProtocolError } from '../../../protocol/errors.ts'

const LIMITS = { maxBytes: 4096 }
const code = (value: string): unknown => expect.objectContaining({ name: 'ProtocolError', code: value })
const read = <T>(codec: Codec<T>, value: Cbor): T => decode(codec, encodeCbor(value), LIMITS)

const Point = struct({ x: uint(1000), label: nullable(text(10)) })
const Thing = struct({
  version: constant(1),
  id: bytes(4),
  data: bytesBetween(1, 8),
  on: bool,
  level: oneOf('low', 'high'),
  points: list(Point, 3),
  shape: variant({ circle: [1, struct({ radius: uint() })], none: [2, struct({})] }),
  inner: embedded(Point, LIMITS)
})
type Thing = TypeOf<typeof Thing>

const anyPoint = fc.record({
  x: fc.integer({ min: 0, max: 1000 }),
  label: fc.option(fc.string({ maxLength: 10 }), { nil: null })
})
const anyThing: fc.Arbitrary<Thing> = fc.record({
  version: fc.constant(1 as const),
  id: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  data: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  on: fc.boolean(),
  level: fc.constantFrom('low' as const, 'high' as const),
  points: fc.array(anyPoint, { maxLength: 3 }),
  shape: fc.oneof(
    fc.record({ kind: fc.constant('circle' as const), radius: fc.maxSafeNat() }),
    fc.record({ kind: fc.constant('none' as const) })
  ),
  inner: anyPoint
})

describe('a codec', () => {
  it('reads back whatever it wrote, to the same bytes', () => {
    fc.assert(
      fc.property(anyThing, thing => {
        const written = encode(Thing, thing)
        const again = decode(Thing, written, LIMITS)
        expect(again).toEqual(thing)
        expect(encode(Thing, again)).toEqual(written)
      }),
      { numRuns: 300 }
    )
  })

  it('answers random and damaged bytes with a value of its own or a ProtocolError', () => {
    const damaged = fc.tuple(anyThing, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([thing, position, mask]) => {
      const written = encode(Thing, thing)
      written[position % written.length]! ^= mask
      return written
    })
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 80 })), input => {
        try {
          expect(encode(Thing, decode(Thing, input, LIMITS))).toEqual(input)
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
        }
      }),
      { numRuns: 3000 }
    )
  })

  it('is written as the array of its fields in their order', () => {
    expect(encode(Point, { x: 5, label: null })).toEqual(encodeCbor([5, null]))
    expect(encode(variant({ a: [7, Point] }), { kind: 'a', x: 5, label: 'l' })).toEqual(encodeCbor([7, 5, 'l']))
    expect(encode(embedded(Point, LIMITS), { x: 5, label: null })).toEqual(encodeCbor(encodeCbor([5, null])))
  })

  it.each<[string, Codec<unknown>, Cbor[]]>([
    ['an unsigned integer', uint(10), [11, -1, 2n ** 60n, '1', null, true, [], Uint8Array.of(1)]],
    ['exact bytes', bytes(2), [Uint8Array.of(1), Uint8Array.of(1, 2, 3), 'ab', [1, 2], null]],
    ['bytes of a range', bytesBetween(1, 2), [new Uint8Array(0), Uint8Array.of(1, 2, 3), 1]],
    ['text', text(3), ['four', Uint8Array.of(65), 1, null]],
    ['a boolean', bool, [0, 1, null, 'true']],
    ['a constant', constant(1), [0, 2, '1', true, null]],
    ['a choice', oneOf('a', 'b'), [2, -1, 'a', null, 2n ** 60n]],
    ['a nullable', nullable(uint()), ['', false]],
    ['a list', list(uint(), 2, 1), [[], [1, 2, 3], ['a'], 1, null]],
    ['a struct', Point, [[], [1], [1, null, 2], [1, 2], 'x', 1001, [[1, null]]]],
    ['a variant', variant({ a: [1, Point] }), [[], ['a'], [1], [1, 5], [1, 5, null, 6], 1, null]],
    ['an embedded value', embedded(Point, LIMITS), [[1, null], Uint8Array.of(0x82, 0x01), new Uint8Array(0)]]
  ])('of %s refuses everything else', (_, codec, values) => {
    for (const value of values) expect(() => read(codec, value)).toThrow(code('MALFORMED'))
  })

  it('names the field that is wrong', () => {
    const Outer = struct({ list: list(struct({ point: Point }), 4) })
    expect(() => read(Outer, [[[[1, null]], [[5000, null]]]])).toThrow('"list[1].point.x" must be an integer')
  })

  it('tells a kind it does not know yet from a broken one', () => {
    const Shape = variant({ circle: [1, struct({ radius: uint() })] })
    expect(() => read(Shape, [9, 1])).toThrow(code('UNSUPPORTED_VERSION'))
    expect(() => read(Shape, [1, 'wide'])).toThrow(code('MALFORMED'))
  })

  it('gives out bytes of its own, not a view of the input', () => {
    const input = encodeCbor([Uint8Array.of(1, 2, 3, 4)])
    const { id } = decode(struct({ id: bytes(4) }), input, LIMITS)
    input.fill(0xff)
    expect(id).toEqual(Uint8Array.of(1, 2, 3, 4))
    expect(id.buffer.byteLength).toBe(4)
  })

  it('applies a further check when refined', () => {
    const even = refine(uint(), (value, path) => {
      if (value % 2 !== 0) throw new ProtocolError('INVALID', `"${path}" must be even`)
      return value
    })
    expect(read(struct({ n: even }), [4])).toEqual({ n: 4 })
    expect(() => read(struct({ n: even }), [5])).toThrow('"n" must be even')
  })

  it('holds embedded values to their own limits', () => {
    const Small = embedded(Point, { maxBytes: 4 })
    expect(read(Small, encodeCbor([1, null]))).toEqual({ x: 1, label: null })
    expect(() => read(Small, encodeCbor([1, 'long']))).toThrow(code('TOO_LARGE'))
  })
})
