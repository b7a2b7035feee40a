import { MAX_GROUP_LOG_MESSAGE_CHANGES } from '../../protocol/conversation/message-kinds.ts'
import type { GroupChange } from '../../protocol/groups/group-change.ts'

/** Bytes of changes in one portion. */
const MAX_PORTION_BYTES = 40 * 1024

/** Encoded changes in as few messages, or pieces of a backup, as they fit into; each after those that it names. */
export function logPortions(changes: readonly GroupChange[]): Uint8Array[][] {
  const all: Uint8Array[][] = []
  let bytes = Infinity
  for (const { encoded } of changes) {
    bytes += encoded.length
    if (bytes > MAX_PORTION_BYTES || all.at(-1)!.length >= MAX_GROUP_LOG_MESSAGE_CHANGES) {
      all.push([])
      bytes = encoded.length
    }
    all.at(-1)!.push(encoded)
  }
  return all
}
