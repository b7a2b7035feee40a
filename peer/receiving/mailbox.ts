import { signAcknowledgement } from '../../protocol/wire/custody.ts'
import type { Delivery, DeliveryId } from '../../protocol/wire/envelope.ts'
import type { NodeFrameOf } from '../../protocol/wire/peer-frames.ts'
import { NodeRefusal, type NodeConnection, type PushFrame } from '../network/node-connection.ts'
import type { EngineContext } from '../engine-context.ts'
import type { MailboxLosses } from './mailbox-losses.ts'
import type { Receiver } from './receiver.ts'
import type { StatusProblem } from '../problems.ts'

/** How often a node is told what has arrived before another connection is made. */
const ACKNOWLEDGE_ATTEMPTS = 5
/** First pause between; it doubles. */
const ACKNOWLEDGE_RETRY_MS = 1_000

export interface MailboxComponents {
  context: EngineContext
  receiver: Receiver
  losses: MailboxLosses
}

export interface MailboxInit {
  /** What a screen shows of the mailbox changed. */
  onChange: () => void
}

/** This device's mailbox at the node in use: what comes from it, and the word that it has arrived. */
export class Mailbox {
  readonly #context: EngineContext
  readonly #receiver: Receiver
  readonly #losses: MailboxLosses
  readonly #init: MailboxInit
  #isCaughtUp = false
  #problem: StatusProblem | null = null
  #waiters: (() => void)[] = []

  constructor({ context, receiver, losses }: MailboxComponents, init: MailboxInit) {
    this.#losses = losses
    this.#context = context
    this.#receiver = receiver
    this.#init = init
  }

  /** Whether everything that waited when the connection was made has arrived. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp
  }

  /** Why nothing can be received; null if all is well. */
  get problem(): StatusProblem | null {
    return this.#problem
  }

  /** Asks a node for what waits and what will come. @returns whether this node keeps the mailbox. */
  async attach(connection: NodeConnection): Promise<boolean> {
    connection.onPush(frame => this.#onPush(connection, frame))
    try {
      await connection.request({ kind: 'attach' }, 'attached')
      return true
    } catch (error) {
      if (error instanceof NodeRefusal && error.code === 'not-a-replica') return false
      throw error
    }
  }

  /** The connection is gone. */
  detach(): void {
    this.#isCaughtUp = false
  }

  /** Waits until everything has arrived, at most `ms`. @returns whether it has. */
  async caughtUp(ms: number): Promise<boolean> {
    if (this.#isCaughtUp) return true
    const done = Promise.withResolvers<void>()
    const cancel = this.#context.timers.after(ms, done.resolve)
    this.#waiters.push(done.resolve)
    await done.promise
    cancel()
    return this.#isCaughtUp
  }

  async #onPush(connection: NodeConnection, frame: PushFrame): Promise<void> {
    switch (frame.kind) {
      case 'deliver':
        return this.#onDeliveries(connection, frame.deliveries)
      case 'caughtUp':
        this.#isCaughtUp = true
        for (const resolve of this.#waiters.splice(0)) resolve()
        return this.#init.onChange()
      case 'evicted':
        // What was dropped shows as a gap of its sender.
        this.#context.log.warn('messages were dropped to keep the mailbox within its limits', {
          count: frame.eviction.ids.length
        })
        return
      case 'lost':
        return this.#onLost(connection, frame)
      case 'error':
        return connection.close(frame.message)
    }
  }

  /** The node tells it with each connection until it hears that a line is on the disk here. */
  async #onLost(connection: NodeConnection, loss: NodeFrameOf<'lost'>): Promise<void> {
    await this.#losses.tell(loss)
    connection.request({ kind: 'lossSeen', at: loss.at }, 'done').catch((error: unknown) => {
      this.#context.log.debug('the node does not know that a loss was seen', { reason: String(error) })
    })
  }

  async #onDeliveries(connection: NodeConnection, deliveries: Delivery[]): Promise<void> {
    const stored: DeliveryId[] = []
    try {
      for (const delivery of deliveries) if (await this.#receiver.receive(delivery)) stored.push(delivery.id)
      if (stored.length > 0) await this.#receiver.flush()
    } catch (error) {
      this.#context.log.warn('a delivery could not be stored', { reason: String(error) })
      this.#problem = { code: 'not-stored', facts: {} }
      this.#init.onChange()
      // Nothing of this frame is acknowledged: it comes again with the next connection.
      return connection.close('the store failed')
    }
    this.#problem = null
    if (stored.length > 0) await this.#acknowledge(connection, stored)
  }

  /** Said until the node has taken it in: a node delivers nothing more while too much of it is not acknowledged. */
  async #acknowledge(connection: NodeConnection, stored: DeliveryId[]): Promise<void> {
    const { signingKey, publicKeys } = this.#context.device()
    const network = this.#context.network().id
    const acknowledgement = await signAcknowledgement(this.#context.crypto, network, signingKey, publicKeys, stored)
    const say = (attempt: number): void =>
      void connection.request({ kind: 'acknowledge', acknowledgement }, 'done').catch((error: unknown) => {
        this.#context.log.debug('an acknowledgement did not arrive', { reason: String(error), attempt })
        // With the next connection it is delivered again, found to be a copy, and acknowledged again.
        if (!connection.isOpen) return
        if (attempt === ACKNOWLEDGE_ATTEMPTS) return connection.close('the node takes no acknowledgements')
        const cancel = this.#context.timers.after(ACKNOWLEDGE_RETRY_MS * 2 ** (attempt - 1), () => say(attempt + 1))
        void connection.closed.then(cancel)
      })
    say(1)
  }
}
