import { equalBytes } from '../../protocol/bytes.ts'
import type { Epoch, ListedNode } from '../../protocol/wire/placement.ts'
import type { Transport } from '../ports.ts'
import { ConnectionLost, NodeConnection, NodeRefusal } from '../network/node-connection.ts'
import type { EngineContext } from '../engine-context.ts'
import { deviceProof } from '../device-proof.ts'

const DIAL_TIMEOUT_MS = 4_000
/** Nodes tried for one second opinion. */
const MAX_TRIES = 2
/** A device that has just signed up is known to other nodes a moment later. */
const UNKNOWN_RETRY_MS = 200
const MAX_UNKNOWN_RETRIES = 8
/** A connection that was just closed may take a new one to the same node down with it. */
const MAX_LOST_RETRIES = 2

/**
 * A short connection for a second opinion, to a node whose operator is not that of `current`. Over the stream rather than
 * HTTP, because a page may open WebSockets to all nodes, but requests to its own only.
 *
 * @returns undefined if the network has no other operator, or none of its nodes answers.
 */
export async function dialOtherOperator(
  context: EngineContext,
  transport: Transport,
  current: ListedNode | undefined
): Promise<NodeConnection | undefined> {
  const { epoch } = context.network()
  const others = epoch.nodes.filter(node => current && !equalBytes(node.operator, current.operator))
  const start = others.length === 0 ? 0 : context.random(1)[0]! % others.length
  for (const node of [...others.slice(start), ...others.slice(0, start)].slice(0, MAX_TRIES)) {
    try {
      return await dialKnowing(context, transport, node)
    } catch (error) {
      context.log.debug('no second opinion from this node', { node: node.url, reason: String(error) })
    }
  }
  return undefined
}

/** Dials until the node knows this device: what is found first must not rest on one operator because we are new ourselves. */
async function dialKnowing(context: EngineContext, transport: Transport, node: ListedNode): Promise<NodeConnection> {
  for (let tries = 0; ; tries++) {
    try {
      return await dial(context, transport, node)
    } catch (error) {
      const isNew = error instanceof NodeRefusal && error.code === 'unknown-device'
      const isLost = error instanceof ConnectionLost || (error as Error).name === 'StreamResetError'
      const retries = isNew ? MAX_UNKNOWN_RETRIES : isLost ? MAX_LOST_RETRIES : 0
      if (tries >= retries) throw error
    }
    await new Promise<void>(resolve => context.timers.after(UNKNOWN_RETRY_MS, resolve))
  }
}

async function dial(context: EngineContext, transport: Transport, node: ListedNode): Promise<NodeConnection> {
  const stream = await transport.dial(node.url, node.key, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
  const network = context.network().id
  return NodeConnection.open(stream, { network, timers: context.timers, authenticate: deviceProof(context) })
}

/** The list of nodes that a node tells, or undefined if it cannot be reached. */
export async function epochOf(
  context: EngineContext,
  transport: Transport,
  node: ListedNode
): Promise<Epoch | undefined> {
  try {
    const connection = await dial(context, transport, node)
    connection.close('asked')
    return connection.authenticated.epoch
  } catch (error) {
    context.log.debug('a node was not asked for its list', { node: node.url, reason: String(error) })
    return undefined
  }
}
