/**
 * `npm test`: installs what the tests need (Chromium included), builds, then runs every suite and adds up the results.
 * `npm test -- unit integration` runs only the named suites.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { at, fail, pinnedNode, root, SetupError, step, tool } from './checkout.js'
import { ensureBuilt } from './build.js'
import { ensureChromium } from './find-chromium.js'
import { ensureInstalled } from './install.js'

const results = at('test-results')
const report = name => at('test-results', `${name}.json`)

/** Each suite: a command, and how to read passed, failed and skipped from what it left behind. */
const SUITES = {
  // Those that run nothing go side by side.
  types: {
    isStatic: true,
    command: [tool('svelte-check', 'bin', 'svelte-check'), '--tsconfig', 'web/tsconfig.json', '--fail-on-warnings']
  },
  'web-types': { isStatic: true, command: [tool('typescript', 'bin', 'tsc'), '--noEmit', '-p', 'test/unit/web'] },
  lint: { isStatic: true, command: [tool('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0'] },
  format: { isStatic: true, command: [tool('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.'] },
  unit: vitestSuite('unit'),
  // Real processes wait for each other more than they work.
  integration: vitestSuite('integration', '--maxWorkers=3'),
  e2e: {
    command: [tool('@playwright', 'test', 'cli.js'), 'test', '--config', 'test/e2e/playwright.config.ts'],
    count: () => {
      const { expected, unexpected, flaky, skipped } = readJson(report('e2e')).stats
      return { passed: expected, failed: unexpected + flaky, skipped }
    }
  }
}

function vitestSuite(name, ...options) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report(name)}`]
  return {
    command: [tool('vitest', 'vitest.mjs'), 'run', '--project', name, ...options, ...reporters],
    count: () => {
      const { numPassedTests, numFailedTests, numPendingTests } = readJson(report(name))
      return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests }
    }
  }
}

const readJson = file => JSON.parse(readFileSync(file, 'utf8'))

/** Runs one suite to its end, whatever the others did. What a static one prints comes at its end. */
async function runSuite(name, environment) {
  const { command, count, isStatic } = SUITES[name]
  const start = performance.now()
  const output = isStatic ? 'pipe' : 'inherit'
  const child = spawn(pinnedNode, command, { cwd: root, stdio: ['ignore', output, output], env: environment })
  const printed = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', data => printed.push(data))
  if (!isStatic) console.log(`\n── ${name}`)
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (isStatic) process.stdout.write(`\n── ${name}\n${Buffer.concat(printed)}`)
  console.log(`── ${name}: ${code === 0 ? 'ok' : 'FAILED'} in ${((performance.now() - start) / 1000).toFixed(0)} s`)
  const fallback = { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }
  const counted = count ? safely(count, fallback) : fallback
  // A runner that fails outside of any test has failed all the same.
  return { ...counted, failed: code === 0 ? counted.failed : Math.max(1, counted.failed) }
}

function safely(count, fallback) {
  try {
    return count()
  } catch {
    return fallback
  }
}

try {
  const chosen = process.argv.slice(2)
  const unknown = chosen.find(name => !(name in SUITES))
  if (unknown) throw new SetupError(`there is no suite "${unknown}"; choose from ${Object.keys(SUITES).join(', ')}`)
  const names = chosen.length > 0 ? chosen : Object.keys(SUITES)
  await ensureInstalled()
  await ensureBuilt('app', 'web', 'test')
  let chromium
  if (names.includes('e2e')) await step('looking for Chromium', () => void (chromium = ensureChromium()))
  rmSync(results, { recursive: true, force: true })
  mkdirSync(results, { recursive: true })
  const environment = {
    ...process.env,
    // Tests start hundreds of processes of the same code, whose sources are stripped of types and compiled once.
    NODE_COMPILE_CACHE: at('.cache', 'compiled'),
    ...(chromium && { VOLO_CHROMIUM: chromium })
  }
  const total = { passed: 0, failed: 0, skipped: 0 }
  const add = result => Object.keys(total).forEach(key => (total[key] += result[key]))
  const isStatic = name => SUITES[name].isStatic
  const checked = await Promise.all(names.filter(isStatic).map(name => runSuite(name, environment)))
  checked.forEach(add)
  for (const name of names.filter(name => !isStatic(name))) add(await runSuite(name, environment))
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  process.exitCode = total.failed === 0 ? 0 : 1
} catch (error) {
  fail(error)
}
