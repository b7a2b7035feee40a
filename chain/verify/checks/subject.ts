import { fromHex } from '../../../protocol/bytes.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { parseUsername, type Username } from '../../../protocol/identity/username.ts'
import type { TransactionId } from '../../source/chain-source.ts'
import { VerifyError } from '../errors.ts'

/** The account that the user asks about. */
export type Subject = {
  /** As it is shown: `@name` or the id. */
  readonly label: string
} & (
  { readonly kind: 'account'; readonly accountId: AccountId } | { readonly kind: 'name'; readonly username: Username }
)

/** `@name` or 64 hex digits. @throws VerifyError `USAGE`. */
export function parseSubject(text: string): Subject {
  if (/^[0-9a-f]{64}$/i.test(text)) {
    const label = text.toLowerCase()
    return { kind: 'account', label, accountId: fromHex(label) as AccountId }
  }
  try {
    const username = parseUsername(text)
    return { kind: 'name', label: `@${username}`, username }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    const message = `"${text}" is neither an account id (64 hex digits) nor a name: ${cause.message}`
    throw new VerifyError('USAGE', message, { cause })
  }
}

/** `<transaction id>#<index of the record in it>`. @throws VerifyError `USAGE`. */
export function parseRecordReference(text: string): { transaction: TransactionId; recordIndex: number } {
  const match = /^([0-9a-f]{64})#(\d{1,6})$/i.exec(text)
  if (!match) throw new VerifyError('USAGE', `"${text}" is not a record: write <transaction id>#<index>`)
  return { transaction: match[1]!.toLowerCase() as TransactionId, recordIndex: Number(match[2]) }
}
