import { describe, expect, it, test } from 'vitest'
import { bytesTarget, jsonTarget } from './campaigns/fuzz/fuzz-target.ts'
import { FUZZ_TARGETS, runFuzz } from './campaigns/fuzz/fuzz.ts'

/** A few seconds' worth; the campaign takes a million. */
const INPUTS = 15_000

describe('every parser that meets bytes of strangers', () => {
  test.each(FUZZ_TARGETS.map(target => [target.name, target] as const))(
    'takes good input: %s',
    async (_name, target) => {
      expect(await target.takesSamples()).toBe(true)
    }
  )

  it('throws nothing but what it promises at spoilt input, takes one spelling only, and ends soon', async () => {
    const report = await runFuzz({ seed: 1, inputs: INPUTS })
    expect(report.failures).toEqual([])
    expect(report.inputs).toBe(INPUTS)
    expect(report.taken).toBeGreaterThan(INPUTS / 100)
    expect(report.taken).toBeLessThan(INPUTS / 2)
  })
})

describe('the fuzzer', () => {
  const samples = [Uint8Array.of(0x82, 0x01, 0x02)]

  it('reports a parser that throws something else', async () => {
    const broken = jsonTarget('broken', [{ list: [1] }], json => (json as { list: number[] }).list.map(String))
    const { failures } = await runFuzz({ seed: 1, inputs: 500, targets: [broken] })
    expect(failures.length).toBeGreaterThan(0)
    expect(failures[0]).toContain('TypeError')
  })

  it('reports a parser that takes two spellings of one thing', async () => {
    const lax = bytesTarget(
      'lax',
      samples,
      bytes => bytes.length,
      () => samples[0]!
    )
    expect((await runFuzz({ seed: 1, inputs: 100, targets: [lax] })).failures[0]).toContain('second spelling')
  })

  it('gives the same input for the same seed and number', async () => {
    const seen: string[][] = [[], []]
    for (const list of seen) {
      const recorder = bytesTarget('recorder', samples, bytes => void list.push(bytes.join()))
      await runFuzz({ seed: 5, inputs: 20, from: list === seen[0] ? 0 : 10, targets: [recorder] })
    }
    expect(seen[1]!.slice(0, 10)).toEqual(seen[0]!.slice(10))
  })
})
