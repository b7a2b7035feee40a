import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { pinnedNode } from './checkout.js'

/**
 * Runs a built file on the pinned Node.js as if it were this process: same terminal, signals passed on, same exit code.
 *
 * @param tied - end the child when this process is gone, however it went: it notices through its IPC channel.
 * @returns the exit code for this process.
 */
export function launch(file, args, { tied = false, cwd = process.cwd() } = {}) {
  const child = spawn(pinnedNode, [file, ...args], {
    cwd,
    stdio: tied ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit'
  })
  // A terminal sends its signal to both; what we start takes the second one as the same request.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal === null ? code : 128 + constants.signals[signal]))
  })
}
