import { equalBytes, toHex } from '../../../../protocol/bytes.ts'
import type { SeededRandom } from '../../../support/seeded-random.ts'
import { mutateBytes, mutateCbor, mutateJson, mutateText } from './mutation.ts'

/** One input for a parser, and what is done with it. */
export interface FuzzAttempt {
  /** The input, as it can be given again. */
  shown: () => string
  /** @throws what the parser throws, or an Error for input that it should not have taken. */
  parse: () => unknown
}

/** A parser under test. */
export interface FuzzTarget {
  readonly name: string
  /** Whether every sample is taken as it is: a target whose samples are refused tests little. */
  readonly takesSamples: () => Promise<boolean>
  attempt(random: SeededRandom): FuzzAttempt
}

/** Inputs that are no changed samples but noise. */
const NOISE_SHARE = 0.05
const MAX_NOISE_BYTES = 300

const takesAll = async <T>(samples: readonly T[], parse: (input: T) => unknown): Promise<boolean> => {
  for (const sample of samples) await parse(sample)
  return samples.length > 0
}

/**
 * A parser of bytes.
 * @param encode - what writes the parsed value: a parser that takes other bytes than these knows two spellings of one thing.
 */
export function bytesTarget<T>(
  name: string,
  samples: readonly Uint8Array[],
  parse: (bytes: Uint8Array) => T,
  encode?: (value: Awaited<T>) => Uint8Array
): FuzzTarget {
  const check = async (input: Uint8Array): Promise<void> => {
    const value = await parse(input)
    if (encode && !equalBytes(encode(value), input)) throw new Error('it takes a second spelling of the same thing')
  }
  return {
    name,
    takesSamples: () => takesAll(samples, check),
    attempt: random => {
      const sample = random.pick(samples)
      const mutate = random.chance(0.5) ? mutateCbor : mutateBytes
      const input = random.chance(NOISE_SHARE) ? random.bytes(random.below(MAX_NOISE_BYTES)) : mutate(random, sample)
      return { shown: () => toHex(input), parse: () => check(input) }
    }
  }
}

/** A parser of what `JSON.parse` gives. */
export function jsonTarget(name: string, samples: readonly unknown[], parse: (value: unknown) => unknown): FuzzTarget {
  return {
    name,
    takesSamples: () => takesAll(samples, parse),
    attempt: random => {
      let input = random.pick(samples)
      for (let changes = 1 + random.below(3); changes > 0; changes--) input = mutateJson(random, input)
      return { shown: () => JSON.stringify(input), parse: () => parse(input) }
    }
  }
}

/** A parser of text. */
export function textTarget(name: string, samples: readonly string[], parse: (text: string) => unknown): FuzzTarget {
  return {
    name,
    takesSamples: () => takesAll(samples, parse),
    attempt: random => {
      const input = mutateText(random, random.pick(samples))
      return { shown: () => JSON.stringify(input), parse: () => parse(input) }
    }
  }
}
