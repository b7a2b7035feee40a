import { setTimeout as pause } from 'node:timers/promises'
import type { NodePeer } from '../../node-peer.ts'
import type { HistoryStatus } from '../../peer-api.ts'
import type { Output } from '../output.ts'
import { LOOK_UP_TIMEOUT_MS } from './runnable.ts'

/** History goes on with the next command: no command waits longer for it. */
const LONGEST_MS = 30_000
/** The other device has ended if nothing comes for so long … */
const QUIET_MS = 4_000
/** … and right after the two were linked, when it surely runs. */
export const LINKED_QUIET_MS = 12_000
const LOOK_MS = 50
/** Between two words about the progress. */
const SAY_MS = 1_000

const isOver = ({ state }: HistoryStatus): boolean => state === 'done' || state === 'stopped'

/**
 * Waits while history from another own device is coming in, which it does only while both run. Does nothing on a device that
 * waits for none.
 */
export async function historyComing(peer: NodePeer, output: Output, quietMs = QUIET_MS): Promise<void> {
  let status = await peer.history.status()
  if (status.state === 'none' || isOver(status)) return
  if (!(await peer.online(LOOK_UP_TIMEOUT_MS))) return
  const end = performance.now() + LONGEST_MS
  let cameAt = performance.now()
  let saidAt = performance.now()
  while (!isOver(status) && performance.now() < Math.min(end, cameAt + quietMs)) {
    await pause(LOOK_MS)
    const before = status.messages
    status = await peer.history.status()
    if (status.messages !== before) cameAt = performance.now()
    if (status.state !== 'receiving' || performance.now() < saidAt + SAY_MS) continue
    output.note(`Chats ${status.chats} of ${status.chatsTotal}`)
    saidAt = performance.now()
  }
}
