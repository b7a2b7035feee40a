/** What amendments leave in the store besides the row of their message: earlier texts, the list of pins, and what waits. */
import { fromHex, toHex } from '../../protocol/bytes.ts'
import {
  equalAmendments,
  laterEdit,
  mergeAmendments,
  NO_AMENDMENTS,
  type Amendments
} from '../../protocol/conversation/amendments.ts'
import type { MessageRow, ShownId } from '../store/conversation-entries.ts'
import { amendmentSlots, textVersionEntry } from '../store/amendment-slots.ts'
import type { UnitOfWork } from '../store/state-store.ts'

/** Whether nothing of what was written is left in a row. */
export const isErased = ({ kind }: Pick<MessageRow, 'kind'>): boolean => kind === 'deleted' || kind === 'removed'

/** Keeps what was said about a message until it comes. @returns whether it says anything new. */
export async function awaitAmendments(
  unit: UnitOfWork,
  conversationId: string,
  id: ShownId,
  said: Amendments
): Promise<boolean> {
  const slot = amendmentSlots.awaited(conversationId, id)
  const before = (await unit.read(slot)) ?? NO_AMENDMENTS
  const after = mergeAmendments(before, said)
  if (after.isDeleted || after.isHidden) await dropVersions(unit, id)
  else await keepEdit(unit, id, said)
  if (equalAmendments(before, after)) return false
  unit.write(slot, after)
  return true
}

/**
 * Follows a change of a row, as part of its unit of work.
 * @param said - what changed it. An edit that is older than the text which counts is a trace, too.
 */
export async function leaveTraces(
  unit: UnitOfWork,
  id: ShownId,
  before: MessageRow,
  after: MessageRow,
  said: Amendments = NO_AMENDMENTS
): Promise<void> {
  notePin(unit, id, after)
  // What is not a text may have been waited for by an edit.
  if (after.kind !== 'text') return dropVersions(unit, id)
  const { edit } = after.amendments ?? NO_AMENDMENTS
  if (edit && !before.amendments?.edit) {
    const first = { version: 0, deviceId: before.device, at: before.sentAt, text: before.text }
    unit.write(amendmentSlots.textVersion(id, first), first)
  }
  if (edit) await keepEdit(unit, id, { edit: { ...edit, text: after.text } })
  await keepEdit(unit, id, said)
}

/** Of two edits that a device gives the same version, every device keeps the one that counts. */
async function keepEdit(unit: UnitOfWork, id: ShownId, { edit }: Pick<Amendments, 'edit'>): Promise<void> {
  if (!edit) return
  const slot = amendmentSlots.textVersion(id, edit)
  const before = await unit.read(slot)
  const { version, deviceId, at, text } = before ? laterEdit({ ...edit, ...before }, edit) : edit
  unit.write(slot, { version, deviceId, at, text })
}

async function dropVersions(unit: UnitOfWork, id: ShownId): Promise<void> {
  for (const { value } of await unit.range('text-version', id, textVersionEntry))
    unit.remove(amendmentSlots.textVersion(id, value))
}

function notePin(unit: UnitOfWork, id: ShownId, { conversationId, amendments }: MessageRow): void {
  if (!amendments) return
  const slot = amendmentSlots.pin(toHex(conversationId), id)
  if (amendments.pin?.isPinned) unit.write(slot, { name: fromHex(id, 32) })
  else unit.remove(slot)
}
