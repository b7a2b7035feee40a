/**
 * `npm test`: installs what the tests need (Chromium included), builds, then runs every suite and adds up the results.
 * `npm test -- unit integration` runs only the named suites.
 *
 * Suites that wait (real processes, browsers) and suites that compute run side by side in lanes. Computing lanes have a
 * lower priority: they use the time in which the others wait, and do not take time from them. Checks of the sources have a
 * lane beside the unit tests, so that neither waits for the other. What a check found in a file is kept in `.cache` and
 * holds until the file, or what is installed, changes.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { at, fail, SetupError, step, tool } from './checkout.js'
import { ensureBuilt } from './build.js'
import { ensureChromium } from './find-chromium.js'
import { ensureInstalled } from './install.js'
import { failures, playwrightResults, results, slowest, vitestResults } from './test-results.js'
import { endAll, runSuite } from './test-suite.js'

/** Slow tests that are named at the end. */
const SLOWEST = 10

const needsBuild = true

/** Lanes of suites that wait for nothing. */
const COMPUTING = ['checks', 'units']

/** Options of a check that keeps what it found, by the content of files. */
function kept(name) {
  const installed = createHash('sha256')
    .update(readFileSync(at('package-lock.json')))
    .digest('hex')
    .slice(0, 16)
  return ['--cache', '--cache-strategy', 'content', '--cache-location', at('.cache', `${name}-${installed}`)]
}

/** Each suite: a command, the lane that runs it, and how to read single results from what it leaves behind. */
const SUITES = {
  lint: { lane: 'checks', command: [tool('oxlint', 'bin', 'oxlint'), '--type-aware', '--deny-warnings'] },
  'svelte-lint': {
    lane: 'checks',
    command: [tool('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0', ...kept('eslint')]
  },
  format: {
    lane: 'checks',
    command: [tool('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.', ...kept('prettier')]
  },
  types: {
    lane: 'checks',
    needsBuild,
    command: [tool('svelte-check', 'bin', 'svelte-check'), '--tsconfig', 'web/tsconfig.json', '--fail-on-warnings']
  },
  'web-types': {
    lane: 'checks',
    needsBuild,
    command: [tool('typescript-native', 'bin', 'tsc'), '--noEmit', '-p', 'test/unit/web']
  },
  unit: vitestSuite('unit', 'units'),
  // Real processes wait for each other more than they work.
  integration: vitestSuite('integration', 'processes', '--maxWorkers=4'),
  e2e: {
    lane: 'browsers',
    needsBuild,
    needsBrowser: true,
    command: [tool('@playwright', 'test', 'cli.js'), 'test', '--config', 'test/e2e/playwright.config.ts'],
    read: () => playwrightResults('e2e')
  }
}

function vitestSuite(name, lane, ...options) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results(name)}`]
  return {
    lane,
    needsBuild,
    command: [tool('vitest', 'vitest.mjs'), 'run', `--project=${name}*`, ...options, ...reporters],
    read: () => vitestResults(name)
  }
}

/** The suites of the command line, in the order of {@link SUITES}. */
function chosenSuites(chosen) {
  const unknown = chosen.find(name => !(name in SUITES))
  if (unknown) throw new SetupError(`there is no suite "${unknown}"; choose from ${Object.keys(SUITES).join(', ')}`)
  return Object.keys(SUITES).filter(name => chosen.length === 0 || chosen.includes(name))
}

/** Runs suites one after another, each once what it needs is there. */
async function runLane(names, { built, browser, isAlone }) {
  const ended = []
  for (const name of names) {
    const suite = { name, ...SUITES[name] }
    if (suite.needsBuild) await built
    const chromium = suite.needsBrowser ? await browser : undefined
    const environment = {
      ...process.env,
      // Tests start hundreds of processes of the same code, whose sources are stripped of types and compiled once.
      NODE_COMPILE_CACHE: at('.cache', 'compiled'),
      VOLO_TEST_BUILT: '1',
      ...(chromium && { VOLO_CHROMIUM: chromium })
    }
    ended.push(await runSuite(suite, environment, COMPUTING.includes(suite.lane) && !isAlone))
  }
  return ended
}

async function findBrowser(built) {
  await built
  let chromium
  await step('looking for Chromium', async () => void (chromium = await ensureChromium()))
  return chromium
}

/** A log is read from its end: what failed comes last, before the sums. */
function reportFailures(failed) {
  if (failed.length > 0) console.log('\nFailed:')
  for (const { suite, file, title, error } of failed) {
    console.log(`  ${[suite, file, title].filter(Boolean).join(' › ')}\n      ${error}`)
  }
}

function report(ended) {
  const slow = slowest(ended, SLOWEST)
  if (slow.length > 0) console.log(`\nThe ${slow.length} slowest tests:`)
  const seconds = ms => `${(ms / 1000).toFixed(1)} s`.padStart(8)
  for (const { suite, file, title, ms } of slow) console.log(`${seconds(ms)}  ${[suite, file, title].join(' › ')}`)
  reportFailures(failures(ended))
  const total = key => ended.reduce((sum, suite) => sum + suite[key], 0)
  console.log(`\n${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`)
  process.exitCode = total('failed') === 0 ? 0 : 1
}

try {
  const names = chosenSuites(process.argv.slice(2))
  await ensureInstalled()
  rmSync(results(), { recursive: true, force: true })
  mkdirSync(results(), { recursive: true })
  const built = ensureBuilt('app', 'web', 'test')
  const browser = names.some(name => SUITES[name].needsBrowser) ? findBrowser(built) : undefined
  const kinds = [...new Set(names.map(name => SUITES[name].lane))]
  const lanes = kinds.map(lane => {
    const own = names.filter(name => SUITES[name].lane === lane)
    return runLane(own, { built, browser, isAlone: kinds.length === 1 })
  })
  const [, , ...ended] = await Promise.all([built, browser, ...lanes])
  report(ended.flat())
} catch (error) {
  endAll()
  fail(error)
}
