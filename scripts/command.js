import { pathToFileURL } from 'node:url'
import { at, fail, hasSources } from './checkout.js'

/** The oldest Node.js that our code runs on by itself; older ones hand over to the pinned one. */
const RUNTIME_MAJOR = 24

/**
 * Runs a command of ours from its wrapper in `bin/`. In a checkout, it first builds what is stale. The built file runs
 * in this process if its Node.js is new enough.
 *
 * @param file - below `dist/`, such as `bundled/node/main.js`.
 */
export async function runCommand(file) {
  try {
    if (hasSources) {
      const [{ ensureInstalled }, { ensureBuilt }] = await Promise.all([import('./install.js'), import('./build.js')])
      await ensureInstalled()
      await ensureBuilt('app')
    }
    const built = at('dist', file)
    if (Number(process.versions.node.split('.')[0]) >= RUNTIME_MAJOR) {
      process.argv[1] = built
      await import(pathToFileURL(built).href)
    } else {
      const { launch } = await import('./launch.js')
      process.exitCode = await launch(built, process.argv.slice(2))
    }
  } catch (error) {
    fail(error)
  }
}
