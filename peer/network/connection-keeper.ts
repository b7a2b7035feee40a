/**
 * Keeps one connection to a node, whatever happens to nodes and networks.
 *
 *     idle ── start ──▶ connecting ──▶ online ── lost ──▶ connecting (at once, next node first)
 *                          │   ▲
 *        no node answered  ▼   │ backoff, or reconnect()
 *                        offline
 */
import { PeerError } from '../errors.ts'
import { CLOCK_TOLERANCE_MS, PING_INTERVAL_MS } from '../../protocol/limits.ts'
import type { ListedNode } from '../../protocol/wire/placement.ts'
import type { ConnectionState, NetworkApi } from '../peer-api.ts'
import type { StatusProblem } from '../problems.ts'
import type { Log, Timers, Transport } from '../ports.ts'
import { NodeConnection, NodeRefusal, type Authenticate } from './node-connection.ts'

/** Time to reach one node, until the next is tried, on a network of which nothing bad is known … */
export const DIAL_TIMEOUT_MS = 2_500
/** … and how many times as long where every answer takes long, as over a satellite. */
export const MAX_PATIENCE = 8
/** First pause after a round in which no node answered; doubles up to {@link MAX_BACKOFF_MS}. */
export const FIRST_BACKOFF_MS = 400
export const MAX_BACKOFF_MS = 30_000
/** A connection that ended sooner counts as a failure, so that a node that takes and drops us is not hammered. */
export const STABLE_AFTER_MS = 3_000
/** A connection to a node that does not keep our mailbox is exchanged for a better one this often, if one answers. */
export const BETTER_NODE_INTERVAL_MS = 5_000
/** A node that was left because it is of no use is tried after the others for this long. */
export const LEFT_MS = 5 * 60_000

export interface KeeperComponents {
  transport: Transport
  timers: Timers
  /** 0 to 1, for jitter. */
  randomFraction: () => number
  log: Log
}

export interface KeeperInit {
  network: () => Uint8Array
  authenticate: Authenticate
  /** Nodes in the order in which they should be tried. Asked again each round. */
  candidates: () => ListedNode[]
  /**
   * Called with each new connection before it counts as online.
   * @returns whether the node keeps our mailbox; if not, a better one is looked for.
   */
  onOnline: (connection: NodeConnection, node: ListedNode) => Promise<boolean>
  onState: (state: ConnectionState, node: ListedNode | null, problem: StatusProblem | null) => void
}

/** The reconnect loop: libp2p's own gives up at once over WebSockets. */
export class ConnectionKeeper implements NetworkApi {
  readonly #components: KeeperComponents
  readonly #init: KeeperInit
  #state: ConnectionState = 'offline'
  #toldProblem: StatusProblem['code'] | undefined
  #running = false
  #loop: Promise<void> = Promise.resolve()
  #current: { connection: NodeConnection; node: ListedNode } | undefined
  #waiters = new Set<(connection: NodeConnection) => void>()
  #wake: () => void = () => {}
  /** How often it was asked to try at once. */
  #calls = 0
  #stopping = new AbortController()
  #lastLost: ListedNode | undefined
  /** Times as long as usual are waited for answers: doubles with each round in which time ran out, falls to what a dial took. */
  #patience = 1
  #ranOutOfTime = false
  /** URLs of nodes that were left, and until when they come last. */
  readonly #left = new Map<string, number>()

  constructor(components: KeeperComponents, init: KeeperInit) {
    this.#components = components
    this.#init = init
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#stopping = new AbortController()
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#stopping.abort()
    this.#current?.connection.close('stopped')
    this.#wake()
    await this.#loop
  }

  /** The connection in use, or undefined while there is none. */
  get connection(): NodeConnection | undefined {
    return this.#current?.connection.isOpen ? this.#current.connection : undefined
  }

  /** @throws PeerError `offline`. */
  get required(): NodeConnection {
    if (this.connection) return this.connection
    throw new PeerError('offline', { origin: null })
  }

  get state(): ConnectionState {
    return this.#state
  }

  get node(): ListedNode | undefined {
    return this.connection && this.#current?.node
  }

  /** Waits for a connection, at most `ms`. @returns whether there is one. */
  async isOnlineWithin(ms: number): Promise<boolean> {
    const abort = new AbortController()
    const cancel = this.#components.timers.after(ms, () => abort.abort())
    try {
      await this.online(abort.signal)
      return true
    } catch {
      return false
    } finally {
      cancel()
    }
  }

