import { parseCommandLine } from '../../../peer/cli/command-line.ts'
import type { Runnable } from '../../../peer/cli/commands/runnable.ts'
import { readEnvironment } from '../../../peer/cli/config.ts'
import { createOutput, type Terminal } from '../../../peer/cli/output.ts'
import { runOn } from '../../../peer/cli/run-command.ts'
import { runPeer } from '../../../peer/cli/run-peer.ts'
import type { PeerEngine } from '../../../peer/peer-engine.ts'

/** What a command printed, and how it ended. */
export interface PeerRun {
  code: number
  stdout: string
  stderr: string
}

/**
 * Runs `volo-peer …` in this process, from its command line to what it prints. To start a process for each of the many
 * commands of a story takes longer than the story.
 * @param env - the environment of the command; nothing of this process's own.
 */
export async function peerInProcess(args: string[], env: Record<string, string> = {}): Promise<PeerRun> {
  return caught(terminal => runPeer(args, readEnvironment(env), terminal))
}

/** Runs the command of one command line on a peer that runs already, such as one of a fake network. */
export function commandOn(peer: PeerEngine, ...args: string[]): Promise<PeerRun> {
  return caught(terminal => {
    const command = parseCommandLine(args, 'unused') as Runnable
    return runOn(peer, command, createOutput(command.json, terminal))
  })
}

/** What a command with `--json` printed, and its exit code. */
export async function jsonOn(peer: PeerEngine, ...args: string[]): Promise<{ code: number; lines: unknown[] }> {
  const { code, stdout } = await commandOn(peer, ...args, '--json')
  const lines = stdout.split('\n').filter(line => line !== '')
  return { code, lines: lines.map(line => JSON.parse(line) as unknown) }
}

async function caught(run: (terminal: Terminal) => Promise<number>): Promise<PeerRun> {
  let stdout = ''
  let stderr = ''
  const code = await run({
    out: async text => void (stdout += text),
    err: text => void (stderr += text)
  })
  return { code, stdout, stderr }
}
