import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { at } from './checkout.js'

const POLL_MS = 100

/**
 * Runs `work` while no other script of this checkout holds the same lock: two commands started at once must not install
 * or build over each other. A lock whose owner is gone is taken over.
 */
export async function withLock(name, work) {
  const file = at('.cache', `${name}.lock`)
  mkdirSync(at('.cache'), { recursive: true })
  while (!tryLock(file)) await sleep(POLL_MS)
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function tryLock(file) {
  try {
    const handle = openSync(file, 'wx')
    writeSync(handle, String(process.pid))
    closeSync(handle)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (!isOwned(file)) rmSync(file, { force: true })
    return false
  }
}

function isOwned(file) {
  try {
    const owner = readFileSync(file, 'utf8')
    // A lock is empty between its creation and its first byte; its owner lives.
    if (owner === '') return true
    process.kill(Number(owner), 0)
    return true
  } catch (error) {
    // EPERM: the process lives, but belongs to another user. ENOENT: the owner released the lock just now, try again.
    return error.code === 'EPERM' || error.code === 'ENOENT'
  }
}
