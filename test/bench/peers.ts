import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** What others publish, to be measured beside us. Never a dependency of the project. */
const PEERS = { '@signalapp/libsignal-client': '0.103.0', ws: '8.23.0' } as const
export type PeerName = keyof typeof PEERS

const folder = resolve(import.meta.dirname, '../../../.cache/bench-peers')

/**
 * Installs a peer into a folder of the bench's own, once.
 * @returns a `require` that finds it, or a sentence that says why it is absent.
 */
export async function fetchPeer(name: PeerName): Promise<NodeJS.Require | string> {
  const require = createRequire(join(folder, 'package.json'))
  if (existsSync(join(folder, 'node_modules', name))) return require
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'bench-peers', private: true }))
  try {
    const install = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', ...specs()]
    await promisify(execFile)('npm', install, { cwd: folder, timeout: 300_000 })
    return require
  } catch (cause) {
    return `${name} could not be installed: ${String(cause).split('\n')[0]}`
  }
}

// All at once, because npm removes what is not named.
const specs = (): string[] => Object.entries(PEERS).map(([name, version]) => `${name}@${version}`)
