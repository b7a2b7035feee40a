import type { DeviceId } from '../../protocol/identity/device.ts'
import { byteKey } from '../byte-key.ts'
import type { RelayLimits } from '../ports.ts'
import { addressKey } from '../limits/address-key.ts'
import { TokenBuckets } from '../limits/token-bucket.ts'

/** What a node allows unless its operator says otherwise. */
export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  maxClients: 4000,
  // A company or a mobile network can stand behind one address.
  maxClientsPerAddress: 500,
  connectionsPerSecond: 50,
  requestsPerSecond: 100,
  requestBurst: 500,
  strangersPerDay: 100,
  diskLowWaterBytes: 256 * 1024 * 1024
}

/** Connections that may be between WebSocket and proven device at once; each may take seconds. */
const MAX_UNPROVEN = 1000
/** Of them, at least so many may be of one address, however slowly it may connect. */
const MIN_UNPROVEN_PER_ADDRESS = 50
/** Addresses whose use is remembered. */
const MAX_REMEMBERED = 20_000

/** A client connection that was let in. */
export interface Admission {
  /** The device on it is proven: it no longer counts among the unproven. */
  proven(): void
  /** The connection is gone. Safe to call twice. */
  release(): void
}

/** Something that holds a device's stream and can be told to end it. */
export interface DeviceSession {
  /** Ends the stream because the device has a newer one. */
  supersede(): void
}

/** Who is connected, and who may: connections per address and in all. What a connected device may do: `ClientQuotas`. */
export class ConnectionManager {
  readonly #now: () => number
  readonly #limits: RelayLimits
  readonly #perAddress = new Map<string, number>()
  readonly #unprovenOf = new Map<string, number>()
  readonly #connecting: TokenBuckets
  readonly #sessions = new Map<string, DeviceSession>()
  #connections = 0
  #unproven = 0
  /** Connections refused. */
  refusedConnections = 0

  /** @param now - milliseconds of a clock that never goes back. */
  constructor(now: () => number, limits: RelayLimits) {
    this.#now = now
    this.#limits = limits
    const { connectionsPerSecond } = limits
    this.#connecting = new TokenBuckets(connectionsPerSecond, 4 * connectionsPerSecond, MAX_REMEMBERED)
  }

  /** Client connections, proven or not. */
  get connections(): number {
    return this.#connections
  }

  /** Devices with a proven stream. */
  get devices(): number {
    return this.#sessions.size
  }

  /** Lets a connection in, or not: undefined when a limit is reached. */
  admit(address: string): Admission | undefined {
    const key = addressKey(address)
    const used = this.#perAddress.get(key) ?? 0
    // One address gets as many places as it may open in a second: it takes many addresses to keep others out by being slow.
    const unprovenHere = this.#unprovenOf.get(key) ?? 0
    const isSlow =
      this.#unproven >= MAX_UNPROVEN ||
      unprovenHere >= Math.max(MIN_UNPROVEN_PER_ADDRESS, this.#limits.connectionsPerSecond)
    const full = this.#connections >= this.#limits.maxClients || isSlow
    if (full || used >= this.#limits.maxClientsPerAddress || !this.#connecting.spend(key, 1, this.#now())) {
      this.refusedConnections += 1
      return undefined
    }
    change(this.#perAddress, key, 1)
    change(this.#unprovenOf, key, 1)
    this.#connections += 1
    this.#unproven += 1
    return this.#admission(key)
  }

  /**
   * Counts a connection that asked for something that is not there.
   * @returns false if its address has also used up its new connections.
   */
  refuse(address: string): boolean {
    this.refusedConnections += 1
    return this.#connecting.spend(addressKey(address), 1, this.#now())
  }

  #admission(key: string): Admission {
    let unproven = true
    let open = true
    const proven = (): void => {
      if (!unproven) return
      unproven = false
      this.#unproven -= 1
      change(this.#unprovenOf, key, -1)
    }
    const release = (): void => {
      if (!open) return
      open = false
      proven()
      this.#connections -= 1
      change(this.#perAddress, key, -1)
    }
    return { proven, release }
  }

  /** Makes a session the device's only one; an older one is ended. */
  register(deviceId: DeviceId, session: DeviceSession): void {
    const key = byteKey(deviceId)
    this.#sessions.get(key)?.supersede()
    this.#sessions.set(key, session)
  }

  unregister(deviceId: DeviceId, session: DeviceSession): void {
    const key = byteKey(deviceId)
    if (this.#sessions.get(key) === session) this.#sessions.delete(key)
  }
}

/** Counts up or down; what comes to nothing is forgotten. */
function change(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by
  if (count > 0) counts.set(key, count)
  else counts.delete(key)
}
