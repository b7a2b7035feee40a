/**
 * Cuts the power under the stores of a node: a file system on a loop device is shut down without flushing its log,
 * the writer is killed, the file system comes back, and everything that was acknowledged must be there.
 *
 * SIGKILL alone cannot tell a synced store from an unsynced one: the page cache survives the process.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { toHex } from '../../protocol/bytes.ts'
import { lostAmong } from './disk-full.ts'
import { storeAt, POWER_CUT_MAILBOX } from './power-cut-writer.ts'

const IMAGE_MIB = 128
const PAGE = { count: 1000, bytes: 4 * 1024 * 1024 }

export interface PowerCutResult {
  subject: PowerCutSubject
  fileSystem: 'ext4' | 'xfs'
  syncWrites: boolean
  rounds: number
  acknowledged: number
  lost: number
  failedOpens: number
}

/** Why power cannot be cut on this machine, or undefined if it can. */
export function powerCutProblem(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux, to mount loop devices'
  for (const [tool, packageName] of [
    ['mkfs.ext4', 'e2fsprogs'],
    ['xfs_io', 'xfsprogs']
  ] as const) {
    try {
      execFileSync('which', [tool], { stdio: 'ignore' })
    } catch {
      return `needs ${tool} (package ${packageName})`
    }
  }
  return undefined
}

/** Stores whose power is cut. */
export type PowerCutSubject = 'messages' | 'services'

/** Cuts the power `rounds` times, on a fresh file system each time. */
export async function cutPower(
  fileSystem: 'ext4' | 'xfs',
  syncWrites: boolean,
  rounds: number,
  subject: PowerCutSubject = 'messages'
): Promise<PowerCutResult> {
  const result: PowerCutResult = { subject, fileSystem, syncWrites, rounds, acknowledged: 0, lost: 0, failedOpens: 0 }
  const folder = mkdtempSync(join(tmpdir(), 'volo-power-cut-'))
  try {
    for (let round = 0; round < rounds; round++) await cutOnce(folder, result)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return result
}

async function cutOnce(folder: string, result: PowerCutResult): Promise<void> {
  const image = join(folder, 'disk.img')
  const mount = join(folder, 'mount')
  mkdirSync(mount, { recursive: true })
  rmSync(image, { force: true })
  execFileSync('truncate', ['-s', `${IMAGE_MIB}M`, image])
  // xfs refuses file systems below 300 MB unless told that this is a test.
  const options = result.fileSystem === 'xfs' ? ['-q', '-f', '--unsupported'] : ['-q', '-F']
  execFileSync(`mkfs.${result.fileSystem}`, [...options, image], { stdio: 'ignore' })
  execFileSync('mount', ['-o', 'loop', image, mount])
  try {
    const acknowledged = await writeUntilCut(mount, result)
    execFileSync('umount', [mount])
    execFileSync('mount', ['-o', 'loop', image, mount])
    const lost = await countLost(result.subject, join(mount, 'store'), acknowledged)
    result.acknowledged += acknowledged.size
    if (lost === undefined) result.failedOpens++
    result.lost += lost ?? acknowledged.size
  } finally {
    execFileSync('umount', [mount])
  }
}

/** @returns the ids that the store had called safe when the power went. */
async function writeUntilCut(
  mount: string,
  { subject, syncWrites }: Pick<PowerCutResult, 'subject' | 'syncWrites'>
): Promise<Set<string>> {
  const folder = join(mount, 'store')
  const [name, ...settings] =
    subject === 'messages' ? ['power-cut-writer', folder] : ['service-writer', folder, 'power']
  // TypeScript when this runs unbuilt, JavaScript when it is built.
  const writer = join(import.meta.dirname, `${name}${extname(import.meta.filename)}`)
  const child = spawn(process.execPath, [writer, ...settings, String(syncWrites)], {
    stdio: ['ignore', 'pipe', 'ignore']
  })
  const acknowledged = new Set<string>()
  let isCut = false
  const lines = createInterface({ input: child.stdout })
  lines.on('line', id => {
    if (acknowledged.size === 0) {
      setTimeout(
        () => {
          isCut = true
          execFileSync('xfs_io', ['-x', '-c', 'shutdown', mount])
          child.kill('SIGKILL')
        },
        150 + Math.random() * 350
      )
    }
    if (!isCut) acknowledged.add(id)
  })
  await Promise.all([once(child, 'exit'), once(lines, 'close')])
  return acknowledged
}

/** How much of what was acknowledged is gone; undefined if a store does not open. */
async function countLost(
  subject: PowerCutSubject,
  folder: string,
  acknowledged: Set<string>
): Promise<number | undefined> {
  if (subject === 'services') {
    return lostAmong(folder, [...acknowledged]).then(
      lost => lost.length,
      () => undefined
    )
  }
  const held = await readBack(folder)
  return held && [...acknowledged].filter(id => !held.has(id)).length
}

/** @returns the ids that can be read back whole, or undefined if the store does not open. */
async function readBack(directory: string): Promise<Set<string> | undefined> {
  const store = storeAt(directory, true, () => undefined)
  try {
    await store.open()
  } catch {
    return undefined
  }
  const held = new Set<string>()
  for (let after = 0; ;) {
    const page = await store.pendingAfter(POWER_CUT_MAILBOX, after, PAGE)
    for (const { delivery } of page) held.add(toHex(delivery.id))
    if (page.length === 0) break
    after = page.at(-1)!.sequence
  }
  await store.close()
  return held
}
