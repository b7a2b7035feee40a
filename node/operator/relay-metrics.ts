import type { RelayParts } from '../relay-parts.ts'
import type { MetricSample } from '../ports.ts'

/** The network half's samples for the administration port. */
export function relayMetrics(parts: RelayParts): MetricSample[] {
  const {
    connections,
    quotas,
    attached,
    delivery,
    links,
    store,
    replica,
    origin,
    chat,
    reader,
    repair,
    gossip,
    bans,
    handover
  } = parts
  const gauge = (name: string, help: string, value: number): MetricSample => ({ name, help, type: 'gauge', value })
  const counter = (name: string, help: string, value: number): MetricSample => ({ name, help, type: 'counter', value })
  return [
    gauge('volo_client_connections', 'Client connections', connections.connections),
    gauge('volo_client_devices', 'Devices with a proven stream', connections.devices),
    gauge('volo_attached_devices', 'Devices that get their messages here', attached.size),
    gauge('volo_node_links', 'Links to other listed nodes', links.upCount),
    gauge('volo_pending_deliveries', 'Deliveries that wait for their devices', store.heldCount),
    gauge('volo_batches_in_flight', 'Batches on their way to replicas', origin.size),
    gauge('volo_banned_nodes', 'Nodes shut out for bad messages', bans.size),
    counter('volo_connections_refused_total', 'Client connections refused by limits', connections.refusedConnections),
    counter('volo_requests_refused_total', 'Requests refused by limits', quotas.refusedRequests),
    counter('volo_envelopes_refused_total', 'Envelopes and recipients refused by limits', quotas.refusedEnvelopes),
    counter('volo_envelopes_submitted_total', 'Envelopes taken from devices', chat.submitted),
    counter('volo_batches_sent_total', 'Batches sent to replicas', origin.batches),
    counter('volo_batches_asked_total', 'Silent replicas asked on the stream', origin.repaired),
    counter('volo_bad_receipts_total', 'Receipts that did not verify', origin.badReceipts),
    counter('volo_deliveries_stored_total', 'Deliveries stored for the first time', replica.stored),
    counter('volo_receipts_signed_total', 'Receipts signed', replica.receipts),
    counter('volo_refusals_signed_total', 'Refusals signed', replica.refusals),
    counter('volo_group_commits_total', 'Fsynced writes', store.commits.groups),
    counter('volo_group_commit_items_total', 'Deliveries touched by fsynced writes', store.commits.items),
    counter('volo_deliveries_sent_total', 'Deliveries sent to devices', delivery.delivered),
    counter('volo_deliveries_acknowledged_total', 'Deliveries acknowledged', delivery.acknowledged),
    counter('volo_deliveries_fetched_total', 'Deliveries fetched from replicas', reader.fetched),
    counter('volo_deliveries_released_total', 'Deliveries handed over to other nodes', handover.released),
    counter('volo_repair_rounds_total', 'Rounds of comparing replicas', repair.rounds),
    counter('volo_repair_differences_total', 'Mailboxes that differed from a replica', repair.differences),
    gauge('volo_repair_backlog', 'Mailboxes that differed from a replica when compared last', repair.backlog),
    counter('volo_gossip_received_total', 'Gossip messages', gossip.received),
    counter('volo_gossip_rejected_total', 'Gossip messages that were provably bad', gossip.rejected)
  ]
}
