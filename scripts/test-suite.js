import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { pinnedNode, root } from './checkout.js'

/** A third of the processor time of a suite that wants it, too: less would starve tests that have deadlines. */
const LOW_PRIORITY = 5

const running = new Set()

/**
 * Runs one suite to its end, whatever the others do. Each line that it prints is shown with the name of the suite.
 *
 * @param suite - `name`, `command` for the pinned Node.js, and `read`, which returns the suite's single results.
 * @param isLow - run with a lower priority than the suites beside it.
 * @returns the suite's name, how many tests passed, failed and were skipped, and its single tests.
 */
export async function runSuite({ name, command, read }, environment, isLow) {
  const start = performance.now()
  const child = spawn(pinnedNode, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: environment })
  running.add(child)
  if (isLow && child.pid) setPriority(child.pid, LOW_PRIORITY)
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', line => console.log(`${name} │ ${line}`))
  }
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  running.delete(child)
  console.log(`── ${name}: ${code === 0 ? 'ok' : 'FAILED'} in ${((performance.now() - start) / 1000).toFixed(0)} s`)
  const alone = { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, tests: [] }
  const counted = read ? safely(read, alone) : alone
  // A runner that fails outside of any test has failed all the same.
  return { name, ...counted, failed: code === 0 ? counted.failed : Math.max(1, counted.failed) }
}

/** Ends the suites that still run. */
export function endAll() {
  for (const child of running) child.kill()
}

function safely(read, otherwise) {
  try {
    return read()
  } catch {
    return otherwise
  }
}
