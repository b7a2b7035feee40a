/** `node scripts/run.js FILE args`: installs and builds what FILE needs, then runs it on the pinned Node.js. */
import { resolve } from 'node:path'
import { at, fail, SetupError } from './checkout.js'
import { ensureBuilt } from './build.js'
import { ensureInstalled } from './install.js'
import { launch } from './launch.js'

try {
  const [file, ...args] = process.argv.slice(2)
  if (file === undefined) throw new SetupError('usage: node scripts/run.js FILE [arguments]')
  await ensureInstalled()
  await ensureBuilt(...(resolve(file).startsWith(at('dist', 'test')) ? ['app', 'web', 'test'] : ['app']))
  process.exitCode = await launch(resolve(file), args)
} catch (error) {
  fail(error)
}
