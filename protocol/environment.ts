import type { Clock, Crypto, Random } from './crypto/crypto.ts'
import type { NetworkId } from './network.ts'

/** What every operation of a session is given from outside, so that each state can be reached from a test. */
export interface Environment {
  crypto: Crypto
  network: NetworkId
  random: Random
  now: Clock
}
