import type { ListedNode } from '../../protocol/wire/placement.ts'
import type { ConnectionState } from '../peer-api.ts'
import type { StatusProblem } from '../problems.ts'

/** How a peer is connected to the network. */
export interface ConnectionStatus {
  state: ConnectionState
  /** The node in use; null unless `online`. */
  node: ListedNode | null
  /** Why the last attempt failed; null if it did not. */
  problem: StatusProblem | null
}

/** Before the first attempt. */
export const NOT_CONNECTED: ConnectionStatus = { state: 'offline', node: null, problem: null }

/** The status after a change. While the peer tries again, the last problem stays: it is still the reason. */
export function nextStatus(before: ConnectionStatus, next: ConnectionStatus): ConnectionStatus {
  return next.state === 'connecting' ? { ...next, problem: before.problem } : next
}
