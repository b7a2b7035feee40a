/** How what was said about a message changes its row. */
import {
  equalAmendments,
  mergeAmendments,
  NO_AMENDMENTS,
  type Amendments
} from '../../protocol/conversation/amendments.ts'
import type { MessageRow } from '../store/conversation-entries.ts'

/** What was said about a message that is here. The text that counts is in the row once. */
export function amendmentsIn({ amendments, text }: Pick<MessageRow, 'amendments' | 'text'>): Amendments {
  if (!amendments?.edit) return amendments ?? NO_AMENDMENTS
  return { ...amendments, edit: { ...amendments.edit, text } }
}

/**
 * The row after it was said. The order in which things are said makes no difference.
 * @returns the same row if it says nothing new.
 */
export function amendedRow(row: MessageRow, said: Amendments): MessageRow {
  if (!canBeAmended(row)) return row
  const before = amendmentsIn(row)
  // What has no text of its own cannot be edited.
  const after = mergeAmendments(before, row.kind === 'text' ? said : { ...said, edit: null })
  if (equalAmendments(before, after)) return row
  if (after.isHidden || after.isDeleted) return erasedRow(row, after)
  const { edit } = after
  return { ...row, text: edit?.text ?? row.text, amendments: { ...after, edit: edit && { ...edit, text: '' } } }
}

/** Nothing of what was written is left: only that there was a message. */
function erasedRow(row: MessageRow, amendments: Amendments): MessageRow {
  const nothing = {
    text: '',
    line: null,
    problem: null,
    replyTo: null,
    isForwarded: false,
    poll: null,
    file: null,
    expiresAt: null
  }
  // A deleted message is as good as read; a removed one has no date either.
  const kind = amendments.isHidden ? ('removed' as const) : ('deleted' as const)
  const sentAt = amendments.isHidden ? 0 : row.sentAt
  // What was not sent yet never will be.
  const state = row.state === 'waiting' || row.state === 'failed' ? null : row.state
  return { ...row, ...nothing, kind, sentAt, state, amendments }
}

/** What Volo itself says belongs to this device, and nobody speaks about it. */
const canBeAmended = ({ kind }: MessageRow): boolean => kind !== 'gap' && kind !== 'system'
