import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { at, pinnedNode, root, SetupError, step } from './checkout.js'
import { withLock } from './lock.js'

const stampFile = at('node_modules', '.volo-install')
/** Lines of npm's complaint that are shown. */
const MAX_LINES = 15

/** Installs what package-lock.json names, unless node_modules holds exactly that already. */
export async function ensureInstalled() {
  const lockfile = readFileSync(at('package-lock.json'))
  const stamp = createHash('sha256').update(lockfile).update(`${process.platform}-${process.arch}`).digest('hex')
  if (isStamped(stamp)) return
  await withLock('install', async () => {
    if (isStamped(stamp)) return
    if (!matchesLockfile(JSON.parse(lockfile))) await step('installing dependencies', install)
    writeFileSync(stampFile, stamp)
  })
}

function isStamped(stamp) {
  return existsSync(pinnedNode) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp
}

/** Whether node_modules holds exactly what the lockfile names, for example after `npm ci` by hand. */
function matchesLockfile(lockfile) {
  const record = at('node_modules', '.package-lock.json')
  if (!existsSync(pinnedNode) || !existsSync(record)) return false
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages ?? {}
  return Object.entries(lockfile.packages).every(([path, wanted]) => {
    if (path === '') return true
    const found = installed[path]
    return found === undefined ? Boolean(wanted.optional || wanted.devOptional) : found.version === wanted.version
  })
}

function install() {
  // npm's own path, when npm started us: the same npm, and no search for `npm.cmd`.
  const npm = process.env.npm_execpath
  // Build tools are development dependencies, so they are asked for even where the environment says production.
  const args = ['ci', '--include=dev', '--loglevel=error', '--no-audit', '--no-fund', '--no-progress']
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }
  const result = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
  if (result.status === 0) return
  const lines = `${result.stderr ?? ''}${result.stdout ?? ''}`.trim().split('\n')
  const output = lines.slice(0, MAX_LINES).join('\n')
  throw new SetupError(
    `the dependencies could not be installed; "npm ci" shows the whole story.\n${result.error?.message ?? output}`
  )
}
