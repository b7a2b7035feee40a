import { failureOf, PeerError } from '../../../peer/errors.ts'
import { PEER_CALLS, type PeerApi, type PeerAreas } from '../../../peer/peer-api.ts'
import type { AskFrame, CallFrame, EventFrame, FramePort, HostFrame, TabFrame } from './frames.ts'

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
      else if (frame.kind !== 'knock') void this.#answer(tab, frame)
    })
    tab.send({ kind: 'hello', ...(life !== undefined && { life }) })
  }

  /** Sends nothing more to a tab. */
  forget(tab: TabPort): void {
    this.#tabs.delete(tab)
  }

  async #answer(tab: TabPort, frame: AskFrame): Promise<void> {
    const { id } = frame
    try {
      if (frame.kind === 'call') requireListed(frame)
      const peer = await this.#ready()
      const value = await (frame.kind === 'call' ? callOf(peer, frame)(...frame.args) : peer.snapshot())
      tab.send({ kind: 'answer', id, value })
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

/** A page may reach what the peer lists, and nothing else of its objects. @throws PeerError `malformed-call`. */
function requireListed({ area, method }: CallFrame): void {
  const isListed = Object.hasOwn(PEER_CALLS, area) && Object.hasOwn(PEER_CALLS[area as keyof PeerAreas], method)
  if (!isListed) throw new PeerError('malformed-call')
}

function callOf(peer: PeerApi, { area, method }: CallFrame): (...args: unknown[]) => Promise<unknown> {
  const calls = peer[area as keyof PeerAreas] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  return calls[method]!.bind(calls)
}
