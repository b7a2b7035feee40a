/** Checks of the machine: disk, permissions of secrets. */
import { existsSync, lstatSync, statSync } from 'node:fs'
import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { DEFAULT_RELAY_LIMITS } from '../../clients/connection-manager.ts'
import type { NodeConfig } from '../../config/config.ts'
import { bytesText } from '../table.ts'
import { fail, ok, reasonOf, warn, type Finding } from './finding.ts'

const PROBES = 15
const PROBE = new Uint8Array(4096)
/** Every message waits for an fsync: a good disk takes one or two, a slow one is felt, a very slow one is of no use. */
const SLOW_FSYNC_MS = 20
const BAD_FSYNC_MS = 200
const MIB = 1024 * 1024
const COMFORTABLE_BYTES = 1024 * MIB
const OTHERS = 0o077

/** Speed and space of the disk with the data folder. */
export async function diskChecks({ dataDir, diskLowWaterMib }: NodeConfig): Promise<Finding[]> {
  if (!existsSync(dataDir)) {
    return [warn('disk', `${dataDir} does not exist yet.`, 'Start the node, then run doctor again.')]
  }
  try {
    const lowWater = diskLowWaterMib === undefined ? DEFAULT_RELAY_LIMITS.diskLowWaterBytes : diskLowWaterMib * MIB
    return [fsyncFinding(await medianFsync(dataDir)), await spaceCheck(dataDir, lowWater)]
  } catch (error) {
    const change = 'Check the permissions of the data folder and the disk, and run doctor as the user of the node.'
    return [fail('disk', `${dataDir} cannot be written (${reasonOf(error)}).`, change)]
  }
}

function fsyncFinding(milliseconds: number): Finding {
  const message = `One fsync takes ${milliseconds.toFixed(1)} ms (median of ${PROBES}).`
  const change = 'Put the data folder on a local SSD; network disks and busy machines are slow here.'
  if (milliseconds > BAD_FSYNC_MS) return fail('fsync', message, change)
  return milliseconds > SLOW_FSYNC_MS ? warn('fsync', message, change) : ok('fsync', message)
}

async function medianFsync(folder: string): Promise<number> {
  const file = join(folder, `doctor-${process.pid}`)
  const handle = await open(file, 'wx', 0o600)
  const times: number[] = []
  try {
    for (let i = 0; i < PROBES; i++) {
      const begun = performance.now()
      await handle.write(PROBE)
      await handle.datasync()
      times.push(performance.now() - begun)
    }
  } finally {
    await handle.close()
    await rm(file, { force: true })
  }
  return times.sort((a, b) => a - b)[PROBES >> 1]!
}

async function spaceCheck(folder: string, lowWater: number): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder)
  const message = `${bytesText(bavail * bsize)} are free on the disk; nothing new is stored below ${bytesText(lowWater)}.`
  const change = 'Make room, or move the data folder to a larger disk.'
  if (bavail * bsize <= lowWater) return fail('space', message, change)
  return bavail * bsize < lowWater + COMFORTABLE_BYTES ? warn('space', message, change) : ok('space', message)
}

/** Who can read what must be secret. */
export function secretChecks(config: NodeConfig): Finding[] {
  const { dataDir } = config
  const named = [config.nodeKeyFile, config.walletKeyFile, config.operatorKeyFile, config.chainProjectIdFile]
  const own = ['node.key', 'wallet.key', 'operator.key', 'listening.json'].map(name => join(dataDir, name))
  const paths = [dataDir, ...own, ...named].filter(path => path !== undefined).filter(path => existsSync(path))
  const open = paths.filter(path => (statSync(path).mode & OTHERS) !== 0 || isForeign(path))
  if (paths.length === 0) return [ok('secrets', 'There are no secret files yet.')]
  if (open.length === 0)
    return [ok('secrets', `Only their owner can read the ${paths.length} secret files and folders.`)]
  return open.map(path =>
    fail(
      'secrets',
      `Others can read ${path}, or own it.`,
      `Run "chmod go= ${path}", and give it to the user of the node.`
    )
  )
}

function isForeign(path: string): boolean {
  const { uid } = lstatSync(path)
  return process.geteuid !== undefined && uid !== process.geteuid() && uid !== 0
}
