/** What the user has noted about a person, as all devices of the account agree on it, see `sync-items.ts`. */
import { decode, encode, nullable, struct, text, type TypeOf } from '../../protocol/codec.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { marksCodec, mergeMarks } from '../people/person-marks.ts'

const MAX_ITEM_BYTES = 1024

/** Name of the item. @param account - lower-case hex. */
export const personItem = (account: string): string => `person/${account}`

const personItemCodec = struct({
  marks: marksCodec,
  /** As the device knew it that noted something last: a contact may have no conversation yet. */
  username: nullable(text(32)),
  displayName: nullable(text(64))
})
/** What the item says. */
export type PersonItem = TypeOf<typeof personItemCodec>

export const encodePersonItem = (item: PersonItem): Uint8Array => encode(personItemCodec, item)

/** @returns undefined for what this version cannot read. */
export function decodePersonItem(value: Uint8Array): PersonItem | undefined {
  try {
    return decode(personItemCodec, value, { maxBytes: MAX_ITEM_BYTES, maxDepth: 5 })
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/**
 * Two values of the item as one: of each mark the one that was set later, whichever item is newer. So two devices that note
 * different things about a person at the same time lose nothing.
 */
export function mergePersonItems(newer: Uint8Array, older: Uint8Array): Uint8Array {
  const [item, other] = [decodePersonItem(newer), decodePersonItem(older)]
  if (!item || !other) return newer
  const { username, displayName } = item
  const marks = mergeMarks(item.marks, other.marks)
  return encodePersonItem({
    marks,
    username: username ?? other.username,
    displayName: displayName ?? other.displayName
  })
}
