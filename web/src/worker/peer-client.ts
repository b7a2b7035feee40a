import { errorOf, parseFailure, PeerError } from '../../../peer/errors.ts'
import type { PeerApi, PeerEvents, PeerSnapshot } from '../../../peer/peer-api.ts'
import { PEER_METHODS, type FramePort, type HostFrame, type PeerMethod, type TabFrame } from './frames.ts'

interface PendingCall {
  method: PeerMethod
  args: unknown[]
  sent: boolean
  resolve(value: unknown): void
  reject(error: PeerError): void
}

/**
 * A tab's end of the peer: calls go over the port, events come back to every listener. Calls wait for the host's first
 * `hello`; when another host takes over, repeatable calls are made again and the others are given up.
 */
export class PeerClient {
  readonly #port: FramePort<TabFrame, HostFrame>
  readonly #pending = new Map<number, PendingCall>()
  readonly #listeners = new Map<keyof PeerEvents, Set<(value: never) => void>>()
  #lastId = 0
  #connected = false
  #wasConnected = false

  /** @param port - leads to a {@link PeerHost}. */
  constructor(port: FramePort<TabFrame, HostFrame>) {
    this.#port = port
    port.listen(
      frame => this.#take(frame),
      () => (this.#connected = false)
    )
  }

  /** The peer as the screens see it. */
  get api(): PeerApi {
    const methods = Object.keys(PEER_METHODS) as PeerMethod[]
    const calls = Object.fromEntries(methods.map(method => [method, (...args: unknown[]) => this.#call(method, args)]))
    const on: PeerApi['on'] = (event, listener) => {
      const listeners = this.#listeners.get(event) ?? new Set()
      this.#listeners.set(event, listeners.add(listener))
      return () => void listeners.delete(listener)
    }
    return { ...(calls as unknown as Omit<PeerApi, 'on'>), on }
  }

  /** Tells the host that this tab is gone. */
  leave(): void {
    this.#port.send({ kind: 'bye' })
  }

  #call(method: PeerMethod, args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#pending.set(id, { method, args, sent: false, resolve, reject })
      if (this.#connected) this.#send(id)
    })
  }

  #send(id: number): void {
    const call = this.#pending.get(id)
    if (!call) return
    call.sent = true
    this.#port.send({ kind: 'call', id, method: call.method, args: call.args })
  }

  #take(frame: HostFrame): void {
    switch (frame.kind) {
      case 'hello':
        return this.#greet()
      case 'answer':
        return this.#settle(frame.id, call => call.resolve(frame.value))
      case 'failure':
        return this.#settle(frame.id, call => call.reject(errorOf(parseFailure(frame.failure))))
      case 'event':
        for (const listener of this.#listeners.get(frame.event) ?? []) listener(frame.value as never)
    }
  }

  #greet(): void {
    if (this.#wasConnected) this.#catchUp()
    this.#connected = this.#wasConnected = true
    for (const [id, call] of [...this.#pending]) {
      if (call.sent && PEER_METHODS[call.method] === 'give-up') {
        this.#settle(id, lost => lost.reject(new PeerError('interrupted')))
      } else {
        this.#send(id)
      }
    }
  }

  /** Asks for what happened between two hosts, since no host told this tab. The question also makes the new host open the peer. */
  #catchUp(): void {
    this.#call('snapshot', []).then(
      value => this.#take({ kind: 'event', event: 'snapshot', value: value as PeerSnapshot }),
      error => console.warn('The peer could not be opened again.', error)
    )
    this.#take({ kind: 'event', event: 'resumed', value: null })
  }

  #settle(id: number, how: (call: PendingCall) => void): void {
    const call = this.#pending.get(id)
    if (!call) return
    this.#pending.delete(id)
    how(call)
  }
}
