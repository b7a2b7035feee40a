/** Ways to spoil input: bytes blindly, canonical CBOR item by item (so that it gets past the first check), JSON, text. */
import { decodeCbor, encodeCbor, type Cbor } from '../../../../protocol/cbor.ts'
import { ProtocolError } from '../../../../protocol/errors.ts'
import type { SeededRandom } from '../../../support/seeded-random.ts'

/** Bytes that begin what is interesting in CBOR: open items, huge counts, breaks, tags. */
const INTERESTING_BYTES = [
  0x00, 0x1f, 0x5f, 0x7f, 0x80, 0x9b, 0x9f, 0xa0, 0xbb, 0xbf, 0xc0, 0xd9, 0xf6, 0xf7, 0xfb, 0xff
]
const INTERESTING_NUMBERS = [0, 1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER, -1, -24]
const INTERESTING_LENGTHS = [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1_000]
const MAX_CHANGES = 4
const SAMPLE_LIMITS = { maxBytes: 512 * 1024, maxDepth: 16 }

/** Flips, overwrites, cuts, inserts and removes bytes, a few times. */
export function mutateBytes(random: SeededRandom, sample: Uint8Array): Uint8Array {
  let bytes = Uint8Array.from(sample)
  for (let changes = 1 + random.below(MAX_CHANGES); changes > 0; changes--) {
    const at = random.below(Math.max(bytes.length, 1))
    const kind = random.below(5)
    if (kind === 0) bytes[at]! ^= 1 << random.below(8)
    else if (kind === 1) bytes[at] = random.pick(INTERESTING_BYTES)
    else if (kind === 2) bytes = bytes.slice(0, at)
    else if (kind === 3) bytes = spliced(bytes, at, 0, random.bytes(1 + random.below(9)))
    else bytes = spliced(bytes, at, 1 + random.below(40), new Uint8Array())
  }
  return bytes
}

function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array<ArrayBuffer> {
  const tail = bytes.subarray(Math.min(at + removed, bytes.length))
  const result = new Uint8Array(at + added.length + tail.length)
  result.set(bytes.subarray(0, at))
  result.set(added, at)
  result.set(tail, at + added.length)
  return result
}

/** Changes one item of a sample and encodes the whole canonically again; bytes where the sample is no CBOR of ours. */
export function mutateCbor(random: SeededRandom, sample: Uint8Array): Uint8Array {
  try {
    return encodeCbor(mutateItem(random, decodeCbor(sample, SAMPLE_LIMITS)))
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return mutateBytes(random, sample)
  }
}

function mutateItem(random: SeededRandom, item: Cbor): Cbor {
  if (Array.isArray(item) && item.length > 0 && random.chance(0.85)) return mutateArray(random, item)
  if (item instanceof Uint8Array && item.length > 1 && random.chance(0.5)) return mutateCbor(random, item)
  return randomItem(random, item)
}

function mutateArray(random: SeededRandom, items: readonly Cbor[]): Cbor[] {
  const copy = [...items]
  const at = random.below(copy.length)
  switch (random.below(10)) {
    case 0:
      copy.splice(at, 1)
      return copy
    case 1:
      copy.splice(at, 0, random.pick(items))
      return copy
    case 2:
      return [...copy, ...Array<Cbor>(random.pick([1, 2, 70, 300])).fill(random.pick(items))]
    case 3:
      ;[copy[0], copy[at]] = [copy[at]!, copy[0]!]
      return copy
    default:
      copy[at] = mutateItem(random, copy[at]!)
      return copy
  }
}

function randomItem(random: SeededRandom, old: Cbor): Cbor {
  switch (random.below(8)) {
    case 0:
      return random.pick(INTERESTING_NUMBERS)
    case 1:
      return random.bytes(random.pick(INTERESTING_LENGTHS))
    case 2:
      return random.pick(['', 'x', 'ä'.repeat(40), '\0', '\ufeff', '🙂'])
    case 3:
      return random.pick([null, true, false])
    case 4:
      return [old]
    case 5:
      return []
    case 6:
      return 2n ** 64n - 1n
    default:
      return typeof old === 'number' ? old + random.pick([-1, 1, 1_000]) : random.bytes(32)
  }
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Changes one value of parsed JSON. */
export function mutateJson(random: SeededRandom, value: unknown): unknown {
  return mutateJsonValue(random, structuredClone(value) as Json)
}

function mutateJsonValue(random: SeededRandom, value: Json): Json {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.8)) {
    const at = random.below(value.length)
    const kind = random.below(6)
    if (kind === 0) value.splice(at, 1)
    else if (kind === 1) return [...value, ...Array<Json>(random.pick([1, 200])).fill(value[at]!)]
    else value[at] = mutateJsonValue(random, value[at]!)
    return value
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && random.chance(0.9)) {
    const keys = Object.keys(value)
    const key = keys.length > 0 ? random.pick(keys) : 'key'
    const kind = random.below(10)
    if (kind === 0) delete value[key]
    else if (kind === 1) value[random.pick(['__proto__', 'constructor', '', 'x'.repeat(1_000)])] = 1
    else value[key] = mutateJsonValue(random, value[key] ?? null)
    return value
  }
  if (typeof value === 'string' && value.length > 0 && random.chance(0.5)) return mutateText(random, value)
  return randomJson(random, value)
}

function randomJson(random: SeededRandom, old: Json): Json {
  const deep = JSON.parse('['.repeat(200) + ']'.repeat(200)) as Json
  return random.pick<Json>([
    null,
    true,
    -1,
    0,
    0.5,
    1e308,
    2 ** 53,
    '',
    'x'.repeat(5_000),
    '00'.repeat(32),
    '\ud800',
    [],
    {},
    [old],
    deep
  ])
}

const INTERESTING_TEXT = ['', ' ', '\0', '@', '#', '_', '-', '/', 'ǅ', 'ı', '\u202e', '🙂', '\ud800', '0'.repeat(300)]

/** Replaces, inserts and cuts characters, a few times. */
export function mutateText(random: SeededRandom, sample: string): string {
  let text = sample
  for (let changes = 1 + random.below(MAX_CHANGES); changes > 0; changes--) {
    const at = random.below(text.length + 1)
    const added = random.chance(0.5) ? random.pick(INTERESTING_TEXT) : String.fromCharCode(random.below(0x250))
    text = text.slice(0, at) + (random.chance(0.2) ? '' : added) + text.slice(at + random.below(3))
  }
  return text
}
