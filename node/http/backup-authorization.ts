import { fromHex } from '../../protocol/bytes.ts'
import { parseBackupAuthorization } from '../../protocol/identity/backup-authorization.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { NodeError } from '../errors.ts'
import type { BackupHeads } from '../storage/backup-heads.ts'

/**
 * The account whose passphrase was shown in a request; undefined for a request that shows none.
 * @param address - of who asks.
 * @throws NodeError `bad-authorization`, `not-found`, `rate-limited`.
 */
export async function accountOfToken(
  heads: BackupHeads,
  header: string | undefined,
  address: string
): Promise<string | undefined> {
  try {
    const shown = parseBackupAuthorization(header ?? '')
    if (shown === undefined) return undefined
    await heads.requireToken(shown.account, fromHex(shown.token), address)
    return shown.account
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new NodeError('bad-authorization', 'The authorization of a backup has another form.', { cause: error })
  }
}
