import { ProtocolError } from '../errors.ts'

const SCHEME = 'Volo-Backup '

/** What the header holds, both lower-case hex of 32 bytes. */
export interface BackupAuthorization {
  account: string
  /** Follows from the passphrase of the backup, see `passphraseSecrets`. */
  token: string
}

/** The value of the `Authorization` header of one who reads a backup and has no device of the account. */
export const backupAuthorization = ({ account, token }: BackupAuthorization): string => `${SCHEME}${account}.${token}`

/** @returns undefined for a header of another kind. @throws ProtocolError `MALFORMED`. */
export function parseBackupAuthorization(header: string): BackupAuthorization | undefined {
  if (!header.startsWith(SCHEME)) return undefined
  const [, account, token] = /^([0-9a-f]{64})\.([0-9a-f]{64})$/.exec(header.slice(SCHEME.length)) ?? []
  if (account === undefined || token === undefined) throw new ProtocolError('MALFORMED', 'not an account and a token')
  return { account, token }
}
