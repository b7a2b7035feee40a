/** `npm run campaign -- <name>`: the long forms of what `npm test` tries for seconds. */
import { parseArgs } from 'node:util'
import { CAMPAIGNS } from './campaigns.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
const SECOND_MS = 1_000

const USAGE = `Usage: npm run campaign -- <name> [options]

Tries what must hold again and again, on input that follows from a seed, and prints one JSON object a line:
campaign, seed, runs, failures, seconds, examples of failures, and figures of its own.
Exit codes: 0 nothing failed, 1 something failed, 2 usage.

Campaigns
${Object.entries(CAMPAIGNS)
  .map(
    ([name, { summary, unit, defaultRuns }]) => `  ${name}\n      ${summary}\n      (default ${defaultRuns} ${unit})`
  )
  .join('\n')}
  all
      each of them, one after the other

Options
  --seed N       repeats a run (default: the time, printed)
  --budget N     how much to try
  --seconds S    begin nothing new after this long
  -h, --help     this text
`

const usage = (problem: string): never => {
  console.error(`${problem}\n\n${USAGE}`)
  process.exit(EXIT_USAGE)
}

function number(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  return Number.isSafeInteger(value) ? value : usage(`--${option} takes a whole number, got "${text}"`)
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string' },
        budget: { type: 'string' },
        seconds: { type: 'string' },
        help: { type: 'boolean', short: 'h' }
      },
      allowPositionals: true
    })
  } catch (error) {
    return usage((error as Error).message)
  }
}

const { values, positionals } = readArguments()
if (values.help) {
  console.log(USAGE)
} else {
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0 || (name !== 'all' && !Object.hasOwn(CAMPAIGNS, name))) {
    usage(name === undefined ? 'Name a campaign.' : `There is no campaign "${positionals.join(' ')}".`)
  }
  const seed = number('seed', values.seed) ?? Date.now() % 1_000_000
  const budgetMs = (number('seconds', values.seconds) ?? Infinity) * SECOND_MS
  const runs = number('budget', values.budget)
  for (const chosen of name === 'all' ? Object.keys(CAMPAIGNS) : [name!]) {
    const { defaultRuns, run } = CAMPAIGNS[chosen]!
    const start = performance.now()
    const { examples, ...outcome } = await run({ seed, runs: runs ?? defaultRuns, budgetMs })
    const seconds = Number(((performance.now() - start) / SECOND_MS).toFixed(1))
    console.log(JSON.stringify({ campaign: chosen, seed, ...outcome, seconds, examples }))
    if (outcome.failures > 0) process.exitCode = EXIT_FAILED
  }
}
