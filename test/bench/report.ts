/** One figure as a JSON line: what was measured here, what it stands beside in the same run, and their ratio. */
export interface Figure {
  metric: string
  value: number | null
  unit: string
  /** What `peerValue` belongs to; null where a figure stands alone. */
  peer: string | null
  peerValue: number | null
  /** value / peerValue; of several rounds the median of theirs. */
  ratio: number | null
  /** Lowest and highest ratio of the rounds, or value where a figure stands alone; null for a single round. */
  spread: [number, number] | null
  /** The goal, as a sentence, and whether it was met. */
  target: string | null
  met: boolean | null
  /** Why a figure or its peer was not run. */
  note: string | null
}

/** A goal for a ratio or, where a figure stands alone, for its value. */
export interface Target {
  atMost?: number
  atLeast?: number
}

const round = (value: number): number => Number(value.toPrecision(4))

/** What a figure is compared with, and held against. */
interface Comparison {
  peer?: string | undefined
  target?: Target | undefined
  note?: string | undefined
}

/** One round: our value and, unless the peer was not run, its value. */
export type Round = [value: number, peerValue: number | null]

/** Prints the medians of several rounds; the ratio is the median of the rounds' own ratios. */
export function reportRounds(metric: string, unit: string, rounds: Round[], comparison: Comparison = {}): Figure {
  const values = rounds.map(([value]) => value)
  const peerValues = rounds.flatMap(([, peerValue]) => peerValue ?? [])
  const ratios = rounds.flatMap(([value, peerValue]) => (peerValue ? value / peerValue : []))
  const spread = comparison.peer === undefined ? values : ratios
  return report(metric, unit, median(values), {
    ...comparison,
    peerValue: median(peerValues),
    ratio: median(ratios),
    spread: spread.length > 1 ? [Math.min(...spread), Math.max(...spread)] : null
  })
}

/** @returns null of nothing. */
export const median = (sample: number[]): number | null => (sample.length === 0 ? null : percentile(sample, 0.5))

/** Prints a figure on standard output. */
export function report(
  metric: string,
  unit: string,
  value: number | null,
  options: Comparison & {
    peerValue?: number | null
    ratio?: number | null
    spread?: [number, number] | null
  } = {}
): Figure {
  const { peer = null, peerValue = null, spread = null, target, note = null } = options
  const ratio = options.ratio ?? (value !== null && peerValue ? value / peerValue : null)
  const judged = peer === null ? value : ratio
  const figure: Figure = {
    metric,
    value: value === null ? null : round(value),
    unit,
    peer,
    peerValue: peerValue === null ? null : round(peerValue),
    ratio: ratio === null ? null : round(ratio),
    spread: spread && [round(spread[0]), round(spread[1])],
    target: target ? describeTarget(target, peer) : null,
    met: target && judged !== null ? meets(judged, target) : null,
    note
  }
  console.log(JSON.stringify(figure))
  return figure
}

function describeTarget({ atMost, atLeast }: Target, peer: string | null): string {
  const subject = peer === null ? 'value' : 'ratio'
  return atMost !== undefined ? `${subject} <= ${atMost}` : `${subject} >= ${atLeast}`
}

const meets = (value: number, { atMost = Infinity, atLeast = -Infinity }: Target): boolean =>
  value <= atMost && value >= atLeast

/** The value below which `share` of the sample lies; `share` 0.5 is the median. */
export function percentile(sample: number[], share: number): number {
  const sorted = [...sample].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

/** CPU microseconds of this process per call, over at least `minMs`; the median of `rounds`. */
export async function cpuMicroseconds(run: () => unknown, { minMs = 200, rounds = 3 } = {}): Promise<number> {
  const samples: number[] = []
  await run()
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    const end = performance.now() + minMs
    let calls = 0
    while (performance.now() < end) {
      await run()
      calls++
    }
    const used = process.cpuUsage(before)
    samples.push((used.user + used.system) / calls)
  }
  return percentile(samples, 0.5)
}
