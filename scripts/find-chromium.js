// Finds a Chromium for the browser tests: environment variable, system, Debian's package, Playwright's own download.
// A headless shell comes first: the same engine without a browser's own windows, which take a third of the CPU in tests.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const SHELL = 'chromium-headless-shell'
const NAMES = [SHELL, 'chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const MAC = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium'
]

/** What a package manager may print. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** Path of the Chromium that the environment names, or undefined. */
function chosenChromium() {
  const chosen = process.env.VOLO_CHROMIUM ?? process.env.CHROME_PATH
  if (chosen && !existsSync(chosen)) throw new Error(`VOLO_CHROMIUM names ${chosen}, which does not exist.`)
  return chosen
}

function onPath(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap(name => folders.map(folder => join(folder, name))).find(path => existsSync(path))
}

/** Path of an installed Chromium, or undefined. */
export function installedChromium() {
  return chosenChromium() ?? onPath(...NAMES) ?? MAC.find(path => existsSync(path))
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

/** Installs Debian's headless shell and, where it is missing, the whole browser. @returns whether one of them is there now. */
async function installPackage() {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await tryRun('apt-get', ['update', '-q'], { env })
  const install = name => tryRun('apt-get', ['install', '-y', '-q', '--no-install-recommends', name], { env })
  const hasShell = await install(SHELL)
  // The shell has no camera, which one test plays.
  return onPath('chromium') !== undefined || (await install('chromium')) || hasShell
}

/** Finds or installs a Chromium. Returns its path; undefined means Playwright's own, which it finds by itself. */
export async function ensureChromium() {
  const wanted = chosenChromium() ?? onPath(SHELL)
  if (wanted) return wanted
  if (process.platform === 'linux' && process.getuid?.() === 0 && (await tryRun('apt-get', ['--version']))) {
    console.log('Installing Chromium for the browser tests (apt-get) …')
    await installPackage()
  }
  const found = installedChromium()
  if (found) return found
  console.log('Downloading Chromium for the browser tests (Playwright) …')
  if (await tryRun(process.execPath, ['node_modules/@playwright/test/cli.js', 'install', 'chromium'])) return undefined
  throw new Error(
    'No Chromium for the browser tests: install one (for example "apt-get install chromium") or set VOLO_CHROMIUM to its path.'
  )
}
