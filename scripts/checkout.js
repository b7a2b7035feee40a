/** Where things are in a checkout, for scripts that run before anything is installed (Node ≥ 20.19, no packages). */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The folder with package.json. */
export const root = resolve(import.meta.dirname, '..')

/** A path below the checkout. */
export const at = (...parts) => join(root, ...parts)

/** The Node.js that all our code runs on, also if npm runs on another one. */
export const pinnedNode = at('node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** An installed tool's entry file, to be run by {@link pinnedNode}. */
export const tool = (...parts) => at('node_modules', ...parts)

/** Whether this is a checkout with sources, rather than an image that holds only what was built. */
export const hasSources = existsSync(at('tsconfig.json'))

/** Reports the progress of a step on stderr, in one line; stdout belongs to the started program. */
export async function step(title, work) {
  const start = performance.now()
  process.stderr.write(`volo: ${title} … `)
  try {
    await work()
    process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`)
  } catch (error) {
    process.stderr.write('failed\n')
    throw error
  }
}

/** A failure that the person at the keyboard can act on: printed without a stack. */
export class SetupError extends Error {
  name = 'SetupError'
}

/** Ends a script with one sentence; anything unexpected keeps its stack. */
export function fail(error) {
  console.error(error instanceof SetupError ? `volo: ${error.message}` : error)
  process.exit(1)
}
