/** Every bound of the protocol, once, with its unit. docs/protocol.md links here instead of repeating numbers. */

const KIB = 1024
const MIB = 1024 * KIB
const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Shared payload of one envelope. */
export const MAX_ENVELOPE_PAYLOAD_BYTES = 64 * KIB
/** One recipient's own part, such as an Open's sealed entry. */
export const MAX_RECIPIENT_PART_BYTES = 2 * KIB
/** Recipients named by one envelope; a larger fan-out is several envelopes of one id. */
export const MAX_ENVELOPE_RECIPIENTS = 64
/** A whole encoded envelope: payload, every recipient's part and proof, and framing. */
export const MAX_ENVELOPE_BYTES = 220 * KIB

/** Largest file of a message, before encryption. */
export const MAX_ATTACHMENT_BYTES = 100 * MIB

/**
 * Longest text of one message, in UTF-16 code units: what `length` counts. At three bytes a unit, the longest text still
 * fits the largest padding. The composer and the peer refuse a longer one, counted without blanks at its ends.
 */
export const MAX_TEXT_UNITS = 20_000
/** Longest draft: a text that is too long to send is kept whole, so that its writer can split it. */
export const MAX_DRAFT_UNITS = 5 * MAX_TEXT_UNITS
/** Longest display name in its normal form, in UTF-16 code units; see identity/display-name.ts. */
export const MAX_DISPLAY_NAME_UNITS = 64

/** Longest description that a person gives of themselves, in UTF-16 code units. */
export const MAX_ABOUT_UNITS = 256
/** One public profile at a node, signed and sealed. */
export const MAX_PUBLIC_PROFILE_BYTES = 8 * KIB
/** Accounts that may be found by one name elsewhere: a person may have several. */
export const MAX_PROFILES_PER_HANDLE = 4

/** How long a pending message is kept at most. */
export const PENDING_TTL_MS = 30 * DAY_MS
/** Largest object that a node takes in one request, and each part of a larger one but the last. */
export const OBJECT_PART_BYTES = MIB
/** How long a node keeps a file of a message, since its owner handed it in last. */
export const FILE_LIFE_MS = PENDING_TTL_MS
/** Clocks of honest machines may differ by this much. */
export const CLOCK_TOLERANCE_MS = 10 * MINUTE_MS
/** Pending envelopes of one mailbox. */
export const MAX_MAILBOX_ENVELOPES = 10_000
/** Pending bytes of one mailbox. */
export const MAX_MAILBOX_BYTES = 64 * MIB
/** A tombstone outlives its envelope's expiry by this much, so that no late copy revives it. */
export const TOMBSTONE_GRACE_MS = DAY_MS

/** Envelopes that one custody batch carries. */
export const MAX_BATCH_ENVELOPES = 64
/** Bytes that one custody batch carries; far below gossipsub's 4 MiB frame, above which peers go deaf. */
export const MAX_BATCH_BYTES = 256 * KIB
/** Longest wait for a batch to fill. */
export const BATCH_WAIT_MS = 2
/** Receipts of different operators that make a message *sent*, as far as the network lists that many. */
export const RECEIPTS_REQUIRED = 2

/** One frame between client and node. */
export const MAX_PEER_FRAME_BYTES = 256 * KIB
/** One frame before the client has proved its device. */
export const MAX_UNAUTHENTICATED_FRAME_BYTES = 4 * KIB
/** Time to prove a device on a new connection. */
export const AUTHENTICATION_TIMEOUT_MS = 5 * SECOND_MS
/** Life of a node's nonce. */
export const NONCE_TTL_MS = MINUTE_MS
/** A client pings this often. */
export const PING_INTERVAL_MS = 30 * SECOND_MS

