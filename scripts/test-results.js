/** Reads what the test runners leave behind: how many tests passed, failed and were skipped, and how long each took. */
import { readFileSync } from 'node:fs'
import { at } from './checkout.js'

/** The file of one suite's results, or the folder of all. */
export const results = name => (name ? at('test-results', `${name}.json`) : at('test-results'))

const readJson = name => JSON.parse(readFileSync(results(name), 'utf8'))

/** Results of a Vitest suite. Durations of skipped tests are 0. */
export function vitestResults(name) {
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = readJson(name)
  const tests = testResults.flatMap(file =>
    file.assertionResults.map(({ ancestorTitles, title, duration }) => ({
      title: [...ancestorTitles, title].join(' › '),
      ms: duration ?? 0
    }))
  )
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests, tests }
}

/** Results of a Playwright suite. A test that passed only when repeated has failed. */
export function playwrightResults(name) {
  const { stats, suites } = readJson(name)
  const { expected, unexpected, flaky, skipped } = stats
  return { passed: expected, failed: unexpected + flaky, skipped, tests: suites.flatMap(suite => specsOf(suite, [])) }
}

function specsOf({ title, specs = [], suites = [] }, path) {
  const own = specs.map(spec => ({
    title: [...path, title, spec.title].join(' › '),
    ms: spec.tests.flatMap(test => test.results).reduce((sum, { duration }) => sum + duration, 0)
  }))
  return [...own, ...suites.flatMap(suite => specsOf(suite, [...path, title]))]
}

/** The tests of all suites that took the longest, slowest first. */
export function slowest(suites, count) {
  return suites
    .flatMap(({ name, tests }) => tests.map(test => ({ suite: name, ...test })))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, count)
}
