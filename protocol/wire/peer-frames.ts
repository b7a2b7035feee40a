/**
 * Frames between a client and a node, on the one long-lived stream `/volo/peer/1`: each is length-prefixed canonical
 * CBOR `[kind, request id, ...]`. Request ids are the client's own; frames that a node sends unasked carry 0.
 *
 * The node speaks first (`hello`), the client proves its device (`authenticate`), then requests go in any order.
 */
import {
  bool,
  bytes,
  bytesBetween,
  list,
  nullable,
  oneOf,
  struct,
  text,
  uint,
  decode,
  encode,
  variant,
  type TypeOf
} from '../codec.ts'
import { SIGNATURE_BYTES } from '../crypto/crypto.ts'
import { accountIdCodec, deviceIdCodec, devicePublicKeysCodec } from '../identity/device.ts'
import { MAX_BUNDLE_BYTES } from '../identity/bundle.ts'
import {
  MAX_DEVICES_PER_ACCOUNT,
  MAX_ENVELOPE_BYTES,
  MAX_PEER_FRAME_BYTES,
  MAX_PROFILES_PER_HANDLE,
  MAX_PUBLIC_PROFILE_BYTES,
  MAX_RECORD_BYTES
} from '../limits.ts'
import { acknowledgementCodec, deliveryReceiptCodec, evictionCodec, refusalCodec } from './custody.ts'
import { mailboxTokenCodec } from './delivery-token.ts'
import { deliveryCodec, deliveryIdCodec } from './envelope.ts'
import { PEER_ERROR_CODES } from './peer-error-codes.ts'
import { epochCodec, nodeKeyCodec } from './placement.ts'

export type { PeerErrorCode } from './peer-error-codes.ts'

/** The stream's protocol id. */
export const PEER_PROTOCOL = '/volo/peer/1'
/** Versions of the frames that this build speaks, newest first. */
export const PEER_VERSIONS = [1]

/** Largest encoded account proof that one frame carries. */
export const MAX_PROOF_BYTES = 192 * 1024
/** Records that a client may hand in at once. */
export const MAX_PUBLISHED_RECORDS = 8
/** Names that share the asked-for beginning of a tag. */
export const MAX_NAME_MATCHES = 256

const request = uint(0xffff_ffff)
const record = bytesBetween(1, MAX_RECORD_BYTES)
const profile = bytesBetween(1, MAX_PUBLIC_PROFILE_BYTES)

/** What a client sends. */
export const clientFrameCodec = variant({
  /** Proves the device: a signature over both ends' libp2p keys and the node's nonce, see peer-authentication.ts. */
  authenticate: [
    1,
    struct({
      request,
      version: uint(255),
      keys: devicePublicKeysCodec,
      time: uint(),
      signature: bytes(SIGNATURE_BYTES)
    })
  ],
  /** Hands in an envelope for custody. Answered by `submitted`, or `waiting` where receipts are short. */
  submit: [2, struct({ request, epoch: uint(), envelope: bytesBetween(1, MAX_ENVELOPE_BYTES) })],
  /** Asks for this device's pending messages, then live ones. Answered by `attached`, or an error `not-a-replica`. */
  attach: [3, struct({ request })],
  /** Lets go of messages that the device has stored. */
  acknowledge: [4, struct({ request, acknowledgement: acknowledgementCodec })],
  /** Asks for an account's records with their transactions. */
  account: [5, struct({ request, accountId: accountIdCodec })],
  /** Asks who holds names whose tag begins so: 2 bytes while choosing a name, so that no node learns it; 32 to find. */
  names: [6, struct({ request, tagPrefix: bytesBetween(2, 32) })],
  /** Asks for the bundles of an account's devices. */
  bundles: [7, struct({ request, accountId: accountIdCodec })],
  /** Hands in this device's own current bundle. */
  publishBundle: [8, struct({ request, bundle: bytesBetween(1, MAX_BUNDLE_BYTES) })],
  /** Hands in records for the chain, signed by this account's device. */
  publishRecords: [9, struct({ request, records: list(record, MAX_PUBLISHED_RECORDS, 1) })],
  /** Asks for the current list of nodes. */
  epoch: [10, struct({ request })],
  ping: [11, struct({ request })],
  /** Hands in the delivery token of this device's mailbox, for its replicas. Answered by `done`. */
  publishToken: [12, struct({ request, token: mailboxTokenCodec })],
  /** This device knows what its mailbox lost up to a time, as `lost` told it. Answered by `done`. */
  lossSeen: [13, struct({ request, at: uint() })],
  /** Hands in the public profile of this device's account, signed by this device. Answered by `done`. */
  publishProfile: [14, struct({ request, profile })],
  /** Asks for the public profiles of an account, or of a name elsewhere: see profile/public-profile.ts. */
  profiles: [15, struct({ request, place: bytes(32) })]
})

