import { toHex } from '../../protocol/bytes.ts'
import type { Log, Timers } from '../ports.ts'
import { ConnectionLost, type NodeConnection } from '../network/node-connection.ts'
import type { NetworkInfo } from '../network/network-info.ts'

/** An account that is new, or whose records changed, is taken without a second opinion if none comes within this. */
const FIRST_OPINION_WAIT_MS = 5_000
/** A connection that ends during a question is made again this often. */
const MAX_OPINION_TRIES = 3
/** As long as that was in vain lately, nobody is kept waiting longer than this. */
const SILENT_OPINION_WAIT_MS = 500
const SILENCE_REMEMBERED_MS = 30_000

export interface OperatorCrossCheckComponents {
  timers: Timers
  log: Log
  network: () => NetworkInfo
  /** The connection in use. @throws PeerError `offline`. */
  connection: () => NodeConnection
  /** A short connection to a node of another operator, or undefined if there is none. */
  otherOperator: () => Promise<NodeConnection | undefined>
}

/** What another operator's node says about the same. It never fails: without a second opinion there is none. */
export class OperatorCrossCheck {
  readonly #components: OperatorCrossCheckComponents
  /** The connection to another operator, while a question uses it. */
  #shared: { here: NodeConnection; dialled: Promise<NodeConnection | undefined>; users: number } | undefined
  /** When another operator last took too long. */
  #silentAt = -Infinity

  constructor(components: OperatorCrossCheckComponents) {
    this.#components = components
  }

  /** Whether anybody could give a second opinion: the list has more than one operator. */
  get isThere(): boolean {
    return new Set(this.#components.network().epoch.nodes.map(({ operator }) => toHex(operator))).size > 1
  }

  /** Asks a node of another operator. @returns undefined if that comes to nothing. */
  async ask<T>(ask: (other: NodeConnection) => Promise<T | undefined>): Promise<T | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#sharing(ask)
      } catch (error) {
        if (error instanceof ConnectionLost && tries < MAX_OPINION_TRIES) continue
        this.#components.log.debug('no second opinion', { reason: String(error) })
        return undefined
      }
    }
  }

  /** Over one connection for all who ask at the same time: a node keeps one for each device, and ends the older. */
  async #sharing<T>(ask: (other: NodeConnection) => Promise<T | undefined>): Promise<T | undefined> {
    const { connection, otherOperator } = this.#components
    const here = connection()
    // Which operator is another one depends on the node in use.
    if (this.#shared?.here !== here) this.#shared = { here, dialled: otherOperator(), users: 0 }
    const shared = this.#shared
    shared.users++
    try {
      const other = await shared.dialled
      return other && (await ask(other))
    } catch (error) {
      if (this.#shared === shared) this.#shared = undefined
      throw error
    } finally {
      shared.users--
      if (shared.users === 0) {
        if (this.#shared === shared) this.#shared = undefined
        void shared.dialled.then(
          other => other?.close('asked'),
          () => undefined
        )
      }
    }
  }

  /** What a caller waits for: undefined if it takes too long. */
  async soon<T>(opinion: Promise<T>): Promise<T | undefined> {
    const { timers } = this.#components
    const isSilent = timers.monotonic() - this.#silentAt < SILENCE_REMEMBERED_MS
    const late = Promise.withResolvers<undefined>()
    const cancel = timers.after(isSilent ? SILENT_OPINION_WAIT_MS : FIRST_OPINION_WAIT_MS, () => {
      this.#silentAt = timers.monotonic()
      late.resolve(undefined)
    })
    try {
      return await Promise.race([opinion, late.promise])
    } finally {
      cancel()
    }
  }
}
