/**
 * What nodes say to each other: batches, heartbeats and records on gossip topics, and frames on the one long-lived
 * stream `/volo/node/1` of each pair of listed nodes, length-prefixed canonical CBOR `[kind, request id, ...]`.
 *
 * Gossip carries, streams guarantee: whatever a topic lost is asked for and sent again on the stream.
 */
import type { Cbor } from '../cbor.ts'
import {
  bool,
  bytes,
  bytesBetween,
  constant,
  decode,
  encode,
  list,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  variant,
  type TypeOf
} from '../codec.ts'
import { SIGNATURE_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { MAX_BUNDLE_BYTES } from '../identity/bundle.ts'
import { accountIdCodec, deviceIdCodec } from '../identity/device.ts'
import { labelled, labelledHash } from '../labels.ts'
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_ENVELOPES,
  MAX_DEVICES_PER_ACCOUNT,
  MAX_ENVELOPE_BYTES,
  MAX_PROFILES_PER_HANDLE,
  MAX_PUBLIC_PROFILE_BYTES,
  MAX_RECORD_BYTES
} from '../limits.ts'
import type { NetworkId } from '../network.ts'
import {
  acknowledgementCodec,
  denialCodec,
  evictionCodec,
  MAX_BATCH_DELIVERIES,
  receiptCodec,
  refusalCodec
} from './custody.ts'
import { mailboxTokenCodec } from './delivery-token.ts'
import { deliveryCodec, deliveryIdCodec } from './envelope.ts'
import { epochCodec, nodeKeyCodec } from './placement.ts'

/** The stream's protocol id. */
export const NODE_PROTOCOL = '/volo/node/1'
/** Gossip topic of the shard that stands for a replica set: only these replicas subscribe. */
export const shardTopic = (shard: number): string => `/volo/1/shard/${shard}`
/** Gossip topic of heartbeats. */
export const NODES_TOPIC = '/volo/1/nodes'
/** Gossip topic of records that are not yet on chain. */
export const RECORDS_TOPIC = '/volo/1/records'

/** A whole encoded batch: its envelopes and what frames them. */
export const MAX_BATCH_MESSAGE_BYTES = MAX_BATCH_BYTES + 1024
/** One frame between nodes. */
export const MAX_NODE_FRAME_BYTES = 1024 * 1024
/** Deliveries that one `have` asks about. */
export const MAX_ASKED_DELIVERIES = 256
/** Entries in one page of an answer. */
export const MAX_PAGE_ENTRIES = 1024
/** Shards in one `digests`. */
export const MAX_ASKED_SHARDS = 4_096
/** Deliveries in one `fetch`. */
export const MAX_FETCHED_DELIVERIES = 64
/** Acknowledgements passed on at once. */
export const MAX_PASSED_ACKNOWLEDGEMENTS = 64
/** Records passed on at once. */
export const MAX_GOSSIPED_RECORDS = 32

const signature = bytes(SIGNATURE_BYTES)
const shard = uint(0xffff)

/** Envelopes on their way from the node that took them to the nodes that keep their mailboxes: the same ones for all. */
export const batchCodec = struct({
  version: constant(1),
  origin: nodeKeyCodec,
  epoch: uint(),
  /** One of the shards that these nodes keep, on whose topic the batch goes. */
  shard,
  /** Milliseconds since 1970 by the origin's clock. */
  time: uint(),
  /** Encoded envelopes that name only mailboxes whose shards have the same replicas as this one. Their recipients, in order, are the batch's deliveries. */
  envelopes: list(bytesBetween(1, MAX_ENVELOPE_BYTES), MAX_BATCH_ENVELOPES, 1),
  signature
})
export type Batch = TypeOf<typeof batchCodec>

/** 32 bytes that name a batch: the hash of what its origin signed. */
export function batchIdOf(crypto: Crypto, network: NetworkId, batch: Omit<Batch, 'signature'>): Uint8Array {
  const { version, origin, epoch, shard, time, envelopes } = batch
  return labelledHash(crypto, 'batch', network, version, origin, epoch, shard, time, envelopes as Cbor[])
}

