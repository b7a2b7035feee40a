import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../support/network/real-processes/node-process.ts'

/** What others publish, to be measured beside us. Never a dependency of the project. */
const PEERS = { '@signalapp/libsignal-client': '0.103.0', ws: '8.23.0' } as const
export type PeerName = keyof typeof PEERS

const INSTALL_TIMEOUT_MS = 300_000
const FOLDER = join(root, '.cache', 'bench-peers')

/** A script that measures a peer; not built, since it may not import anything of ours. */
export const peerScript = (name: string): string => join(root, 'test', 'bench', 'peers', name)

/**
 * Installs a peer into a folder of the bench's own, once.
 * @returns the folder with its `node_modules`, or a sentence that says why the peer is absent.
 */
export async function peersFolder(
  name: PeerName,
  { folder = FOLDER, npm = 'npm' }: { folder?: string; npm?: string } = {}
): Promise<{ path: string; problem?: undefined } | { path?: undefined; problem: string }> {
  if (existsSync(join(folder, 'node_modules', name))) return { path: folder }
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'bench-peers', private: true }))
  // All at once, because npm removes what is not named.
  const specs = Object.entries(PEERS).map(([peer, version]) => `${peer}@${version}`)
  try {
    const install = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', ...specs]
    await promisify(execFile)(npm, install, { cwd: folder, timeout: INSTALL_TIMEOUT_MS })
    return { path: folder }
  } catch (cause) {
    return { problem: `${name} could not be installed: ${String(cause).split('\n')[0]}` }
  }
}
