/** `volo-node status`, `peers` and `shards`: what the running node says of itself, as tables or with `--json` as it is. */
import { z } from 'zod'
import type { CommandArguments, Outcome } from './command-arguments.ts'
import type { PeerReport, ShardReport } from './relay-report.ts'
import { RunningNode } from './running-node.ts'
import { bytesText, durationText, pairs, shortId, table } from './table.ts'

const reason = z.object({ code: z.string(), message: z.string() })
/** The part of `GET /status` that is shown; the rest passes through to programs. */
const statusSchema = z.looseObject({
  version: z.string(),
  startedAt: z.number(),
  clock: z.number(),
  url: z.string(),
  node: z.string(),
  network: z.string(),
  readiness: z.object({ reasons: z.array(reason), warnings: z.array(reason) }),
  store: z.object({ stores: z.record(z.string(), z.number()), total: z.number(), free: z.number() }),
  peers: z.looseObject({
    epoch: z.number(),
    peers: z.array(z.looseObject({ connected: z.boolean() })),
    clients: z.number(),
    connections: z.number(),
    pendingCount: z.number()
  }),
  chain: z.looseObject({
    label: z.string(),
    follower: z.looseObject({
      reachable: z.boolean(),
      caughtUp: z.boolean(),
      tip: z.looseObject({ height: z.number() }).optional(),
      tipAgeMs: z.number().optional()
    }),
    publisher: z.looseObject({ queuedRecords: z.number(), balance: z.string().optional(), address: z.string() })
  }),
  directory: z.object({ accounts: z.number(), pendingRecords: z.number() })
})
type Status = z.output<typeof statusSchema>

/** `volo-node status`. */
export async function status({ config }: CommandArguments): Promise<Outcome> {
  const json = await (await RunningNode.require(config)).ask('/status')
  return { text: statusText(statusSchema.parse(json)), json }
}

function statusText(status: Status): string {
  const { readiness, store, peers, chain, directory } = status
  const up = peers.peers.filter(({ connected }) => connected).length
  const stores = Object.entries(store.stores).map(([name, size]) => `${name} ${bytesText(size)}`)
  const facts: [string, string][] = [
    ['version', status.version],
    ['network', status.network],
    ['node', status.node],
    ['public address', status.url],
    ['running for', durationText(status.clock - status.startedAt)],
    ['ready', readiness.reasons.length === 0 ? 'yes' : 'no'],
    ['chain', chainText(chain)],
    ['wallet', `${lovelaceText(chain.publisher.balance)} at ${chain.publisher.address}`],
    ['records', `${chain.publisher.queuedRecords} wait for a transaction`],
    ['accounts', `${directory.accounts}, ${directory.pendingRecords} records not settled`],
    ['clients', `${peers.clients} devices, ${peers.connections} connections`],
    ['messages', `${peers.pendingCount} wait for their devices`],
    ['nodes', `${up} of ${peers.peers.length} others connected, list ${peers.epoch}`],
    ['stores', `${bytesText(store.total)} (${stores.join(', ')}), ${bytesText(store.free)} free on the disk`]
  ]
  const says = [
    ...readiness.reasons.map(({ code, message }) => `not ready (${code}): ${message}`),
    ...readiness.warnings.map(({ code, message }) => `warning (${code}): ${message}`)
  ]
  return [pairs(facts), ...says].join('\n')
}

function chainText({ label, follower }: Status['chain']): string {
  if (follower.tip === undefined) return `${label}, nothing read yet`
  const lag = follower.tipAgeMs === undefined ? '' : `, ${durationText(follower.tipAgeMs)} old`
  const state = !follower.reachable ? ', source unreachable' : follower.caughtUp ? '' : ', catching up'
  return `${label}, block ${follower.tip.height}${lag}${state}`
}

function lovelaceText(balance: string | undefined): string {
  return balance === undefined ? 'unknown balance' : `${(Number(balance) / 1e6).toFixed(2)} ADA`
}

/** `volo-node peers`. */
export async function peers({ config }: CommandArguments): Promise<Outcome> {
  const found = (await (await RunningNode.require(config)).ask('/peers')) as PeerReport[]
  const json = { connected: found.filter(({ connected }) => connected).length, nodes: found }
  if (found.length === 0) return { text: 'No other nodes are in the list in force.', json }
  const rows = found.map(({ node, operator, url, connected, latencyMs, heartbeatAgeMs }) => [
    shortId(node),
    shortId(operator),
    connected ? 'connected' : 'away',
    latencyMs === null ? '-' : `${latencyMs} ms`,
    heartbeatAgeMs === null ? 'none seen' : `${durationText(heartbeatAgeMs)} ago`,
    url
  ])
  return { text: table(['NODE', 'OPERATOR', 'STATE', 'LATENCY', 'HEARTBEAT', 'ADDRESS'], rows), json }
}

/** `volo-node shards`. */
export async function shards({ config }: CommandArguments): Promise<Outcome> {
  const found = (await (await RunningNode.require(config)).ask('/shards')) as ShardReport[]
  const json = { held: found.reduce((sum, { shards: count }) => sum + count, 0), shards: found }
  if (found.length === 0) return { text: 'This node keeps no shard.', json }
  const rows = found.map(({ shard, shards: count, replicas, mailboxes, pending, repairBacklog }) => [
    String(shard),
    String(count),
    `${replicas.filter(({ connected }) => connected).length} of ${replicas.length}`,
    String(mailboxes),
    String(pending),
    repairBacklog === null ? 'not compared yet' : String(repairBacklog),
    replicas.map(({ url, self }) => (self ? 'this node' : url)).join(' ')
  ])
  return { text: table(['FIRST', 'SHARDS', 'REACHED', 'MAILBOXES', 'PENDING', 'BACKLOG', 'REPLICAS'], rows), json }
}