const batchSigningBytes = (network: NetworkId, batchId: Uint8Array): Uint8Array => labelled('batch', network, batchId)

/** Signs a batch as its origin. The signature covers the batch's id, so 256 KiB are hashed once. @returns also the id. */
export async function signBatch(
  crypto: Crypto,
  network: NetworkId,
  key: SigningKey,
  fields: Omit<Batch, 'version' | 'signature'>
): Promise<{ batch: Batch; id: Uint8Array }> {
  const unsigned = { ...fields, version: 1 as const }
  const id = batchIdOf(crypto, network, unsigned)
  return { batch: { ...unsigned, signature: await key.sign(batchSigningBytes(network, id)) }, id }
}

/** Whether the origin signed a batch of this id; see {@link batchIdOf}. That the origin is listed is the caller's to check. */
export function verifyBatch(crypto: Crypto, network: NetworkId, batch: Batch, batchId: Uint8Array): Promise<boolean> {
  return crypto.verify(batch.origin, batchSigningBytes(network, batchId), batch.signature)
}

export const encodeBatch = (batch: Batch): Uint8Array => encode(batchCodec, batch)

/** @throws ProtocolError `TOO_LARGE` or `MALFORMED`. The envelopes inside are still to be decoded. */
export function decodeBatch(encoded: Uint8Array): Batch {
  return decode(batchCodec, encoded, {
    maxBytes: MAX_BATCH_MESSAGE_BYTES,
    maxDepth: 2,
    maxItems: 16 + MAX_BATCH_ENVELOPES
  })
}

/** A node's sign of life, every few seconds. */
export const heartbeatCodec = struct({
  version: constant(1),
  node: nodeKeyCodec,
  epoch: uint(),
  time: uint(),
  signature
})
export type Heartbeat = TypeOf<typeof heartbeatCodec>

const heartbeatBytes = (network: NetworkId, { version, node, epoch, time }: Omit<Heartbeat, 'signature'>): Uint8Array =>
  labelled('heartbeat', network, version, node, epoch, time)

export async function signHeartbeat(
  network: NetworkId,
  key: SigningKey,
  fields: Omit<Heartbeat, 'version' | 'signature'>
): Promise<Heartbeat> {
  const unsigned = { ...fields, version: 1 as const }
  return { ...unsigned, signature: await key.sign(heartbeatBytes(network, unsigned)) }
}

export function verifyHeartbeat(crypto: Crypto, network: NetworkId, heartbeat: Heartbeat): Promise<boolean> {
  return crypto.verify(heartbeat.node, heartbeatBytes(network, heartbeat), heartbeat.signature)
}

export const encodeHeartbeat = (heartbeat: Heartbeat): Uint8Array => encode(heartbeatCodec, heartbeat)

/** @throws ProtocolError `TOO_LARGE` or `MALFORMED`. */
export function decodeHeartbeat(encoded: Uint8Array): Heartbeat {
  return decode(heartbeatCodec, encoded, { maxBytes: 256, maxDepth: 1, maxItems: 8 })
}

const gossipedRecordsCodec = struct({
  version: constant(1),
  records: list(bytesBetween(1, MAX_RECORD_BYTES), MAX_GOSSIPED_RECORDS, 1)
})

/** Records on their way to every node; each carries its own signatures, so nothing else is signed. */
export const encodeGossipedRecords = (records: Uint8Array[]): Uint8Array =>
  encode(gossipedRecordsCodec, { version: 1, records })

/** @throws ProtocolError `TOO_LARGE` or `MALFORMED`. */
export function decodeGossipedRecords(encoded: Uint8Array): Uint8Array[] {
  const maxBytes = MAX_GOSSIPED_RECORDS * (MAX_RECORD_BYTES + 4) + 16
  return decode(gossipedRecordsCodec, encoded, { maxBytes, maxDepth: 2, maxItems: 4 + MAX_GOSSIPED_RECORDS }).records
}

