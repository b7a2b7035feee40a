import type { NodePeer } from '../../node-peer.ts'
import type { PeerStatus } from '../../peer-api.ts'
import { catchUp } from './runnable.ts'

/** A command looks for what has just come no longer than this. */
const COMING_MS = 3_000

/** Waits for what others wrote while no command ran, unless the network cannot be reached. @returns whether it can. */
export async function soonCaughtUp(peer: NodePeer): Promise<boolean> {
  const offline = Promise.withResolvers<void>()
  const look = ({ connection, problem }: PeerStatus): void => {
    if (connection === 'offline' && problem !== null) offline.resolve()
  }
  const stop = peer.on('snapshot', ({ status }) => look(status))
  look((await peer.snapshot()).status)
  try {
    const isDone = catchUp(peer, COMING_MS).then(() => true)
    return await Promise.race([isDone, offline.promise.then(() => false)])
  } finally {
    stop()
  }
}
