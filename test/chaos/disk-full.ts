/** A disk that is full for a moment under the stores of a node's services: what they acknowledged must be there afterwards. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { SERVICE_KINDS, ServiceStores } from './service-stores.ts'

export interface DiskFullResult {
  acknowledged: number
  /** Among these, after the disk had room again. */
  acknowledgedAfter: number
  /** `<kind> <name>` of what was acknowledged and is gone. */
  lost: string[]
}

/** Why a full disk cannot be shown on this machine, or undefined if it can. */
export function diskFullProblem(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux'
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'needs prlimit (package util-linux)'
  }
}

/** Fills the disk once under all stores of the services. */
export async function fillDisk(): Promise<DiskFullResult> {
  const folder = mkdtempSync(join(tmpdir(), 'volo-disk-full-'))
  try {
    // TypeScript when this runs unbuilt, JavaScript when it is built.
    const writer = join(import.meta.dirname, `service-writer${extname(import.meta.filename)}`)
    const child = spawn(process.execPath, [writer, folder, 'full'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: string[] = []
    const reader = createInterface({ input: child.stdout }).on('line', line => lines.push(line))
    await Promise.all([once(child, 'exit'), once(reader, 'close')])
    if (lines.at(-1) !== 'done') throw new Error(`the writer ended early, after ${lines.length} lines`)
    const turn = lines.indexOf('room again')
    const acknowledged = lines.filter(line => line.includes(' ') && line !== 'room again')
    return {
      acknowledged: acknowledged.length,
      acknowledgedAfter: lines.length - turn - 2,
      lost: await lostAmong(folder, acknowledged)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of acknowledged lines, those whose store does not have them. @throws if a store does not open. */
export async function lostAmong(folder: string, acknowledged: string[]): Promise<string[]> {
  const stores = await ServiceStores.open(folder)
  const lost: string[] = []
  for (const kind of SERVICE_KINDS) {
    const prefix = `${kind} `
    const names = acknowledged.filter(line => line.startsWith(prefix)).map(line => line.slice(prefix.length))
    for (const name of await stores.missing(kind, names)) lost.push(prefix + name)
  }
  await stores.close()
  return lost
}
