import { base64urlnopad } from '@scure/base'
import { toHex } from '../../protocol/bytes.ts'
import { MAX_SEALED_LINK_BYTES } from '../../protocol/linking/link-channel.ts'
import { PeerError } from '../errors.ts'
import { askNode, jsonOf } from '../network/node-http.ts'
import type { HttpClient, Timers } from '../ports.ts'
import { pause } from './pause.ts'

/** One question that waits at a node. */
const WAIT_MS = 20_000
const QUESTION_MS = 8_000
/** Pause after a question that failed. */
const RETRY_MS = 1_000
const MAX_ANSWER_BYTES = 8 * 1024

export interface LinkBoxesComponents {
  fetch: HttpClient
  timers: Timers
}

/** The boxes of one node, where the devices of a linking leave messages for each other. */
export class LinkBoxes {
  readonly origin: string
  readonly #components: LinkBoxesComponents

  constructor(components: LinkBoxesComponents, origin: string) {
    this.#components = components
    this.origin = origin
  }

  /**
   * Puts a message in its place.
   * @returns whether it stays there; false if another one is in its place.
   * @throws PeerError `offline`, `refused`, `not-a-node`.
   */
  async put(box: Uint8Array, index: number, sealed: Uint8Array, signal: AbortSignal): Promise<boolean> {
    const answer = await askNode(this.#components.fetch, this.origin, path(box, index), {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: base64urlnopad.encode(sealed),
      timeoutMs: QUESTION_MS,
      maxBytes: MAX_ANSWER_BYTES,
      signal
    })
    if (answer.status === 429 || answer.status === 503) throw new PeerError('refused', { refusal: 'rate-limited' })
    const { kept } = (jsonOf(answer) ?? {}) as { kept?: unknown }
    if (!answer.ok || typeof kept !== 'boolean') throw new PeerError('not-a-node', { origin: this.origin })
    return kept
  }

  /**
   * Puts a message in its place, again while the connection is lost.
   * @param deadline - by `timers.monotonic()`. @throws PeerError `link-lost` after it, and as {@link put}.
   */
  async putWithin(
    deadline: number,
    box: Uint8Array,
    index: number,
    sealed: Uint8Array,
    signal: AbortSignal
  ): Promise<boolean> {
    return this.#repeat(deadline, signal, () => this.put(box, index, sealed, signal))
  }

  /** The message in a place, or undefined. @throws PeerError `offline`, `not-a-node`, `bad-answer`. */
  async get(box: Uint8Array, index: number, waitMs: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const answer = await askNode(this.#components.fetch, this.origin, `${path(box, index)}?wait=${waitMs}`, {
      timeoutMs: waitMs + QUESTION_MS,
      maxBytes: MAX_ANSWER_BYTES,
      signal
    })
    if (answer.status === 429 || answer.status === 503) throw new PeerError('offline', { origin: this.origin })
    const { message } = (jsonOf(answer) ?? {}) as { message?: unknown }
    if (!answer.ok || (message !== null && typeof message !== 'string')) {
      throw new PeerError('not-a-node', { origin: this.origin })
    }
    return message === null ? undefined : sealedOf(message)
  }

  /**
   * Waits for the message in a place.
   * @param deadline - by `timers.monotonic()`.
   * @param onLost - called after the connection was lost, before the node is asked again.
   * @returns undefined after the deadline.
   */
  async getWithin(
    deadline: number,
    box: Uint8Array,
    index: number,
    { signal, onLost }: { signal: AbortSignal; onLost: () => Promise<void> }
  ): Promise<Uint8Array | undefined> {
    const { timers } = this.#components
    const over = new AbortController()
    const cancel = timers.after(Math.max(0, deadline - timers.monotonic()), () => over.abort())
    const either = AbortSignal.any([signal, over.signal])
    try {
      while (!over.signal.aborted) {
        const message = await this.#repeat(deadline, either, () => this.get(box, index, WAIT_MS, either), onLost)
        if (message) return message
      }
      return undefined
    } catch (error) {
      if (over.signal.aborted && !signal.aborted) return undefined
      throw error
    } finally {
      cancel()
    }
  }

  async #repeat<T>(
    deadline: number,
    signal: AbortSignal,
    work: () => Promise<T>,
    onLost = async (): Promise<void> => undefined
  ): Promise<T> {
    const { timers } = this.#components
    for (;;) {
      try {
        return await work()
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof PeerError) || error.code !== 'offline') throw error
        if (timers.monotonic() + RETRY_MS >= deadline) throw new PeerError('link-lost', {}, { cause: error })
        await pause(timers, RETRY_MS)
        signal.throwIfAborted()
        await onLost()
      }
    }
  }
}

const path = (box: Uint8Array, index: number): string => `/v1/linking/${toHex(box)}/${index}`

/** What is not base64, or too long, does not open: it comes out empty. */
function sealedOf(text: string): Uint8Array {
  try {
    const sealed = base64urlnopad.decode(text)
    return sealed.length <= MAX_SEALED_LINK_BYTES ? sealed : new Uint8Array()
  } catch {
    return new Uint8Array()
  }
}
