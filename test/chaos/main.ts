/** `npm run chaos`: the long form of the fault campaigns. The short forms are part of `npm test`. */
import { parseArgs } from 'node:util'
import { SeededRandom } from '../support/seeded-random.ts'
import { runChaos } from './network-chaos.ts'
import { cutPower, powerCutProblem } from './power-cut.ts'

const USAGE = `Usage: npm run chaos [-- options]

Kills nodes while people chat, and cuts the power under the store; prints one JSON object a line.
Exit code 0 only if every promise was kept, and if the store without fsync was caught losing messages.

  --nodes N      nodes of the network (default 5)
  --people N     people who write to each other (default 4)
  --minutes N    how long nodes are killed (default 10)
  --rounds N     power cuts per file system (default 20; 0 for none)
  --seed N       repeats the choice of victims (default: the time, printed)
`

const SEND_EVERY_MS = 250
const DOWN_MS = 3_000
const UP_MS = 4_000
const HEAL_MS = 120_000
/** Longer than the interval at which replicas compare what they hold. */
const SETTLE_MS = 35_000
const MINUTE_MS = 60_000
/** Violations printed: the first ones tell the story. */
const MAX_PRINTED = 20
/** Without fsync a cut loses nearly everything, so a few show it. */
const MUTANT_ROUNDS = 3

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '5' },
    people: { type: 'string', default: '4' },
    minutes: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    help: { type: 'boolean', default: false }
  }
})

const random = new SeededRandom(Number(values.seed))
const print = (result: object): void => console.log(JSON.stringify(result))

async function chaos(): Promise<boolean> {
  const result = await runChaos({
    nodes: Number(values.nodes),
    people: Number(values.people),
    durationMs: Number(values.minutes) * MINUTE_MS,
    sendEveryMs: SEND_EVERY_MS,
    downMs: DOWN_MS,
    upMs: UP_MS,
    healMs: HEAL_MS,
    settleMs: SETTLE_MS,
    random: () => random.fraction(),
    log: line => console.error(line)
  })
  const { violations, ...rest } = result
  print({
    campaign: 'kill',
    seed: values.seed,
    ...rest,
    violated: violations.length,
    violations: violations.slice(0, MAX_PRINTED)
  })
  return result.violations.length === 0 && result.counts.sent > 0
}

async function powerCuts(rounds: number): Promise<boolean> {
  const problem = powerCutProblem()
  if (problem !== undefined) {
    print({ campaign: 'power-cut', skipped: problem })
    return true
  }
  let good = true
  for (const fileSystem of ['ext4', 'xfs'] as const) {
    const synced = await cutPower(fileSystem, true, rounds)
    const unsynced = await cutPower(fileSystem, false, Math.min(rounds, MUTANT_ROUNDS))
    print({ campaign: 'power-cut', ...synced })
    print({ campaign: 'power-cut', mutant: true, ...unsynced })
    good &&= synced.lost === 0 && synced.failedOpens === 0 && unsynced.lost + unsynced.failedOpens > 0
  }
  return good
}

if (values.help) {
  console.log(USAGE)
} else {
  const kept = await chaos()
  const rounds = Number(values.rounds)
  const durable = rounds > 0 ? await powerCuts(rounds) : true
  process.exitCode = kept && durable ? 0 : 1
}
