// Finds a Chromium for the browser tests: environment variable, system, Debian's package, Playwright's own download.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const MAC = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium'
]

/** What a package manager may print. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** Path of an installed Chromium, or undefined. */
export function installedChromium() {
  const chosen = process.env.VOLO_CHROMIUM ?? process.env.CHROME_PATH
  if (chosen) {
    if (!existsSync(chosen)) throw new Error(`VOLO_CHROMIUM names ${chosen}, which does not exist.`)
    return chosen
  }
  const folders = (process.env.PATH ?? '').split(delimiter)
  const candidates = NAMES.flatMap(name => folders.map(folder => join(folder, name)))
  return [...candidates, ...MAC].find(path => existsSync(path))
}

/** Runs a command beside everything else. @returns whether it ended well. */
async function tryRun(command, args, options = {}) {
  try {
    await promisify(execFile)(command, args, { maxBuffer: MAX_OUTPUT_BYTES, ...options })
    return true
  } catch {
    return false
  }
}

/** Finds or installs a Chromium. Returns its path; undefined means Playwright's own, which it finds by itself. */
export async function ensureChromium() {
  const found = installedChromium()
  if (found) return found
  if (process.platform === 'linux' && process.getuid?.() === 0 && (await tryRun('apt-get', ['--version']))) {
    console.log('Installing Chromium for the browser tests (apt-get) …')
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    await tryRun('apt-get', ['update', '-q'], { env: environment })
    const install = ['install', '-y', '-q', '--no-install-recommends', 'chromium']
    if (await tryRun('apt-get', install, { env: environment })) return installedChromium()
  }
  console.log('Downloading Chromium for the browser tests (Playwright) …')
  if (await tryRun(process.execPath, ['node_modules/@playwright/test/cli.js', 'install', 'chromium'])) return undefined
  throw new Error(
    'No Chromium for the browser tests: install one (for example "apt-get install chromium") or set VOLO_CHROMIUM to its path.'
  )
}