/** What a node did with one recipient of an envelope. */
export const submissionResultCodec = struct({
  mailbox: deviceIdCodec,
  id: deliveryIdCodec,
  /** `stored`: enough receipts. `waiting`: fewer so far, the client retries the same bytes. `refused`: see `refusal`. */
  state: oneOf('stored', 'waiting', 'refused'),
  receipts: list(deliveryReceiptCodec, 8),
  refusal: nullable(refusalCodec)
})
export type SubmissionResult = TypeOf<typeof submissionResultCodec>

const nameMatch = struct({ tag: bytes(32), accountId: accountIdCodec, state: oneOf('pending', 'recorded', 'settled') })

/** What a node sends. */
export const nodeFrameCodec = variant({
  /** First frame on the stream. */
  hello: [
    1,
    struct({
      request,
      versions: list(uint(255), 8, 1),
      network: bytes(32),
      node: nodeKeyCodec,
      nonce: bytes(32),
      time: uint(),
      epoch: uint()
    })
  ],
  authenticated: [2, struct({ request, deviceId: deviceIdCodec, accountId: accountIdCodec, epoch: epochCodec })],
  submitted: [3, struct({ request, results: list(submissionResultCodec, 64, 1) })],
  /** Pending messages follow as `deliver` frames, then `caughtUp`, then live ones. */
  attached: [4, struct({ request, pending: uint() })],
  /** Messages for this device, oldest first; each is acknowledged once stored. */
  deliver: [5, struct({ request, deliveries: list(deliveryCodec, 64, 1) })],
  caughtUp: [6, struct({ request })],
  done: [7, struct({ request })],
  /** An encoded `AccountProof`, see directory/proof.ts. */
  account: [8, struct({ request, proof: bytesBetween(1, MAX_PROOF_BYTES) })],
  names: [9, struct({ request, matches: list(nameMatch, MAX_NAME_MATCHES), complete: bool })],
  bundles: [10, struct({ request, bundles: list(bytesBetween(1, MAX_BUNDLE_BYTES), MAX_DEVICES_PER_ACCOUNT) })],
  epoch: [11, struct({ request, epoch: epochCodec })],
  pong: [12, struct({ request, time: uint() })],
  /** Messages of this mailbox that were removed to keep it within its limits. */
  evicted: [13, struct({ request, eviction: evictionCodec })],
  /** The answer to a request that failed; with request 0, the reason the node is about to hang up. */
  error: [14, struct({ request, code: oneOf(...PEER_ERROR_CODES), message: text(300) })],
  /**
   * After `attached`: so many messages of contacts and of others went before this device took them, for want of room or
   * because their time passed. `at` is the time of the last loss by the node's clock. Comes again until `lossSeen`.
   */
  lost: [15, struct({ request, contacts: uint(0xffff_ffff), requests: uint(0xffff_ffff), at: uint() })],
  profiles: [16, struct({ request, profiles: list(profile, MAX_PROFILES_PER_HANDLE) })]
})

export type ClientFrame = TypeOf<typeof clientFrameCodec>
export type NodeFrame = TypeOf<typeof nodeFrameCodec>
export type ClientFrameOf<K extends ClientFrame['kind']> = Extract<ClientFrame, { kind: K }>
export type NodeFrameOf<K extends NodeFrame['kind']> = Extract<NodeFrame, { kind: K }>

const FRAME_LIMITS = { maxBytes: MAX_PEER_FRAME_BYTES, maxDepth: 8, maxItems: 100_000 }

export const encodeClientFrame = (frame: ClientFrame): Uint8Array => encode(clientFrameCodec, frame)
export const encodeNodeFrame = (frame: NodeFrame): Uint8Array => encode(nodeFrameCodec, frame)

/** @throws ProtocolError `TOO_LARGE`, `MALFORMED`, or `UNSUPPORTED_VERSION` for a kind this build does not know. */
export function decodeClientFrame(frame: Uint8Array, maxBytes: number = MAX_PEER_FRAME_BYTES): ClientFrame {
  return decode(clientFrameCodec, frame, { ...FRAME_LIMITS, maxBytes })
}

/** @throws ProtocolError `TOO_LARGE`, `MALFORMED`, or `UNSUPPORTED_VERSION`. */
export function decodeNodeFrame(frame: Uint8Array): NodeFrame {
  return decode(nodeFrameCodec, frame, FRAME_LIMITS)
}
