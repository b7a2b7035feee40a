import type { NodePeer } from '../../node-peer.ts'
import type { BackupWork, FileTransfer } from '../../peer-api.ts'
import { sizeWords, type Output } from '../output.ts'

/** Before the first word, and between two. */
const SAY_MS = 1_000

const WORKS: Record<BackupWork['kind'], string> = {
  'backing-up': 'Backing up',
  checking: 'Checking',
  restoring: 'Restoring'
}

/** Runs what may take long, and says on standard error, once a second, how far files and backups are. */
export async function saidProgress<T>(peer: NodePeer, output: Output, work: () => Promise<T>): Promise<T> {
  let saidAt = performance.now()
  const say = (text: string): void => {
    const now = performance.now()
    if (now < saidAt + SAY_MS) return
    saidAt = now
    output.note(text)
  }
  const stops = [
    peer.on('transfer', transfer => say(transferLine(transfer))),
    peer.on('backup', step => step && step.total > 0 && say(`${WORKS[step.kind]}: ${step.done} of ${step.total} parts`))
  ]
  try {
    return await work()
  } finally {
    for (const stop of stops) stop()
  }
}

function transferLine({ direction, doneBytes, totalBytes }: FileTransfer): string {
  const what = direction === 'upload' ? 'Sending' : 'Fetching'
  return `${what}: ${sizeWords(doneBytes)} of ${sizeWords(totalBytes)}`
}
