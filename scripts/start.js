/** `npm start`: installs and builds what is stale, then runs a node. Arguments go to `volo-node start`. */
import { at, fail } from './checkout.js'
import { ensureBuilt } from './build.js'
import { ensureInstalled } from './install.js'
import { launch } from './launch.js'

try {
  await ensureInstalled()
  await ensureBuilt('app', 'web')
  process.exitCode = await launch(at('dist', 'bundled', 'node', 'main.js'), ['start', ...process.argv.slice(2)], {
    tied: true
  })
} catch (error) {
  fail(error)
}
