/** What `volo-node peers` and `shards` show of the network half. Measured when asked; everything here is small or bounded. */
import { byteKey } from '../byte-key.ts'
import { NodeError } from '../errors.ts'
import type { NetworkView } from '../network/network-view.ts'
import type { NodeLinks } from '../network/node-links.ts'
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

/** The shards that this node keeps together with the same other nodes. */
export interface ShardReport {
  /** The lowest of them, and how many they are. */
  shard: number
  shards: number
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
    await links.request<'digests'>(node.key, { kind: 'digests', shards: [0], after: LAST_MAILBOX }, PROBE_TIMEOUT_MS)
  } catch (error) {
    // A node that does not keep the shard says so, which is an answer, too.
    if (!(error instanceof NodeError) || error.code === 'unreachable') return null
  }
  return Math.round((performance.now() - begun) * 10) / 10
}

/** All shards that this node keeps, those with the same replicas together, in order of the lowest of each. */
export async function shardReports({ view, links, store, repair }: RelayParts): Promise<ShardReport[]> {
  const counts = await store.countShards()
  const reports = new Map<string, ShardReport>()
  for (const shard of view.keptShards()) {
    const key = view.epochs.map(epoch => view.groupOf(epoch, shard)).join('/')
    const report = reports.get(key) ?? emptyReport(view, links, shard)
    reports.set(key, report)
    const { mailboxes, pending } = counts.get(shard) ?? { mailboxes: 0, pending: 0 }
    report.shards += 1
    report.mailboxes += mailboxes
    report.pending += pending
    const backlog = repair.backlogOf(shard)
    report.repairBacklog = backlog === null || report.repairBacklog === null ? null : report.repairBacklog + backlog
  }
  return [...reports.values()]
}

function emptyReport(view: NetworkView, links: NodeLinks, shard: number): ShardReport {
  const everyEpoch = view.epochs.flatMap(epoch => view.replicas(epoch, shard))
  const replicas = [...new Map(everyEpoch.map(node => [byteKey(node.key), node])).values()].map(node => {
    const self = view.isSelf(node.key)
    return { node: toHex(node.key), url: node.url, self, connected: self || links.isUp(node.key) }
  })
  return { shard, shards: 0, replicas, mailboxes: 0, pending: 0, repairBacklog: 0 }
}
