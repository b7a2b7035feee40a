/** The key of the own backup: made with the first passphrase, taken over from another device, or locked under another passphrase. */
import { equalSecrets, wipe } from '../../protocol/bytes.ts'
import { KEY_BYTES } from '../../protocol/crypto/crypto.ts'
import { lockBackupKey, unlockBackupKey, type BackupHead, type BackupLock } from '../../protocol/backup/backup-head.ts'
import {
  BACKUP_ARGON2ID,
  BACKUP_SALT_BYTES,
  backupTokenHash,
  type DeriveSecrets
} from '../../protocol/backup/backup-passphrase.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { backupSlots, type BackupKeyState } from '../store/backup-slots.ts'
import type { StateStore } from '../store/state-store.ts'

export class BackupKey {
  readonly #context: EngineContext
  readonly #states: StateStore
  readonly #derive: DeriveSecrets

  constructor(context: EngineContext, states: StateStore, derive: DeriveSecrets) {
    this.#context = context
    this.#states = states
    this.#derive = derive
  }

  /** @returns undefined before the first backup of this device. */
  load(): Promise<BackupKeyState | undefined> {
    return this.#states.read(backupSlots.key())
  }

  /**
   * The key for a backup that is made now.
   * @param passphrase - null for the one before; another one replaces it, and changes nothing but the head.
   * @param foreign - the head of a backup whose key this device does not have.
   * @throws PeerError `backup` `no-passphrase`; BackupError `passphrase` if it does not open that backup.
   */
  async prepare(passphrase: string | null, foreign: BackupHead | undefined): Promise<BackupKeyState> {
    const known = await this.load()
    if (passphrase === null) {
      if (!known) throw new PeerError('backup', { fault: 'no-passphrase' })
      return known
    }
    if (known)
      return (await this.#isSame(known.lock, passphrase)) ? known : this.#keep(await this.#relocked(known, passphrase))
    if (foreign) return this.#keep(await this.unlock(foreign, passphrase))
    return this.#keep(await this.#relocked({ backupKey: this.#context.random(KEY_BYTES) }, passphrase))
  }

  /** Opens the key of a head. @throws BackupError. */
  async unlock(head: BackupHead, passphrase: string): Promise<BackupKeyState> {
    const env = sessionEnvironment(this.#context)
    const { kdf, salt, tokenHash, wrappedKey } = head
    const lock = { kdf, salt, tokenHash, wrappedKey }
    const secrets = await this.#derive(env, passphrase, kdf, salt)
    try {
      return { backupKey: await unlockBackupKey(env, this.#context.accountId(), lock, secrets), lock }
    } finally {
      wipe(secrets.wrapKey, secrets.token)
    }
  }

  /** The backup of this key goes on here. */
  async keep(state: BackupKeyState): Promise<void> {
    await this.#keep(state)
  }

  async #keep(state: BackupKeyState): Promise<BackupKeyState> {
    await this.#states.unit(async unit => unit.write(backupSlots.key(), state))
    return state
  }

  async #isSame({ kdf, salt, tokenHash }: BackupLock, passphrase: string): Promise<boolean> {
    const { crypto, network, accountId } = this.#context
    const { wrapKey, token } = await this.#derive({ crypto, network: network().id }, passphrase, kdf, salt)
    const shown = backupTokenHash(crypto, network().id, accountId(), token)
    wipe(wrapKey, token)
    return equalSecrets(shown, tokenHash)
  }

  async #relocked({ backupKey }: Pick<BackupKeyState, 'backupKey'>, passphrase: string): Promise<BackupKeyState> {
    const { random, accountId } = this.#context
    const env = sessionEnvironment(this.#context)
    const salt = random(BACKUP_SALT_BYTES)
    const kdf = BACKUP_ARGON2ID
    const secrets = await this.#derive(env, passphrase, kdf, salt)
    try {
      return { backupKey, lock: await lockBackupKey(env, accountId(), backupKey, { kdf, salt, secrets }) }
    } finally {
      wipe(secrets.wrapKey, secrets.token)
    }
  }
}
