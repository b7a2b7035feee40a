/** What `volo-node peers` and `shards` show of the network half. Measured when asked; everything here is small or bounded. */
import { byteKey } from '../byte-key.ts'
import { NodeError } from '../errors.ts'
import type { RelayParts } from '../relay-parts.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { ListedNode } from '../../protocol/wire/placement.ts'

const PROBE_TIMEOUT_MS = 2_000
/** Nothing comes after this mailbox: the answer is a small one. */
const LAST_MAILBOX = new Uint8Array(16).fill(0xff) as DeviceId

/** Another listed node; ids in lower-case hex. */
export interface PeerReport {
  node: string
  operator: string
  url: string
  link: string
  connected: boolean
  /** Milliseconds for a question and its answer; null without a link, or without an answer. */
  latencyMs: number | null
  /** Milliseconds since its last heartbeat came; null if none came since the start. */
  heartbeatAgeMs: number | null
}

/** A shard that this node keeps. */
export interface ShardReport {
  shard: number
  replicas: { node: string; url: string; self: boolean; connected: boolean }[]
  /** Mailboxes with anything in them, and deliveries that wait. */
  mailboxes: number
  pending: number
  /** Mailboxes that differed from a replica when they were compared last; null if that has not happened yet. */
  repairBacklog: number | null
}

/** All other nodes of the list in force. */
export function peerReports(parts: RelayParts): Promise<PeerReport[]> {
  return Promise.all(parts.view.others.map(node => peerReport(parts, node)))
}

async function peerReport(parts: RelayParts, node: ListedNode): Promise<PeerReport> {
  const connected = parts.links.isUp(node.key)
  const seen = parts.heartbeat.lastSeen(node.key)
  return {
    node: toHex(node.key),
    operator: toHex(node.operator),
    url: node.url,
    link: node.link,
    connected,
    latencyMs: connected ? await latencyOf(parts, node) : null,
    heartbeatAgeMs: seen === undefined ? null : Math.max(0, Date.now() - seen)
  }
}

async function latencyOf({ links }: RelayParts, node: ListedNode): Promise<number | null> {
  const begun = performance.now()
  try {
    await links.request<'digests'>(node.key, { kind: 'digests', shard: 0, after: LAST_MAILBOX }, PROBE_TIMEOUT_MS)
  } catch (error) {
    // A node that does not keep the shard says so, which is an answer, too.
    if (!(error instanceof NodeError) || error.code === 'unreachable') return null
  }
  return Math.round((performance.now() - begun) * 10) / 10
}

/** All shards that this node keeps, in order. */
export async function shardReports(parts: RelayParts): Promise<ShardReport[]> {
  const reports: ShardReport[] = []
  for (const shard of parts.view.keptShards()) reports.push(await shardReport(parts, shard))
  return reports
}

async function shardReport({ view, links, store, repair }: RelayParts, shard: number): Promise<ShardReport> {
  const everyEpoch = view.epochs.flatMap(epoch => view.replicas(epoch, shard))
  const replicas = [...new Map(everyEpoch.map(node => [byteKey(node.key), node])).values()].map(node => {
    const self = view.isSelf(node.key)
    return { node: toHex(node.key), url: node.url, self, connected: self || links.isUp(node.key) }
  })
  return { shard, replicas, ...(await store.countShard(shard)), repairBacklog: repair.backlogOf(shard) }
}
