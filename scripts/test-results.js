/** Reads what the test runners leave behind: how many tests passed, failed and were skipped, how long each took, and why it failed. */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { at, root } from './checkout.js'

/** The file of one suite's results, or the folder of all. */
export const results = name => (name ? at('test-results', `${name}.json`) : at('test-results'))

const readJson = name => JSON.parse(readFileSync(results(name), 'utf8'))

/** Results of a Vitest suite. Durations of skipped tests are 0; `error` is there for failed ones only. */
export function vitestResults(name) {
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = readJson(name)
  return {
    passed: numPassedTests,
    failed: numFailedTests,
    skipped: numPendingTests,
    tests: testResults.flatMap(testsOfFile)
  }
}

function testsOfFile({ name, status, message, assertionResults }) {
  const file = relative(root, name)
  const tests = assertionResults.map(({ ancestorTitles, title, status, duration, failureMessages }) => ({
    file,
    title: [...ancestorTitles, title].join(' › '),
    ms: duration ?? 0,
    ...(status === 'failed' && { error: firstLine(failureMessages[0]) })
  }))
  // A file can fail outside of its tests, such as in a hook or while it is loaded.
  const isUnexplained = status === 'failed' && !tests.some(({ error }) => error !== undefined)
  return isUnexplained ? [...tests, { file, title: '(outside of its tests)', ms: 0, error: firstLine(message) }] : tests
}

/** Results of a Playwright suite. A test that passed only when repeated has failed. */
export function playwrightResults(name) {
  const { stats, suites, errors = [] } = readJson(name)
  const { expected, unexpected, flaky, skipped } = stats
  const outside = errors.map(({ message }) => ({
    file: 'playwright',
    title: '(outside of its tests)',
    ms: 0,
    error: firstLine(message)
  }))
  const tests = suites.flatMap(suite => specsOf(suite, []))
  return { passed: expected, failed: unexpected + flaky, skipped, tests: [...tests, ...outside] }
}

function specsOf({ title, file, specs = [], suites = [] }, path) {
  // The outermost suite is the file, which has its own field.
  const here = title === file ? path : [...path, title]
  const own = specs.map(spec => {
    const runs = spec.tests.flatMap(test => test.results)
    const failed = spec.tests.find(test => ['unexpected', 'flaky'].includes(test.status))
    return {
      file: `test/e2e/${file}`,
      title: [...here, spec.title].join(' › '),
      ms: runs.reduce((sum, { duration }) => sum + duration, 0),
      ...(failed && { error: firstLine(failed.results.flatMap(({ errors }) => errors)[0]?.message) })
    }
  })
  return [...own, ...suites.flatMap(suite => specsOf(suite, here))]
}

const firstLine = text => stripVTControlCharacters(text?.trim() ?? '').split('\n')[0] || 'no error was given'

/** The tests of all suites that took the longest, slowest first. */
export function slowest(suites, count) {
  return suites
    .flatMap(({ name, tests }) => tests.map(test => ({ suite: name, ...test })))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, count)
}

/** The tests of all suites that failed, and each suite that failed without a test that explains it. */
export function failures(suites) {
  return suites.flatMap(({ name, failed, tests }) => {
    const own = tests.filter(({ error }) => error !== undefined).map(test => ({ suite: name, ...test }))
    return failed > 0 && own.length === 0 ? [{ suite: name, error: 'see its lines above' }] : own
  })
}
