/** What a device stores about groups: the log of each, how the user answered, and which changes other devices have. */
import { bytesBetween, list, nullable, oneOf, struct, uint, type TypeOf } from '../../protocol/codec.ts'
import { deviceIdCodec } from '../../protocol/identity/device.ts'
import { groupChangeIdCodec } from '../../protocol/groups/group-change.ts'
import { MAX_GROUP_CHANGE_BYTES, MAX_GROUP_HEADS } from '../../protocol/limits.ts'
import { conversationIdCodec } from '../../protocol/roster/roster.ts'
import { sessionIdCodec } from '../../protocol/session/context.ts'
import type { Slot } from './state-store.ts'
import { entry } from './conversation-entries.ts'

const MAX_ENCODED_BYTES = MAX_GROUP_CHANGE_BYTES + 128

const groupCodec = struct({
  groupId: conversationIdCodec,
  /** How the user answered to being added; null: a request. */
  answer: nullable(oneOf('accepted', 'ignored')),
  /** The change with which this device leaves, until the network keeps it; null for none. */
  leave: nullable(bytesBetween(1, MAX_ENCODED_BYTES))
})
/** A group that this device knows. */
export type StoredGroup = TypeOf<typeof groupCodec>
export const groupEntry = entry(groupCodec)

const changeCodec = struct({
  groupId: conversationIdCodec,
  encoded: bytesBetween(1, MAX_ENCODED_BYTES),
  /** Its place among the changes as they came here: each comes after those that it names. */
  place: uint(),
  /** When it came, by this device's clock. */
  addedAt: uint()
})
/** A change in the log of a group. */
export type StoredGroupChange = TypeOf<typeof changeCodec>
export const groupChangeEntry = entry(changeCodec)

const headsCodec = list(groupChangeIdCodec, MAX_GROUP_HEADS)
const knownCodec = struct({ deviceId: deviceIdCodec, heads: headsCodec })
const openCodec = struct({ sessionId: sessionIdCodec, heads: headsCodec, openedAt: uint() })
const formerCodec = struct({ deviceId: deviceIdCodec, since: uint(), heads: headsCodec })
export const groupFormerEntry = entry(formerCodec)
export const groupKnownEntry = entry(knownCodec)
export const groupOpenEntry = entry(openCodec)

/** Where it lives. */
export const groupSlots = {
  group: (group: string): Slot<StoredGroup> => ({ space: 'group', id: group, codec: groupEntry }),
  change: (group: string, change: string): Slot<StoredGroupChange> => ({
    space: 'group-change',
    id: group,
    order: change,
    codec: groupChangeEntry
  }),
  /** The last changes that a device of another member, or an own one, is known to have. */
  known: (group: string, device: string): Slot<TypeOf<typeof knownCodec>> => ({
    space: 'group-known',
    id: group,
    order: device,
    codec: groupKnownEntry
  }),
  /**
   * A device that left the roster: since which own message it had been in it, and the last changes of the session before. If what
   * took its account out turns out to be void, it never was out, and what it missed is sent to it again.
   */
  former: (group: string, device: string): Slot<TypeOf<typeof formerCodec>> => ({
    space: 'group-former',
    id: group,
    order: device,
    codec: groupFormerEntry
  }),
  /** The last changes that a session of this device was opened with: who acknowledges it has them. */
  open: (group: string, session: string): Slot<TypeOf<typeof openCodec>> => ({
    space: 'group-open',
    id: group,
    order: session,
    codec: groupOpenEntry
  })
}
