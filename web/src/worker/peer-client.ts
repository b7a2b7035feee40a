import { errorOf, isLockedOut, parseFailure, PeerError } from '../../../peer/errors.ts'
import { PEER_CALLS, type PeerApi, type PeerAreas, type PeerEvents, type PeerSnapshot } from '../../../peer/peer-api.ts'
import type { AskFrame, FramePort, HostFrame, TabFrame } from './frames.ts'
import type { Opener } from '../../../peer/store/browser/key-slots.ts'
import { eraseOpeners, lockArgument, LOCK_CALLS, type LockApi, type LockCall } from './lock-api.ts'

interface PendingCall {
  frame: AskFrame
  /** Whether it may be made again by the next host. */
  mayRepeat: boolean
  sent: boolean
  resolve(value: unknown): void
  reject(error: PeerError): void
}

type LockArguments = (Opener | Opener[] | null)[]

/** An {@link AskFrame} before it has its number. */
type Question =
  | { kind: 'snapshot' }
  | { kind: 'call'; area: string; method: string; args: unknown[] }
  | { kind: 'lock'; method: LockCall; args: unknown[] }

/**
 * A tab's end of the peer: calls go over the port, events come back to every listener. Calls wait for the host's first
 * `hello`; when another host takes over, repeatable calls are made again and the others are given up.
 */
export class PeerClient {
  readonly #port: FramePort<TabFrame, HostFrame>
  readonly #pending = new Map<number, PendingCall>()
  readonly #listeners = new Map<keyof PeerEvents, Set<(value: never) => void>>()
  readonly #lockedListeners = new Set<() => void>()
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
    const names = Object.keys(PEER_CALLS) as (keyof PeerAreas)[]
    const areas = Object.fromEntries(names.map(name => [name, this.#area(name)])) as unknown as PeerAreas
    const on: PeerApi['on'] = (event, listener) => {
      const listeners = this.#listeners.get(event) ?? new Set()
      this.#listeners.set(event, listeners.add(listener))
      return () => void listeners.delete(listener)
    }
    return { ...areas, snapshot: () => this.#snapshot(), on }
  }

  /** The lock of this browser. Its calls are made once: a host that takes over does not get them. */
  get lock(): LockApi {
    const calls = Object.fromEntries(
      LOCK_CALLS.map(method => [method, (...args: LockArguments) => this.#askLock(method, args)])
    ) as unknown as Omit<LockApi, 'onLocked'>
    return {
      ...calls,
      onLocked: listener => {
        this.#lockedListeners.add(listener)
        return () => void this.#lockedListeners.delete(listener)
      }
    }
  }

  async #askLock(method: LockCall, args: LockArguments): Promise<unknown> {
    try {
      return await this.#ask({ kind: 'lock', method, args: args.map(lockArgument) }, false)
    } finally {
      eraseOpeners(args)
    }
  }

  #area(area: keyof PeerAreas): Record<string, (...args: unknown[]) => Promise<unknown>> {
    const calls = Object.entries<'repeat' | 'give-up'>(PEER_CALLS[area])
    return Object.fromEntries(
      calls.map(([method, repeat]) => [
        method,
        (...args: unknown[]) => this.#ask({ kind: 'call', area, method, args }, repeat === 'repeat')
      ])
    )
  }

  #snapshot(): Promise<PeerSnapshot> {
    return this.#ask({ kind: 'snapshot' }, true) as Promise<PeerSnapshot>
  }

  /** Tells the host that this tab is gone. */
  leave(): void {
    this.#port.send({ kind: 'bye' })
  }

  #ask(question: Question, mayRepeat: boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#pending.set(id, { frame: { ...question, id }, mayRepeat, sent: false, resolve, reject })
      if (this.#connected) this.#send(id)
    })
  }

  #send(id: number): void {
    const call = this.#pending.get(id)
    if (!call) return
    call.sent = true
    this.#port.send(call.frame)
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
      if (call.sent && !call.mayRepeat) {
        this.#settle(id, lost => lost.reject(new PeerError('interrupted')))
      } else {
        this.#send(id)
      }
    }
  }

  /** Asks for what happened between two hosts, since no host told this tab. The question also makes the new host open the peer. */
  #catchUp(): void {
    this.#snapshot().then(
      value => this.#take({ kind: 'event', event: 'snapshot', value }),
      error => {
        if (!isLockedOut(error)) return console.warn('The peer could not be opened again.', error)
        for (const listener of this.#lockedListeners) listener()
      }
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