/** Live devices of one account. */
export const MAX_DEVICES_PER_ACCOUNT = 32
/** Records of one account; REVOKE and RECOVER are exempt. */
export const MAX_RECORDS_PER_ACCOUNT = 1_000
/** RECOVER records of one account: a bound of its state, out of a thief's reach, who would need the recovery key. */
export const MAX_RECOVERIES_PER_ACCOUNT = 64
/** Name commitments of one account that may wait to be revealed. */
export const MAX_OPEN_COMMITMENTS = 8
/** Names that one account may have opened and not released. */
export const MAX_NAMES_PER_ACCOUNT = 4
/** Transactions of one proof: every record of an account in one of its own, and then some. */
export const MAX_PROOF_TRANSACTIONS = 2_304
/** One proof of an account's records, in bytes. */
export const MAX_ACCOUNT_PROOF_BYTES = 16 * MIB
/** One raw Cardano transaction: the ledger's limit is 16 KiB today and may be raised. */
export const MAX_TRANSACTION_BYTES = 64 * KIB
/** Devices that one session is sealed to. */
export const MAX_ROSTER_DEVICES = 1_024
/** Accounts of one group. */
export const MAX_GROUP_MEMBERS = 1_000
/** Changes that one group's log keeps, of those that neither put others out nor end the signer's own part: past it the group stays as it is. */
export const MAX_GROUP_CHANGES = 2_048
/** Removals and demotions of others: a room of their own, so that no crowd of changes keeps a person in. */
export const MAX_GROUP_REMOVALS = 1_024
/** Changes by which people leave or step down. */
export const MAX_GROUP_LEAVES = 1_024
/** Last changes without a successor that a change or an Open names; more come from many admins who were cut off from each other. */
export const MAX_GROUP_HEADS = 16
/** People that one change adds or removes. */
export const MAX_GROUP_CHANGE_TARGETS = 250
/** One signed change of a group. */
export const MAX_GROUP_CHANGE_BYTES = 24 * KIB
/** Changes of a group beside an Open, sealed; with the body of the Open they fit into one payload. */
export const MAX_SEALED_GROUP_LOG_BYTES = 40 * KIB
/** Longest description of a group, in UTF-16 code units. */
export const MAX_GROUP_DESCRIPTION_UNITS = 500
/** One record on chain, in bytes. */
export const MAX_RECORD_BYTES = 1 * KIB

/** A session is renewed after this many messages. */
export const SESSION_MAX_MESSAGES = 100
/** A session is renewed after this long. */
export const SESSION_MAX_AGE_MS = 7 * DAY_MS
/** The most messages a sender may allow itself in one session; bounds what a receiver keeps for skipped ones. */
export const SESSION_MESSAGES_LIMIT = 1_000
/** The longest life a sender may give a session. */
export const SESSION_AGE_LIMIT_MS = 30 * DAY_MS
/** Secrets of superseded keys outlive the last envelope that may need them by this much. */
export const KEY_GRACE_MS = 7 * DAY_MS
/** A device that only listens hands out a fresh conversation key this often. */
export const KEY_UPDATE_PERIOD_MS = 7 * DAY_MS
/** A signed weekly messaging key covers this long. */
export const WEEKLY_KEY_PERIOD_MS = 7 * DAY_MS
/** Arrivals out of order are held this long before a gap is shown. */
export const GAP_HOLD_MS = 10 * SECOND_MS

/** A name commit can be revealed from this many blocks after it … */
export const NAME_REVEAL_MIN_BLOCKS = 3
/** … up to this many, then it lapses. */
export const NAME_REVEAL_MAX_BLOCKS = 112
/** Confirmations after which a record counts as settled. */
export const SETTLED_CONFIRMATIONS = 15
/** Confirmations after which a name counts as settled. */
export const NAME_SETTLED_CONFIRMATIONS = 112
/** Confirmations after which Cardano never goes back (its security parameter k). */
export const FINAL_CONFIRMATIONS = 2_160
/** A revoked device that is older than the revoker may revoke it in turn for this long. */
export const COUNTER_REVOKE_MS = DAY_MS
/** A recovery key that an older device may refuse counts after this. */
export const RECOVERY_DELAY_MS = 7 * DAY_MS

/** Most memory that a genesis may ask for one username's tag, in KiB: a phone has to have it. */
export const MAX_NAME_TAG_MEMORY_KIB = 64 * KIB
/** Most passes over it: with all of the memory, two seconds of a slow phone. */
export const MAX_NAME_TAG_PASSES = 8

/**
 * Mailboxes and accounts map to this many shards by default; fixed in a network's genesis. Enough for a hundred nodes, see
 * docs/decisions/0019-shards.md.
 */
export const DEFAULT_SHARD_COUNT = 4_096
/** Nodes that keep one shard by default; fixed in a network's genesis. */
export const DEFAULT_REPLICA_COUNT = 3
/** Nodes that one epoch may list. */
export const MAX_LISTED_NODES = 1_024
/** Nodes of one operator that one epoch lists where lists follow the chain. */
export const MAX_NODES_PER_OPERATOR = 8
/** One proof of a list of nodes, in bytes. */
export const MAX_NODE_LIST_PROOF_BYTES = 16 * MIB