const request = uint(0xffff_ffff)
const sequence = uint()

/** What a store knows of a delivery: held, or gone and not to come back. */
export const deliveryStateCodec = oneOf('held', 'acknowledged', 'evicted')
export type DeliveryState = TypeOf<typeof deliveryStateCodec>

/** A delivery as a receipt's leaf names it. */
export const deliveryReferenceCodec = struct({ mailbox: deviceIdCodec, id: deliveryIdCodec, expiry: uint() })
export type DeliveryReference = TypeOf<typeof deliveryReferenceCodec>

/** Why a node did not answer a request as asked; the text is for people. */
export const NODE_ERROR_CODES = ['malformed', 'wrong-epoch', 'not-a-replica', 'busy', 'refused', 'internal'] as const
export type NodeLinkErrorCode = (typeof NODE_ERROR_CODES)[number]

const mailboxNews = struct({
  mailbox: deviceIdCodec,
  /** Where the next question goes on. */
  next: sequence,
  ids: list(deliveryIdCodec, MAX_PAGE_ENTRIES)
})

/** Frames between two nodes, both ways. Kinds below 32 ask, the others answer with the request's id. */
export const nodeLinkFrameCodec = variant({
  /** First frame of both sides. A different network ends the link. */
  hello: [1, struct({ request, version: uint(255), network: bytes(32), epoch: uint() })],
  /** Stores a batch, as gossip would. Answered by `stored`. */
  batch: [2, struct({ request, batch: bytesBetween(1, MAX_BATCH_MESSAGE_BYTES) })],
  /** Asks for a receipt for what is held. Answered by `held`. */
  have: [
    3,
    struct({ request, epoch: uint(), shard, deliveries: list(deliveryReferenceCodec, MAX_ASKED_DELIVERIES, 1) })
  ],
  /** Passes on acknowledgements of devices. Answered by `done`. */
  acknowledge: [4, struct({ request, acknowledgements: list(acknowledgementCodec, MAX_PASSED_ACKNOWLEDGEMENTS, 1) })],
  /** Passes on an eviction. Answered by `done`. */
  evict: [5, struct({ request, eviction: evictionCodec })],
  /** Asks what came for mailboxes since a sequence of the asked node; 0 for all that is held. Answered by `newsOf`. */
  news: [
    6,
    struct({ request, mailboxes: list(struct({ mailbox: deviceIdCodec, after: sequence }), MAX_PAGE_ENTRIES, 1) })
  ],
  /** Asks for deliveries. Answered by `deliveries`. */
  fetch: [7, struct({ request, mailbox: deviceIdCodec, ids: list(deliveryIdCodec, MAX_FETCHED_DELIVERIES, 1) })],
  /**
   * Asks for the digests of the mailboxes of shards, which go up: in order of shards and mailboxes, after one of the first
   * shard. Answered by `mailboxDigests`.
   */
  digests: [8, struct({ request, shards: list(shard, MAX_ASKED_SHARDS, 1), after: nullable(deviceIdCodec) })],
  /** Asks for every id that a mailbox's digest covers, in order, after one. Answered by `mailboxStates`. */
  states: [9, struct({ request, mailbox: deviceIdCodec, after: nullable(deliveryIdCodec) })],
  /** Asks for the signed reasons why deliveries are gone. Answered by `removals`. */
  why: [10, struct({ request, mailbox: deviceIdCodec, ids: list(deliveryIdCodec, MAX_ASKED_DELIVERIES, 1) })],
  /** Keeps a device bundle of an account of a shard that the asked node keeps. Answered by `done`. */
  putBundle: [11, struct({ request, accountId: accountIdCodec, bundle: bytesBetween(1, MAX_BUNDLE_BYTES) })],
  /** Answered by `bundles`. */
  getBundles: [12, struct({ request, accountId: accountIdCodec })],
  /** Keeps the delivery token of a mailbox that the asked node keeps. Answered by `done`. */
  putToken: [13, struct({ request, token: mailboxTokenCodec })],
  /** Answered by `token`. */
  getToken: [14, struct({ request, mailbox: deviceIdCodec })],
  /** Keeps a public profile at a place of a shard that the asked node keeps: see profile/public-profile.ts. Answered by `done`. */
  putProfile: [15, struct({ request, place: bytes(32), profile: bytesBetween(1, MAX_PUBLIC_PROFILE_BYTES) })],
  /** Answered by `profiles`. */
  getProfiles: [16, struct({ request, place: bytes(32) })],

  /**
   * What became of a batch; unasked (request 0) when it came by gossip. The receipt covers all deliveries of the batch,
   * in order, but the refused ones; null if all are refused.
   */
  stored: [
    32,
    struct({
      request,
      batch: bytes(32),
      receipt: nullable(receiptCodec),
      refused: list(struct({ index: uint(MAX_BATCH_DELIVERIES), refusal: refusalCodec }), MAX_BATCH_DELIVERIES)
    })
  ],
  /** A batch not taken as a whole; with `wrong-epoch` comes the epoch in force. */
  rejected: [33, struct({ request, batch: bytes(32), code: oneOf(...NODE_ERROR_CODES), epoch: nullable(epochCodec) })],
  /** A receipt for all asked deliveries, in order, but the denied ones; null if all are denied. */
  held: [
    34,
    struct({
      request,
      receipt: nullable(receiptCodec),
      denied: list(struct({ index: uint(MAX_ASKED_DELIVERIES), denial: denialCodec }), MAX_ASKED_DELIVERIES)
    })
  ],
  /** Only mailboxes with news. */
  newsOf: [35, struct({ request, mailboxes: list(mailboxNews, MAX_PAGE_ENTRIES) })],
  /** As many of the asked deliveries as are held and fit a frame, at least one if one is held. */
  deliveries: [36, struct({ request, deliveries: list(deliveryCodec, MAX_FETCHED_DELIVERIES) })],
  mailboxDigests: [
    37,
    struct({
      request,
      mailboxes: list(struct({ mailbox: deviceIdCodec, digest: bytes(16) }), MAX_PAGE_ENTRIES),
      more: bool
    })
  ],
  mailboxStates: [
    38,
    struct({
      request,
      deliveries: list(struct({ id: deliveryIdCodec, state: deliveryStateCodec, expiry: uint() }), MAX_PAGE_ENTRIES),
      more: bool
    })
  ],
  removals: [
    39,
    struct({
      request,
      acknowledgements: list(acknowledgementCodec, MAX_PASSED_ACKNOWLEDGEMENTS),
      evictions: list(evictionCodec, MAX_PASSED_ACKNOWLEDGEMENTS)
    })
  ],
  bundles: [40, struct({ request, bundles: list(bytesBetween(1, MAX_BUNDLE_BYTES), MAX_DEVICES_PER_ACCOUNT) })],
  done: [41, struct({ request })],
  token: [43, struct({ request, token: nullable(mailboxTokenCodec) })],
  profiles: [
    44,
    struct({ request, profiles: list(bytesBetween(1, MAX_PUBLIC_PROFILE_BYTES), MAX_PROFILES_PER_HANDLE) })
  ],
  error: [42, struct({ request, code: oneOf(...NODE_ERROR_CODES), message: text(300) })]
})

export type NodeLinkFrame = TypeOf<typeof nodeLinkFrameCodec>
export type NodeLinkFrameOf<K extends NodeLinkFrame['kind']> = Extract<NodeLinkFrame, { kind: K }>

export const encodeNodeLinkFrame = (frame: NodeLinkFrame): Uint8Array => encode(nodeLinkFrameCodec, frame)

/** @throws ProtocolError `TOO_LARGE`, `MALFORMED`, or `UNSUPPORTED_VERSION` for a kind this build does not know. */
export function decodeNodeLinkFrame(frame: Uint8Array): NodeLinkFrame {
  return decode(nodeLinkFrameCodec, frame, { maxBytes: MAX_NODE_FRAME_BYTES, maxDepth: 8, maxItems: 100_000 })
}
