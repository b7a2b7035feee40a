/**
 * Combinators that describe a format once and give its encoder, its bounded decoder and its type.
 * A struct is a CBOR array of its fields in the order written here, so the order is part of the format.
 */
import { decodeCbor, encodeCbor, type Cbor, type CborLimits } from './cbor.ts'
import { ProtocolError } from './errors.ts'

/** Translates between a value and its CBOR form; `fromCbor` throws {@link ProtocolError} `MALFORMED` or `TOO_LARGE`. */
export interface Codec<T> {
  toCbor(value: T): Cbor
  fromCbor(value: Cbor, path: string): T
}

/** The value type that a codec describes. */
export type TypeOf<C> = C extends Codec<infer T> ? T : never

/** Canonical bytes of a value. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  return encodeCbor(codec.toCbor(value))
}

/** Parses canonical bytes within limits; see {@link decodeCbor} for what is refused. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, limits: CborLimits): T {
  return codec.fromCbor(decodeCbor(bytes, limits), '')
}

const fail = (path: string, expected: string): never => {
  throw new ProtocolError('MALFORMED', `"${path || 'value'}" must be ${expected}`)
}

/** An unsigned integer up to `max` (default 2^53 - 1). */
export function uint(max: number = Number.MAX_SAFE_INTEGER): Codec<number> {
  return {
    toCbor: value => value,
    fromCbor: (value, path) =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max
        ? value
        : fail(path, `an integer from 0 to ${max}`)
  }
}

/** Bytes of exactly `length`. The decoded array is a copy, never a view of the input. */
export function bytes(length: number): Codec<Uint8Array>
export function bytes<T extends Uint8Array>(length: number): Codec<T>
export function bytes<T extends Uint8Array>(length: number): Codec<T> {
  return bytesBetween<T>(length, length)
}

/** Bytes of `min` to `max` length. */
export function bytesBetween(min: number, max: number): Codec<Uint8Array>
export function bytesBetween<T extends Uint8Array>(min: number, max: number): Codec<T>
export function bytesBetween<T extends Uint8Array>(min: number, max: number): Codec<T> {
  return {
    toCbor: value => value,
    fromCbor: (value, path) =>
      value instanceof Uint8Array && value.length >= min && value.length <= max
        ? (new Uint8Array(value) as Uint8Array as T)
        : fail(path, min === max ? `${min} bytes` : `${min} to ${max} bytes`)
  }
}

/** Text of at most `maxLength` UTF-16 code units, without lone surrogates. */
export function text(maxLength: number): Codec<string> {
  return {
    toCbor: value => value,
    fromCbor: (value, path) =>
      typeof value === 'string' && value.length <= maxLength && value.isWellFormed()
        ? value
        : fail(path, `text of at most ${maxLength} characters`)
  }
}

/** A boolean. */
export const bool: Codec<boolean> = {
  toCbor: value => value,
  fromCbor: (value, path) => (typeof value === 'boolean' ? value : fail(path, 'true or false'))
}

/** Exactly this value, such as a version number. */
export function constant<const V extends number | string>(expected: V): Codec<V> {
  return {
    toCbor: () => expected,
    fromCbor: (value, path) => (value === expected ? expected : fail(path, JSON.stringify(expected)))
  }
}

/** One of some named alternatives, written as its index: the order is part of the format. */
export function oneOf<const N extends string>(...names: N[]): Codec<N> {
  return {
    toCbor: value => names.indexOf(value),
    fromCbor: (value, path) =>
      (typeof value === 'number' ? names[value] : undefined) ?? fail(path, `an index below ${names.length}`)
  }
}

/** A value or `null`. */
export function nullable<T>(inner: Codec<T>): Codec<T | null> {
  return {
    toCbor: value => (value === null ? null : inner.toCbor(value)),
    fromCbor: (value, path) => (value === null ? null : inner.fromCbor(value, path))
  }
}

/** A list of `min` to `max` values. */
export function list<T>(inner: Codec<T>, max: number, min = 0): Codec<T[]> {
  return {
    toCbor: values => values.map(value => inner.toCbor(value)),
    fromCbor: (value, path) =>
      Array.isArray(value) && value.length >= min && value.length <= max
        ? value.map((item, index) => inner.fromCbor(item, `${path}[${index}]`))
        : fail(path, `a list of ${min} to ${max}`)
  }
}

type Fields = Record<string, Codec<never>>
type StructOf<F> = { [K in keyof F]: TypeOf<F[K]> }

/** An object written as the array of its fields, in the order of `fields`. */
export function struct<F extends { [K in keyof F]: Codec<any> }>(fields: F): Codec<StructOf<F>> {
  const entries = Object.entries(fields as unknown as Fields) as [string, Codec<unknown>][]
  return {
    toCbor: value => entries.map(([name, codec]) => codec.toCbor((value as Record<string, unknown>)[name])),
    fromCbor: (value, path) => {
      if (!Array.isArray(value) || value.length !== entries.length) {
        return fail(path, `an array of ${entries.length} fields`)
      }
      const result: Record<string, unknown> = {}
      entries.forEach(([name, codec], index) => {
        result[name] = codec.fromCbor(value[index]!, path === '' ? name : `${path}.${name}`)
      })
      return result as StructOf<F>
    }
  }
}

type VariantOf<V> = { [K in keyof V]: V[K] extends [number, Codec<infer T>] ? { kind: K } & T : never }[keyof V]

/**
 * A tagged union: `[tag, ...fields]`. Each alternative is `[tag, struct]`; the decoded value has `kind` and the fields.
 * An unknown tag is `UNSUPPORTED_VERSION`, so that callers can tell "newer than us" from "broken".
 */
export function variant<V extends Record<string, [number, Codec<any>]>>(alternatives: V): Codec<VariantOf<V>> {
  const byTag = new Map(Object.entries(alternatives).map(([kind, [tag, codec]]) => [tag, { kind, codec }]))
  return {
    toCbor: value => {
      const [tag, codec] = alternatives[(value as { kind: string }).kind]!
      return [tag, ...(codec.toCbor(value) as Cbor[])]
    },
    fromCbor: (value, path) => {
      const tag = Array.isArray(value) ? value[0] : undefined
      if (!Array.isArray(value) || typeof tag !== 'number') return fail(path, 'a tagged array')
      const found = byTag.get(tag)
      if (!found) throw new ProtocolError('UNSUPPORTED_VERSION', `"${path || 'value'}" has unknown kind ${tag}`)
      return { kind: found.kind, ...found.codec.fromCbor(value.slice(1), path) } as VariantOf<V>
    }
  }
}

/** Gives a codec's output a branded or narrower type, with an extra check that throws. */
export function refine<T, U extends T>(inner: Codec<T>, check: (value: T, path: string) => U): Codec<U> {
  return {
    toCbor: value => inner.toCbor(value),
    fromCbor: (value, path) => check(inner.fromCbor(value, path), path)
  }
}

/** A nested format kept as its own canonical bytes, so that it can be hashed or signed on its own. */
export function embedded<T>(inner: Codec<T>, limits: CborLimits): Codec<T> {
  return {
    toCbor: value => encode(inner, value),
    fromCbor: (value, path) =>
      value instanceof Uint8Array ? decode(inner, value, limits) : fail(path, 'embedded bytes')
  }
}
