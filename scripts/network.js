/** `npm run network -- --nodes 3`: installs and builds what is stale, then runs several nodes and a devnet. */
import { at, fail } from './checkout.js'
import { ensureBuilt } from './build.js'
import { ensureInstalled } from './install.js'
import { launch } from './launch.js'

try {
  await ensureInstalled()
  await ensureBuilt('app', 'web')
  process.exitCode = await launch(at('dist', 'node', 'devnet', 'local-network.js'), process.argv.slice(2), {
    tied: true
  })
} catch (error) {
  fail(error)
}
