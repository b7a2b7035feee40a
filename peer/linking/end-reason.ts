import type { LinkMessageOf } from '../../protocol/linking/link-messages.ts'
import { PeerError } from '../errors.ts'

/** Why a linking ended, as the other side is told. */
export type EndReason = LinkMessageOf<'ended'>['reason']

/** What the other side is told about a failure here. */
export function endReasonOf(error: unknown): EndReason {
  const code = error instanceof PeerError ? error.code : undefined
  if (code === 'link-cancelled') return 'cancelled'
  if (code === 'link-expired') return 'expired'
  return code === 'link-refused' ? 'refused' : 'failed'
}