  /** Resolves with a connection as soon as there is one. @throws the signal's reason. */
  async online(signal: AbortSignal): Promise<NodeConnection> {
    const current = this.connection
    if (current) return current
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#waiters.delete(take)
        signal.removeEventListener('abort', abort)
      }
      const take = (connection: NodeConnection): void => {
        done()
        resolve(connection)
      }
      const abort = (): void => {
        done()
        reject(signal.reason as Error)
      }
      this.#waiters.add(take)
      signal.addEventListener('abort', abort)
    })
  }

  /** After a wake-up or a change of networks: ends a pause, and checks at once whether the connection still lives. */
  async reconnect(): Promise<void> {
    this.#calls++
    this.#wake()
    const current = this.#current
    if (!current?.connection.isOpen) return
    await current.connection.ping()
    this.#judgeClock(current)
  }

  /** Exchanges a connection whose node is of no use for one to another node, if any takes us. */
  async leave(connection: NodeConnection): Promise<void> {
    const node = this.#current?.node
    if (!node || this.#current?.connection !== connection) return
    const others = this.#init.candidates().filter(other => other.url !== node.url && !this.#isLeft(other))
    if (!(await this.#reachesOne(others, connection)) || !connection.isOpen) return
    this.#left.set(node.url, this.#components.timers.monotonic() + LEFT_MS)
    connection.close('the node is of no use')
  }

  async #run(): Promise<void> {
    let backoff = FIRST_BACKOFF_MS
    while (this.#running) {
      this.#tell('connecting', null, null)
      const since = this.#components.timers.monotonic()
      const calls = this.#calls
      const problem = await this.#tryAll()
      if (!this.#running) break
      if (problem === undefined) {
        if (this.#components.timers.monotonic() - since > STABLE_AFTER_MS) {
          backoff = FIRST_BACKOFF_MS
          continue
        }
      } else this.#tell('offline', null, problem)
      // Asked for in the middle of a round: what was tried before may work now.
      if (this.#calls !== calls) continue
      await this.#pause(backoff * (0.7 + 0.6 * this.#components.randomFraction()))
      backoff = Math.min(2 * backoff, MAX_BACKOFF_MS)
    }
    this.#tell('offline', null, null)
  }

  #tell(state: ConnectionState, node: ListedNode | null, problem: StatusProblem | null): void {
    this.#state = state
    this.#toldProblem = problem?.code
    this.#init.onState(state, node, problem)
  }

  /** One round. @returns undefined after a connection has been used and lost, otherwise why none came about. */
  async #tryAll(): Promise<StatusProblem | undefined> {
    let problem: StatusProblem = { code: 'no-node-known', facts: {} }
    this.#ranOutOfTime = false
    for (const node of this.#ordered()) {
      if (!this.#running) return problem
      try {
        const connection = await this.#connect(node)
        await this.#use(connection, node)
        this.#lastLost = node
        return undefined
      } catch (error) {
        problem = worseOf(problem, problemOf(node, error, this.#components.timers.now()))
        this.#components.log.debug('node not usable', { node: node.url, reason: String(error) })
      }
    }
    if (this.#ranOutOfTime) this.#patience = Math.min(2 * this.#patience, MAX_PATIENCE)
    return problem
  }

  /** Nodes that were left, then the one that was just lost, come last: they are the least likely to be of use. */
  #ordered(): ListedNode[] {
    const lost = this.#lastLost?.url
    this.#lastLost = undefined
    const rank = (node: ListedNode): number => (node.url === lost ? 2 : this.#isLeft(node) ? 1 : 0)
    return [...this.#init.candidates()].sort((a, b) => rank(a) - rank(b))
  }

  #isLeft({ url }: ListedNode): boolean {
    const until = this.#left.get(url)
    if (until === undefined) return false
    if (this.#components.timers.monotonic() < until) return true
    this.#left.delete(url)
    return false
  }

  async #connect(node: ListedNode): Promise<NodeConnection> {
    const { transport, timers } = this.#components
    const timeout = AbortSignal.timeout(DIAL_TIMEOUT_MS * this.#patience)
    const since = timers.monotonic()
    try {
      const signal = AbortSignal.any([timeout, this.#stopping.signal])
      const stream = await transport.dial(node.url, node.key, { signal })
      // Four times as long as it took will do, so that an outage does not make a fast network slow to fail over.
      const enough = Math.ceil((4 * (timers.monotonic() - since)) / DIAL_TIMEOUT_MS)
      this.#patience = Math.max(1, Math.min(this.#patience, enough))
      const { authenticate, network } = this.#init
      return await NodeConnection.open(stream, { network: network(), authenticate, timers, patience: this.#patience })
    } catch (error) {
      if (timeout.aborted) this.#ranOutOfTime = true
      throw error
    }
  }

  /** Hands a connection out until it ends. */
  async #use(connection: NodeConnection, node: ListedNode): Promise<void> {
    // Set before anybody is told: what arrives during `onOnline` may lead to questions already.
    this.#current = { connection, node }
    let keepsMailbox: boolean
    try {
      keepsMailbox = await this.#init.onOnline(connection, node)
    } catch (error) {
      this.#current = undefined
      connection.close('not usable')
      throw error
    }
    if (!this.#running) return connection.close('stopped')
    this.#tell('online', node, clockProblem(connection.clockAheadMs))
    for (const take of [...this.#waiters]) take(connection)
    const stopTimers = this.#keepAlive(connection, node, keepsMailbox)
    const reason = await connection.closed
    stopTimers()
    if (this.#current?.connection !== connection) return
    this.#current = undefined
    this.#components.log.debug('connection ended', { node: node.url, reason })
  }

  /** A clock may become wrong, or be set right, while a connection is open. */
  #judgeClock(current: { connection: NodeConnection; node: ListedNode }): void {
    if (this.#current !== current || !current.connection.isOpen || this.#state !== 'online') return
    const problem = clockProblem(current.connection.clockAheadMs)
    if (problem?.code !== this.#toldProblem) this.#tell('online', current.node, problem)
  }

  #keepAlive(connection: NodeConnection, node: ListedNode, keepsMailbox: boolean): () => void {
    const { timers } = this.#components
    let stopped = false
    let cancelPing = (): void => {}
    let cancelBetter = (): void => {}
    const schedulePing = (): void => {
      cancelPing = timers.after(
        PING_INTERVAL_MS,
        () =>
          void connection.ping().then(isAlive => {
            if (!isAlive || stopped) return
            if (this.#current) this.#judgeClock(this.#current)
            schedulePing()
          })
      )
    }
    const scheduleBetter = (): void => {
      cancelBetter = timers.after(BETTER_NODE_INTERVAL_MS, () => {
        void this.#findBetter(connection, node).then(found => !found && !stopped && scheduleBetter())
      })
    }
    schedulePing()
    if (!keepsMailbox) scheduleBetter()
    return () => {
      stopped = true
      cancelPing()
      cancelBetter()
    }
  }

  /** Tries the nodes before the one in use; the first that takes us makes the loop start over with it. */
  async #findBetter(connection: NodeConnection, node: ListedNode): Promise<boolean> {
    const all = this.#init.candidates()
    const place = all.findIndex(({ url }) => url === node.url)
    const better = (place < 0 ? all : all.slice(0, place)).filter(candidate => !this.#isLeft(candidate))
    if (!(await this.#reachesOne(better, connection))) return false
    connection.close('a node that keeps this mailbox was found')
    return true
  }

  /** @returns whether one of the nodes takes us, or there is no connection to exchange any more. */
  async #reachesOne(nodes: ListedNode[], connection: NodeConnection): Promise<boolean> {
    for (const node of nodes) {
      if (!connection.isOpen || !this.#running) return true
      try {
        const other = await this.#connect(node)
        other.close('found')
        return true
      } catch {
        // Still out of reach.
      }
    }
    return false
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const cancel = this.#components.timers.after(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }
}

/** @param offMs - how far this device's clock is ahead of the node's. */
function clockProblem(offMs: number): StatusProblem | null {
  return Math.abs(offMs) > CLOCK_TOLERANCE_MS ? { code: 'clock-wrong', facts: { offMs } } : null
}

/** What a failed dial means for the person. The node's own text is not in it: a hostile node writes what it likes. */
function problemOf(node: ListedNode, error: unknown, now: number): StatusProblem {
  if (!(error instanceof NodeRefusal)) return { code: 'unreachable', facts: {} }
  // A node takes no proof that is signed at another time. It says so in words, and its clock says it as well.
  const clock = error.time === undefined ? null : clockProblem(now - error.time)
  if (clock && error.code === 'authentication-failed') return clock
  if (error.code === 'device-revoked') return { code: 'device-removed', facts: {} }
  if (error.code === 'unknown-device') return { code: 'device-unknown', facts: {} }
  return { code: 'refused', facts: { origin: node.url, refusal: error.code } }
}

/** Of two nodes' problems the one that tells the person what to do: another node out of reach does not hide a wrong clock. */
const worseOf = (before: StatusProblem, problem: StatusProblem): StatusProblem =>
  before.code === 'clock-wrong' ? before : problem
