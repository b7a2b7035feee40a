/** What the commands share: exit codes, times to wait, and checks of the own account. */
import { setTimeout as pause } from 'node:timers/promises'
import type { NodePeer } from '../../node-peer.ts'
import { PeerError } from '../../errors.ts'
import type { Me, PeerStatus } from '../../peer-api.ts'
import type { Command } from '../command-line.ts'
import { commandError, type TimedTask } from '../errors.ts'
import type { Output } from '../output.ts'

/** A command that needs a peer. */
export type Runnable = Exclude<Command, { kind: 'help' | 'version' }>
/** The command of one kind. */
export type CommandOf<K extends Runnable['kind']> = Extract<Runnable, { kind: K }>
/** Runs one command. @returns the exit code. */
export type Run<K extends Runnable['kind']> = (peer: NodePeer, command: CommandOf<K>, output: Output) => Promise<number>

/** Exit codes, see `volo-peer --help`. */
export const EXIT = { done: 0, failed: 1, usage: 2, timedOut: 3 } as const

/** Default of `--timeout` for commands that wait for the network. */
export const SEND_TIMEOUT_MS = 30_000
/** Default of `--timeout` for commands that change the public record. */
export const REGISTER_TIMEOUT_MS = 60_000
/** How long a command waits for the username: on a devnet that is usually long enough. */
export const NAME_WAIT_MS = 12_000
/** Longest wait for packets that are parked, and how often it is looked. */
const PARKED_MS = 10_000
const LOOK_MS = 25
/** What others did is waited for so long, once there is a connection. */
export const COMING_MS = 10_000
/** A command that only looks answers from the device after this long without a connection. */
export const LOOK_UP_TIMEOUT_MS = 3_000

/** @throws CommandError `nobody-registered`. */
export async function requireRegistered(peer: NodePeer): Promise<void> {
  if ((await peer.snapshot()).stage !== 'ready') {
    throw commandError('nobody-registered', {})
  }
}

/** @throws PeerError `held` on a device that was removed: no node lets it in. */
export async function requireLive(peer: NodePeer): Promise<void> {
  await requireRegistered(peer)
  const { deviceState } = await me(peer)
  if (deviceState === 'live') return
  const reason = deviceState === 'read-only' ? deviceState : 'device-removed'
  throw new PeerError('held', { reason, username: null })
}

/**
 * Waits for what others did while no command ran: they may have made this account an admin, or removed it. Without a connection
 * in time the command goes on with what this device knows.
 */
export async function catchUp(peer: NodePeer, timeoutMs: number): Promise<void> {
  const until = performance.now() + timeoutMs
  if (!(await peer.online(timeoutMs)) || !(await peer.caughtUp(until - performance.now()))) return
  // What came from people who are new here is parked while they are looked up; a stranger may let it wait for ever.
  const end = Math.min(until, performance.now() + PARKED_MS)
  while (peer.counts.parked > 0 && performance.now() < end) await pause(LOOK_MS)
}

/** Waits for what others wrote while no command ran, unless the network cannot be reached. @returns whether it can. */
export async function soonCaughtUp(peer: NodePeer): Promise<boolean> {
  const offline = Promise.withResolvers<void>()
  const look = ({ connection, problem }: PeerStatus): void => {
    if (connection === 'offline' && problem !== null) offline.resolve()
  }
  const stop = peer.on('snapshot', ({ status }) => look(status))
  look((await peer.snapshot()).status)
  try {
    const isDone = catchUp(peer, LOOK_UP_TIMEOUT_MS).then(() => true)
    return await Promise.race([isDone, offline.promise.then(() => false)])
  } finally {
    stop()
  }
}

/** As {@link catchUp}, for a command that can do without: where there is no connection soon, it goes on. */
export async function takeIn(peer: NodePeer, timeoutMs: number | undefined): Promise<void> {
  if (await peer.online(Math.min(timeoutMs ?? LOOK_UP_TIMEOUT_MS, SEND_TIMEOUT_MS))) {
    await catchUp(peer, timeoutMs ?? COMING_MS)
  }
}

/** The own account and device; call {@link requireRegistered} first. */
export async function me(peer: NodePeer): Promise<Me> {
  return (await peer.snapshot()).me!
}

/** @throws CommandError `timed-out` once the signal fires before `work` is done. */
export async function orTimeout<T>(signal: AbortSignal, task: TimedTask, work: () => Promise<T>): Promise<T> {
  const timedOut = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(commandError('timed-out', { task })))
  })
  timedOut.catch(() => undefined)
  return Promise.race([work(), timedOut])
}
