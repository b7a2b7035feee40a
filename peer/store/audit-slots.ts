/** What a device stores to compare its world with that of other devices, see docs/sessions.md "What was seen". */
import { MAX_SEEN_SENDERS, SEEN_HASH_BYTES, SEEN_NOTHING, seenCodec } from '../../protocol/audit/seen.ts'
import { bool, bytes, list, oneOf, struct, uint, type TypeOf } from '../../protocol/codec.ts'
import { accountIdCodec, deviceIdCodec } from '../../protocol/identity/device.ts'
import { conversationIdCodec } from '../../protocol/roster/roster.ts'
import { DIFFERENCES } from '../system-line.ts'
import { entry } from './conversation-entries.ts'
import type { Slot } from './state-store.ts'

/** Messages of a sender whose hashes are kept: who says something of an older one is not compared. */
export const MAX_RECENT_HEADS = 64

const headCodec = struct({ next: uint(), hash: bytes(SEEN_HASH_BYTES) })

const recentCodec = struct({
  deviceId: deviceIdCodec,
  /** Rising. */
  heads: list(headCodec, MAX_RECENT_HEADS)
})

const latestCodec = struct({
  conversationId: conversationIdCodec,
  /** Rises with every message. */
  changes: uint(),
  /** Who wrote last, in this order, each with the change that it was. */
  senders: list(
    struct({ deviceId: deviceIdCodec, next: uint(), hash: bytes(SEEN_HASH_BYTES), change: uint() }),
    MAX_SEEN_SENDERS
  )
})
/** The senders that wrote last in a conversation, this device among them. */
export type LatestSenders = TypeOf<typeof latestCodec>

const toldCodec = struct({
  deviceId: deviceIdCodec,
  /** Of {@link LatestSenders}: what came later was not told. */
  change: uint(),
  /** What was told last of everything else. */
  seen: seenCodec,
  /** Since when the other device names changes of the group that are not here; 0 if it names none. */
  lacksSince: uint(),
  /** How often it was asked for them. */
  asked: uint(),
  /** It has to be asked with the next acknowledgement. */
  mustAsk: bool
})
/** What another device was told, and what it was asked. */
export type ToldDevice = TypeOf<typeof toldCodec>

export const nothingTold = (deviceId: ToldDevice['deviceId']): ToldDevice => ({
  deviceId,
  change: 0,
  seen: SEEN_NOTHING,
  lacksSince: 0,
  asked: 0,
  mustAsk: false
})

const claimCodec = struct({
  /** Who said it. */
  by: struct({ accountId: accountIdCodec, deviceId: deviceIdCodec }),
  head: headCodec
})
/** What another device has seen of a sender, and this one not yet. */
export type SeenClaim = TypeOf<typeof claimCodec>

const findingCodec = struct({ what: oneOf(...DIFFERENCES), at: uint() })

const recentEntry = entry(recentCodec)
const latestEntry = entry(latestCodec)
const toldEntry = entry(toldCodec)
export const claimEntry = entry(claimCodec)
const findingEntry = entry(findingCodec)

/** Where it lives. */
export const auditSlots = {
  recent: (conversation: string, device: string): Slot<TypeOf<typeof recentCodec>> => ({
    space: 'seen-heads',
    id: conversation,
    order: device,
    codec: recentEntry
  }),
  latest: (conversation: string): Slot<LatestSenders> => ({
    space: 'seen-latest',
    id: conversation,
    codec: latestEntry
  }),
  told: (conversation: string, device: string): Slot<ToldDevice> => ({
    space: 'seen-told',
    id: conversation,
    order: device,
    codec: toldEntry
  }),
  /** @param sender - whose messages it is about. */
  claim: (conversation: string, sender: string, by: string): Slot<SeenClaim> => ({
    space: 'seen-claim',
    id: claimsOf(conversation, sender),
    order: by,
    codec: claimEntry
  }),
  /** A difference that has its line. */
  finding: (conversation: string, name: string): Slot<TypeOf<typeof findingCodec>> => ({
    space: 'seen-finding',
    id: conversation,
    order: name,
    codec: findingEntry
  })
}

/** Under which all claims about a sender are. */
export const claimsOf = (conversation: string, sender: string): string => `${conversation}.${sender}`
