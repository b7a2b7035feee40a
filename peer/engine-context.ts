/** What the parts of the engine share. Built once, by `peer-engine.ts`. */
import type { Crypto, Random } from '../protocol/crypto/crypto.ts'
import type { Environment } from '../protocol/environment.ts'
import type { Log, Timers } from './ports.ts'
import type { SealedStore } from './store/sealed-store.ts'
import type { DeviceKeys } from './store/device-keys.ts'
import type { NetworkInfo } from './network/network-info.ts'
import type { AccountId } from '../protocol/identity/device.ts'

export interface EngineContext {
  crypto: Crypto
  random: Random
  timers: Timers
  store: SealedStore
  log: Log
  /** @throws PeerError `not-registered` before the first node was reached. */
  network(): NetworkInfo
  /** @throws PeerError `not-registered`. */
  device(): DeviceKeys
  /** @throws PeerError `not-registered`. */
  accountId(): AccountId
}

/** What the session suite wants to be given. */
export function sessionEnvironment({ crypto, random, timers, network }: EngineContext): Environment {
  return { crypto, network: network().id, random, now: () => timers.now() }
}
