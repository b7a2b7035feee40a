import { readEnvironment } from '../../../peer/cli/config.ts'
import { runPeer } from '../../../peer/cli/run-peer.ts'

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
  let stdout = ''
  let stderr = ''
  const code = await runPeer(args, readEnvironment(env), {
    out: async text => void (stdout += text),
    err: text => void (stderr += text)
  })
  return { code, stdout, stderr }
}
