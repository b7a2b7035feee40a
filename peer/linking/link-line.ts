import { ProtocolError } from '../../protocol/errors.ts'
import type { LinkChannel, LinkSide } from '../../protocol/linking/link-channel.ts'
import type { LinkMessage, LinkMessageKind, LinkMessageOf } from '../../protocol/linking/link-messages.ts'
import { PeerError } from '../errors.ts'
import type { Timers } from '../ports.ts'
import type { EndReason } from './end-reason.ts'
import type { LinkBoxes } from './link-boxes.ts'

/** The other device answers within this, except where its person is asked. */
export const STEP_MS = 30_000
/** The end of a linking is told for this long, and then left. */
const FAREWELL_MS = 3_000

export interface LinkLineComponents {
  channel: LinkChannel
  boxes: LinkBoxes
  timers: Timers
  /** Fires when this side's person ends the linking. */
  signal: AbortSignal
}

/** One side of a linking: sends its messages and waits for the other's, each within its time. */
export class LinkLine {
  readonly #components: LinkLineComponents
  readonly #side: LinkSide
  /** Messages of this side, in their places. */
  readonly #sent: Uint8Array[]

  /** @param sent - messages of this side that are in the box already. */
  constructor(components: LinkLineComponents, side: LinkSide, sent: readonly Uint8Array[] = []) {
    this.#components = components
    this.#side = side
    this.#sent = [...sent]
  }

  get #other(): LinkSide {
    return this.#side === 'old' ? 'new' : 'old'
  }

  /**
   * @returns whether it is in its place; false if another device was there first.
   * @throws PeerError `link-lost`, `link-cancelled` as by this side, `refused`, `not-a-node`.
   */
  async send(message: LinkMessage): Promise<boolean> {
    const { channel, boxes, timers, signal } = this.#components
    const index = channel.next(this.#side)
    const sealed = channel.seal(message)
    this.#sent.push(sealed)
    return cancellable(signal, () =>
      boxes.putWithin(timers.monotonic() + STEP_MS, channel.box(this.#side), index, sealed, signal)
    )
  }

  /**
   * The next message of the other side, which has to be of this kind.
   *
   * @param ms - time for it.
   * @throws PeerError `link-lost` without one, `link-broken` for one that does not open or is not its turn, and what the
   * other side's end means.
   */
  async receive<K extends LinkMessageKind>(kind: K, ms = STEP_MS): Promise<LinkMessageOf<K>> {
    const { channel, boxes, timers, signal } = this.#components
    const from = this.#other
    const sealed = await cancellable(signal, () =>
      boxes.getWithin(timers.monotonic() + ms, channel.box(from), channel.next(from), {
        signal,
        onLost: () => this.#putAgain()
      })
    )
    if (!sealed) throw new PeerError('link-lost')
    const message = opened(channel, sealed)
    if (message.kind === kind) return message as LinkMessageOf<K>
    if (message.kind === 'ended') throw endOf(message.reason)
    throw new PeerError('link-broken')
  }

  /** A node that was started again has empty boxes. What is there already stays as it is. Never rejects. */
  async #putAgain(): Promise<void> {
    const { channel, boxes, signal } = this.#components
    try {
      for (const [index, sealed] of this.#sent.entries()) {
        await boxes.put(channel.box(this.#side), index, sealed, signal)
      }
    } catch {
      // The next question meets the same failure.
    }
  }

  /** Tells the other side that it ends here. Never rejects. */
  async end(reason: EndReason): Promise<void> {
    const { channel, boxes, timers } = this.#components
    const index = channel.next(this.#side)
    const sealed = channel.seal({ kind: 'ended', reason })
    const over = new AbortController()
    const cancel = timers.after(FAREWELL_MS, () => over.abort())
    try {
      await boxes.put(channel.box(this.#side), index, sealed, over.signal)
    } catch {
      // The other side's patience ends by itself.
    } finally {
      cancel()
    }
  }
}

function opened(channel: LinkChannel, sealed: Uint8Array): LinkMessage {
  try {
    return channel.open(sealed)
  } catch (error) {
    if (error instanceof ProtocolError) throw new PeerError('link-broken', {}, { cause: error })
    throw error
  }
}

function endOf(reason: EndReason): PeerError {
  switch (reason) {
    case 'cancelled':
      return new PeerError('link-cancelled', { by: 'other' })
    case 'refused':
      return new PeerError('link-refused')
    case 'expired':
      return new PeerError('link-expired')
    case 'failed':
      return new PeerError('link-lost')
  }
}

/** What was given up because this side's person ended the linking is `link-cancelled`. */
async function cancellable<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    signal.throwIfAborted()
    return await work()
  } catch (error) {
    if (signal.aborted) throw new PeerError('link-cancelled', { by: 'this' })
    throw error
  }
}
