/** `recovery make`, `recovery status`, `recovery refuse` and `recovery use`. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { PeerError } from '../../errors.ts'
import type { RecoveryState } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { nameOf, recordLine } from '../output.ts'
import { EXIT, me, orTimeout, REGISTER_TIMEOUT_MS, requireLive, requireRegistered, type Run } from './runnable.ts'

/** Longest file that is read for a code, in bytes. */
const MAX_FILE_BYTES = 16 * 1024

/** Failures after which no node has the record. */
const NOT_TAKEN: ReadonlySet<string> = new Set(['recovery-code', 'recovery-waits', 'refused', 'held', 'no-account'])

export const recoveryMake: Run<'recoveryMake'> = async (peer, command, output) => {
  await requireLive(peer)
  const timeoutMs = command.timeoutMs ?? REGISTER_TIMEOUT_MS
  const state = await orTimeout(AbortSignal.timeout(timeoutMs), 'make-code', async () => {
    if (!(await peer.online(timeoutMs))) throw commandError('no-node-in-time', {})
    const { code, text } = await peer.recovery.draft()
    // Before the network hears of it: a code that counts and is written nowhere would be lost.
    await writeCode(command.out, text)
    try {
      return await peer.recovery.set(code)
    } catch (error) {
      // Any other failure may have come after a node took the record: the code may count, so the file stays.
      if (error instanceof PeerError && NOT_TAKEN.has(error.code)) await rm(command.out, { force: true })
      else output.note(`The code in ${command.out} may count already. Keep it, and look with "recovery status".`)
      throw error
    }
  })
  await output.print({ ...state, out: command.out }, `The recovery code is in ${command.out}. ${stateWords(state)}`)
  return EXIT.done
}

/** A new file, for its owner alone: one that is there already is never written over. */
async function writeCode(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw commandError('file-not-written', { file, detail: String((error as NodeJS.ErrnoException).code ?? error) })
  }
}

export const recoveryStatus: Run<'recoveryStatus'> = async (peer, _command, output) => {
  await requireRegistered(peer)
  await peer.online(3_000)
  const state = await peer.recovery.state()
  await output.print(state, stateWords(state))
  return EXIT.done
}

export const recoveryRefuse: Run<'recoveryRefuse'> = async (peer, command, output) => {
  await requireLive(peer)
  const timeoutMs = command.timeoutMs ?? REGISTER_TIMEOUT_MS
  const state = await orTimeout(AbortSignal.timeout(timeoutMs), 'make-code', async () => {
    if (!(await peer.online(timeoutMs))) throw commandError('no-node-in-time', {})
    return peer.recovery.refuse()
  })
  await output.print(state, stateWords(state))
  return EXIT.done
}

export const recoveryUse: Run<'recoveryUse'> = async (peer, command, output) => {
  const signal = AbortSignal.timeout(command.timeoutMs ?? REGISTER_TIMEOUT_MS)
  const self = await orTimeout(signal, 'recover', async () => {
    const { stage, me: existing } = await peer.snapshot()
    if (stage === 'ready') throw commandError('directory-taken', { name: nameOf(existing!) })
    const code = await readCode(command.file)
    await peer.recovery.use({ username: command.username, code, deviceName: command.deviceName })
    await peer.online(command.timeoutMs ?? REGISTER_TIMEOUT_MS)
    return me(peer)
  })
  const { accountId, deviceId, username, displayName, deviceName, nameState, record } = self
  await output.print(
    { accountId, deviceId, username, displayName, deviceName, nameState, record },
    `@${command.username} is yours again, ${recordLine(record)}. Every other device of the account was ended.\n` +
      'The code is used up. Make a new one: volo-peer recovery make --out FILE'
  )
  return EXIT.done
}

/** The code in a file. @throws CommandError `file-not-read`. */
export async function readCode(file: string): Promise<string> {
  try {
    const bytes = await readFile(file)
    return bytes.subarray(0, MAX_FILE_BYTES).toString('utf8')
  } catch (error) {
    throw commandError('file-not-read', { file, detail: String((error as NodeJS.ErrnoException).code ?? error) })
  }
}

function stateWords({ isSet, waiting }: RecoveryState): string {
  if (waiting === null) return isSet ? 'This account has a recovery code.' : 'This account has no recovery code.'
  const from = new Date(waiting.countsFrom).toISOString().slice(0, 16).replace('T', ' ')
  const who = waiting.isByThis ? 'this device' : `device ${waiting.byDevice}`
  const before = isSet ? ' Until then the code before it counts.' : ''
  return `The code of ${who} counts from ${from} on; an older device can refuse it.${before}`
}
