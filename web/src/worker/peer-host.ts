import { failureOf, PeerError } from '../../../peer/errors.ts'
import type { PeerApi } from '../../../peer/peer-api.ts'
import {
  PEER_METHODS,
  type CallFrame,
  type EventFrame,
  type FramePort,
  type HostFrame,
  type TabFrame
} from './frames.ts'

/** A tab, seen from the host. */
export type TabPort = FramePort<HostFrame, TabFrame>

/**
 * Serves one peer to any number of tabs: answers their calls, and fans events out to all of them. The peer is opened at
 * the first call; when that fails every waiting call fails with the reason, and the next call tries again.
 */
export class PeerHost {
  readonly #openPeer: (onEnded: () => void) => Promise<PeerApi>
  readonly #tabs = new Set<TabPort>()
  #peer: Promise<PeerApi> | null = null

  /**
   * @param openPeer - opens and starts the one peer of this browser profile, and calls back if the peer ends by itself: the
   * next call then opens another one.
   */
  constructor(openPeer: (onEnded: () => void) => Promise<PeerApi>) {
    this.#openPeer = openPeer
  }

  /** Takes a tab in, until it says `bye` or {@link forget} is called. @param life - see {@link HostFrame}. */
  serve(tab: TabPort, life?: string): void {
    this.#tabs.add(tab)
    tab.listen(frame => {
      if (frame.kind === 'bye') this.forget(tab)
      else if (frame.kind === 'call') void this.#answer(tab, frame)
    })
    tab.send({ kind: 'hello', ...(life !== undefined && { life }) })
  }

  /** Sends nothing more to a tab. */
  forget(tab: TabPort): void {
    this.#tabs.delete(tab)
  }

  async #answer(tab: TabPort, call: CallFrame): Promise<void> {
    const { id, method, args } = call
    try {
      if (!Object.hasOwn(PEER_METHODS, method)) throw new PeerError('malformed-call')
      const peer = await this.#ready()
      const run = peer[method].bind(peer) as (...args: unknown[]) => Promise<unknown>
      tab.send({ kind: 'answer', id, value: await run(...args) })
    } catch (error) {
      const failure = failureOf(error)
      if (failure.code === 'internal') console.error(error)
      tab.send({ kind: 'failure', id, failure })
    }
  }

  #ready(): Promise<PeerApi> {
    this.#peer ??= this.#open().catch((error: unknown) => {
      this.#peer = null
      throw error
    })
    return this.#peer
  }

  async #open(): Promise<PeerApi> {
    const peer = await this.#openPeer(() => this.#reopen())
    peer.on('snapshot', value => this.#tellAll({ kind: 'event', event: 'snapshot', value }))
    peer.on('message', value => this.#tellAll({ kind: 'event', event: 'message', value }))
    return peer
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
