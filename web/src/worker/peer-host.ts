import { failureOf, isLockedOut, PeerError } from '../../../peer/errors.ts'
import { PEER_CALLS, type PeerApi, type PeerAreas } from '../../../peer/peer-api.ts'
import type { BrowserLock } from '../../../peer/store/browser/browser-lock.ts'
import type { LockWays, Opener } from '../../../peer/store/browser/key-slots.ts'
import type { AskFrame, CallFrame, EventFrame, FramePort, HostFrame, TabFrame } from './frames.ts'
import type { LockApi, LockCall } from './lock-api.ts'
import { answerLock } from './lock-calls.ts'

/** A tab, seen from the host. */
export type TabPort = FramePort<HostFrame, TabFrame>

/** A peer that runs, and the lock of its store. */
export interface HostedPeer {
  api: PeerApi
  lock: BrowserLock
  stop(): Promise<void>
}

export interface PeerHostComponents {
  /**
   * Opens and starts the one peer of this browser profile.
   *
   * @param opener - what opens the lock, if a tab gave it.
   * @param onEnded - called if the peer ends by itself: the next call then opens another one.
   */
  open(opener: Opener | undefined, onEnded: () => void): Promise<HostedPeer>
  /** Which ways open the browser, whether or not the peer is open. */
  ways(): Promise<LockWays>
  /** Deletes what the peer keeps; the peer has stopped. */
  forget(): Promise<void>
}

/** Calls of the lock after which no peer is open. */
const SHUTTING: ReadonlySet<string> = new Set<LockCall>(['lockNow', 'forget'])

/**
 * Serves one peer to any number of tabs: answers their calls, and fans events out to all of them. The peer is opened at
 * the first call; when that fails every waiting call fails with the reason, and the next call tries again.
 */
export class PeerHost {
  readonly #components: PeerHostComponents
  readonly #tabs = new Set<TabPort>()
  #peer: Promise<HostedPeer> | null = null

  constructor(components: PeerHostComponents) {
    this.#components = components
  }

  /** Takes a tab in, until it says `bye` or {@link forget} is called. @param life - see {@link HostFrame}. */
  serve(tab: TabPort, life?: string): void {
    this.#tabs.add(tab)
    tab.listen(frame => {
      if (frame.kind === 'bye') this.forget(tab)
      else if (frame.kind !== 'knock') void this.#answer(tab, frame)
    })
    tab.send({ kind: 'hello', ...(life !== undefined && { life }) })
  }

  /** Sends nothing more to a tab. */
  forget(tab: TabPort): void {
    this.#tabs.delete(tab)
  }

  readonly #lock: Omit<LockApi, 'onLocked'> = {
    ways: () => this.#components.ways(),
    unlock: async opener => {
      const { api } = await this.#unlocked(opener)
      // The other tabs show that it is locked.
      this.#tellAll({ kind: 'event', event: 'snapshot', value: await api.snapshot() })
    },
    state: async () => (await this.#ready()).lock.state(),
    replace: async (openers, current) => (await this.#ready()).lock.replace(openers, current),
    add: async (opener, current) => (await this.#ready()).lock.add(opener, current),
    lockNow: () => this.#shut(),
    forget: () => this.#shut(() => this.#components.forget())
  }

  async #answer(tab: TabPort, frame: AskFrame): Promise<void> {
    const { id } = frame
    try {
      tab.send({ kind: 'answer', id, value: await this.#valueOf(frame) })
    } catch (error) {
      const failure = failureOf(error)
      if (failure.code === 'internal') console.error(error)
      tab.send({ kind: 'failure', id, failure })
    }
    // After the answer: a tab gives up its calls when it hears of another peer.
    if (frame.kind === 'lock' && SHUTTING.has(frame.method)) this.#reopen()
  }

  async #valueOf(frame: AskFrame): Promise<unknown> {
    if (frame.kind === 'lock') return answerLock(this.#lock, frame)
    if (frame.kind === 'call') requireListed(frame)
    const { api } = await this.#ready()
    return frame.kind === 'call' ? callOf(api, frame)(...frame.args) : api.snapshot()
  }

  #ready(opener?: Opener): Promise<HostedPeer> {
    this.#peer ??= this.#open(opener).catch((error: unknown) => {
      this.#peer = null
      throw error
    })
    return this.#peer
  }

  async #unlocked(opener: Opener): Promise<HostedPeer> {
    for (;;) {
      try {
        return await this.#ready(opener)
      } catch (error) {
        // That was the attempt of another call, which had no opener.
        if (!isLockedOut(error)) throw error
      }
    }
  }

  async #open(opener: Opener | undefined): Promise<HostedPeer> {
    const peer = await this.#components.open(opener, () => this.#reopen())
    peer.api.on('snapshot', value => this.#tellAll({ kind: 'event', event: 'snapshot', value }))
    peer.api.on('message', value => this.#tellAll({ kind: 'event', event: 'message', value }))
    peer.api.on('backup', value => this.#tellAll({ kind: 'event', event: 'backup', value }))
    peer.api.on('typing', value => this.#tellAll({ kind: 'event', event: 'typing', value }))
    peer.api.on('presence', value => this.#tellAll({ kind: 'event', event: 'presence', value }))
    peer.api.on('transfer', value => this.#tellAll({ kind: 'event', event: 'transfer', value }))
    return peer
  }

  /** Stops the peer, if it is open; `#reopen` comes next. @param then - runs before the peer may open again. */
  async #shut(then: () => Promise<void> = async () => undefined): Promise<void> {
    const peer = this.#peer
    const shut = (async () => {
      const opened = await peer?.catch(() => undefined)
      await opened?.stop()
      await then()
    })()
    // Calls that come before `#reopen` fail as those of a peer that ends.
    this.#peer = shut.then(() => Promise.reject(new PeerError('interrupted')))
    this.#peer.catch(() => undefined)
    await shut
  }

  /** Tells the tabs what they are told when another host takes over: each call under way is given up or made again. */
  #reopen(): void {
    this.#peer = null
    for (const tab of this.#tabs) tab.send({ kind: 'hello' })
  }

  #tellAll(frame: EventFrame): void {
    for (const tab of this.#tabs) tab.send(frame)
  }
}

/** A page may reach what the peer lists, and nothing else of its objects. @throws PeerError `malformed-call`. */
function requireListed({ area, method }: CallFrame): void {
  const isListed = Object.hasOwn(PEER_CALLS, area) && Object.hasOwn(PEER_CALLS[area as keyof PeerAreas], method)
  if (!isListed) throw new PeerError('malformed-call')
}

function callOf(peer: PeerApi, { area, method }: CallFrame): (...args: unknown[]) => Promise<unknown> {
  const calls = peer[area as keyof PeerAreas] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  return calls[method]!.bind(calls)
}
