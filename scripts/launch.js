import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { pinnedNode } from './checkout.js'

/** Milliseconds between two checks that npm still runs. */
const PARENT_CHECK_MS = 300

/** Ends the child when npm was killed: the user wanted both to end. */
function endWithNpm(child) {
  if (!process.env.npm_lifecycle_event) return
  const npm = process.ppid
  setInterval(() => process.ppid !== npm && child.kill('SIGTERM'), PARENT_CHECK_MS).unref()
}

/**
 * Runs a built file on the pinned Node.js as if it were this process: same terminal, signals passed on, same exit code.
 *
 * @param tied - end the child when npm or this process is gone, also after a kill: the child notices through its IPC channel.
 * @returns the exit code for this process.
 */
export function launch(file, args, { tied = false, cwd = process.cwd() } = {}) {
  const child = spawn(pinnedNode, [file, ...args], {
    cwd,
    stdio: tied ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit'
  })
  // A terminal sends its signal to both processes; the child takes the second signal as the same request.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  if (tied) endWithNpm(child)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal === null ? code : 128 + constants.signals[signal]))
  })
}
