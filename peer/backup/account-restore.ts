/**
 * Restores a backup on whatever device asks: one of the account, one that regains the account with its recovery code, or one that
 * only looks at the history. The passphrase is tried first: a recovery code works once.
 */
import type { AccountId } from '../../protocol/identity/device.ts'
import { displayNameOrEmpty } from '../../protocol/identity/display-name.ts'
import { NAME_SALT_BYTES } from '../../protocol/identity/name-commitment.ts'
import { isSameName, type Username } from '../../protocol/identity/username.ts'
import { PeerError } from '../errors.ts'
import type { Me, RestoreChoice, RestoredBackup } from '../peer-api.ts'
import type { OwnAccount } from '../store/own-account.ts'
import type { ReadOnlyAccess } from '../store/read-only.ts'
import type { BackupCalls } from './backup-calls.ts'

/** Whose a username is. */
export interface NameHolder {
  accountId: AccountId
  username: Username
  tag: Uint8Array
}

export interface AccountRestoreComponents {
  backup: Pick<BackupCalls, 'lookup' | 'restore'>
  /** Null on a device without an account. */
  account: () => OwnAccount | null
  isReadOnly: () => boolean
  /** @throws PeerError `invalid-name`, `no-account`, `offline`. */
  holderOf: (username: string) => Promise<NameHolder>
  /** Regains the account on this device, which has none. */
  regain: (choice: { username: string; code: string; deviceName: string }) => Promise<unknown>
  /** Shows an account on this device, which is none of its devices. */
  showReadOnly: (account: OwnAccount, access: ReadOnlyAccess) => Promise<void>
  me: () => Me
}

export class AccountRestore {
  readonly #components: AccountRestoreComponents

  constructor(components: AccountRestoreComponents) {
    this.#components = components
  }

  /** See `BackupApi.restore`. */
  async restore(choice: RestoreChoice): Promise<RestoredBackup> {
    const { backup, account, me, isReadOnly } = this.#components
    const own = account()
    const opened = own ? await this.#own(own, choice) : await this.#foreign(choice)
    const { messages, chats, createdAt } = await backup.restore(opened, choice.iagonKey)
    return { me: me(), messages, chats, at: createdAt, readOnly: isReadOnly() }
  }

  #own(own: OwnAccount, { username, passphrase }: RestoreChoice) {
    const isOther = username !== '' && own.name !== null && !isSameName(own.name.username, username)
    if (isOther) throw new PeerError('already-registered')
    return this.#components.backup.lookup(own.accountId, passphrase)
  }

  async #foreign({ username, passphrase, recoveryCode, deviceName }: RestoreChoice) {
    const { backup, holderOf, regain, showReadOnly } = this.#components
    const holder = await holderOf(username)
    const opened = await backup.lookup(holder.accountId, passphrase)
    if (recoveryCode !== null) await regain({ username, code: recoveryCode, deviceName })
    else await showReadOnly(readOnlyAccount(holder, deviceName), { token: opened.token })
    return opened
  }
}

function readOnlyAccount({ accountId, username, tag }: NameHolder, deviceName: string): OwnAccount {
  const name = { username, tag, salt: new Uint8Array(NAME_SALT_BYTES), state: 'reserved' as const }
  const displayName = displayNameOrEmpty(username)
  return { accountId, create: null, registered: true, displayName, deviceName, name }
}
