import type { StatusProblem } from '../problems.ts'
import type { CallTable } from './call-table.ts'

/** `peer.network`: the way to the nodes. Where it stands is part of the snapshot, as {@link PeerStatus}. */
export interface NetworkApi {
  /** Tries to connect now instead of at the next backoff step: for network changes and wake-ups. */
  reconnect(): Promise<void>
}

/** The calls of {@link NetworkApi}. */
export const NETWORK_CALLS: CallTable<NetworkApi> = {
  reconnect: 'repeat'
}

/** Whether this device talks to a node. */
export type ConnectionState = 'offline' | 'connecting' | 'online'

/** How this device stands with the network. */
export interface PeerStatus {
  connection: ConnectionState
  /** Origin of the node in use, null while not connected. */
  node: string | null
  /** How many listed nodes the network has. */
  listedNodes: number
  /** How many operators run them; 0 while the network is not known. With one, no second opinion can be asked. */
  operators: number
  epoch: number | null
  /** Own messages not yet kept by the network. */
  waiting: number
  /** Whether what was waiting for this device has arrived. */
  caughtUp: boolean
  network: { id: string; label: string; emulated: boolean } | null
  /** What needs attention; null if all is well. */
  problem: StatusProblem | null
}
