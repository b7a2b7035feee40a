import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError } from '../config/config-error.ts'
import type { CommandArguments, Outcome } from './command-arguments.ts'
import { RunningNode } from './running-node.ts'

/** The node's own limit for a stop, and some. */
const DEADLINE_MS = 12_000
const LOOK_MS = 50

/** `volo-node drain`: asks the running node to end, and waits until its process is gone. */
export async function drain({ config }: CommandArguments): Promise<Outcome> {
  const node = await RunningNode.require(config)
  const { pid } = node.listening
  const begun = Date.now()
  await node.drain()
  while (isAlive(pid)) {
    if (Date.now() - begun > DEADLINE_MS)
      throw new ConfigError(`The node (process ${pid}) did not end in time: look at its log.`)
    await sleep(LOOK_MS)
  }
  const milliseconds = Date.now() - begun
  return { text: `The node has ended, after ${milliseconds} ms.`, json: { drained: true, pid, milliseconds } }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process lives, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
