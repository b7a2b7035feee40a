/** `link show`, `link join` and `link scan`. */
import { createInterface } from 'node:readline/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { errorOf, PeerError } from '../../errors.ts'
import type { NodePeer } from '../../node-peer.ts'
import type { LinkingState } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { nameOf, printable, recordLine, type Output } from '../output.ts'
import { readQrPicture } from '../qr-picture.ts'
import { historyComing, LINKED_QUIET_MS } from './history-coming.ts'
import { EXIT, orTimeout, REGISTER_TIMEOUT_MS, requireLive, type Run } from './runnable.ts'

/** A code is good for ten minutes. */
const SHOW_TIMEOUT_MS = 10 * 60 * 1000
/** The new device asks for chats at once, and again and again. If it does not for so long, it has ended. */
const QUIET_MS = 15_000
const LOOK_MS = 100
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export const linkShow: Run<'linkShow'> = async (peer, command, output) => {
  await requireLive(peer)
  const signal = AbortSignal.timeout(command.timeoutMs ?? SHOW_TIMEOUT_MS)
  const stopListening = endedByInterrupt(peer)
  try {
    return await orTimeout(signal, 'link-device', async () => {
      if (!(await peer.online(command.timeoutMs ?? REGISTER_TIMEOUT_MS))) throw commandError('no-node-in-time', {})
      const { code } = await peer.linking.show()
      const { words, address, expiresAt } = code!
      await output.print({ code: words, address, expiresAt }, await codeText(code!))
      const done = await finished(peer, state => ask(peer, state, command.yes, output))
      // Standard output has one line, the code, for scripts.
      output.note(`Added "${printable(done.deviceName ?? '')}".`)
      output.note(await shipped(peer, signal))
      return EXIT.done
    })
  } catch (error) {
    if (error instanceof PeerError && error.code === 'link-expired')
      throw commandError('timed-out', { task: 'link-device' })
    throw error
  } finally {
    stopListening()
    await peer.linking.cancel()
  }
}

/**
 * An interrupt (Ctrl-C) ends the linking on the other side, too, and then this process as it always does; a second interrupt
 * does so at once.
 * @returns what ends this.
 */
function endedByInterrupt(peer: NodePeer): () => void {
  const stop = (): void => SIGNALS.forEach(signal => process.off(signal, onSignal))
  const onSignal = (signal: NodeJS.Signals): void => {
    stop()
    void peer.linking
      .cancel()
      .catch(() => undefined)
      .finally(() => process.kill(process.pid, signal))
  }
  for (const signal of SIGNALS) process.once(signal, onSignal)
  return stop
}

/**
 * Waits while the new device takes the chats, which come from this process: they go on with the next command here, too, as
 * long as the new device runs.
 * @returns what to say about it.
 */
async function shipped(peer: NodePeer, signal: AbortSignal): Promise<string> {
  let heardAt = performance.now()
  const stop = peer.on('snapshot', () => (heardAt = performance.now()))
  try {
    while (!signal.aborted && performance.now() - heardAt < QUIET_MS) {
      const { shipping } = await peer.history.status()
      if (shipping.length > 0 && shipping.every(({ isDone }) => isDone)) return 'It has all chats.'
      await pause(LOOK_MS)
    }
  } finally {
    stop()
  }
  return 'It has not got all chats yet. They go on while both devices run, such as with "volo-peer listen".'
}

/** Waits for the end of a linking. @throws PeerError as it failed. */
function finished(peer: NodePeer, onAsking: (state: LinkingState) => void): Promise<LinkingState> {
  return new Promise((resolve, reject) => {
    let isAsked = false
    const look = (state: LinkingState | null): void => {
      if (state?.step === 'asking' && !isAsked) {
        isAsked = true
        onAsking(state)
      }
      if (state?.step !== 'done' && state?.step !== 'failed') return
      stop()
      if (state.failure) reject(errorOf(state.failure))
      else resolve(state)
    }
    const stop = peer.on('snapshot', ({ linking }) => look(linking))
    look(peer.linking.state)
  })
}

function ask(peer: NodePeer, { deviceName, checkWords }: LinkingState, yes: boolean, output: Output): void {
  const name = printable(deviceName ?? '')
  output.note(`"${name}" wants to be added. Both devices show: ${checkWords!.join(' ')}`)
  if (yes) return void peer.linking.answer(true)
  // On stderr: standard output may be read by a script.
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const noAnswer = new Promise<string>(resolve => lines.once('close', () => resolve('no')))
  void Promise.race([lines.question(`Add "${name}"? The words must be the same on both. [y/N] `), noAnswer])
    .then(answer => peer.linking.answer(/^y(es)?$/i.test(answer.trim())))
    .finally(() => lines.close())
}

/** The QR code in block characters, the words below it. */
async function codeText({ words, address }: NonNullable<LinkingState['code']>): Promise<string> {
  const { encodeQR } = await import('qr')
  return `${encodeQR(address, 'ascii')}\nOn the new device: "I already use Volo", then scan this, or type:\n\n  ${words}\n\nGood for ten minutes, for one device.`
}

export const linkJoin: Run<'linkJoin'> = (peer, command, output) => join(peer, command, command.code, output)

export const linkScan: Run<'linkScan'> = async (peer, command, output) =>
  join(peer, command, await readQrPicture(command.picture), output)

async function join(
  peer: NodePeer,
  { name, timeoutMs = SHOW_TIMEOUT_MS }: { name: string; timeoutMs: number | undefined },
  code: string,
  output: Output
): Promise<number> {
  const signal = AbortSignal.timeout(timeoutMs)
  const stopListening = endedByInterrupt(peer)
  const stop = peer.on('snapshot', ({ linking }) => {
    if (linking?.step !== 'asking') return
    output.note(`Both devices show: ${linking.checkWords!.join(' ')}. Say yes on the other one.`)
    stop()
  })
  try {
    const self = await orTimeout(signal, 'link-device', () => peer.linking.join(code, name))
    const { checkWords } = peer.linking.state ?? { checkWords: null }
    const { accountId, deviceId, username, displayName, deviceName } = self
    await output.print(
      { accountId, deviceId, username, displayName, deviceName, checkWords },
      `This device belongs to ${nameOf(self)} now.\nAccount ${accountId}, ${recordLine(self.record)}.`
    )
    await historyComing(peer, output, LINKED_QUIET_MS)
    return EXIT.done
  } finally {
    stop()
    stopListening()
  }
}
