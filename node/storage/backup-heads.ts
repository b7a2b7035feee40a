import { equalSecrets, fromHex, toHex } from '../../protocol/bytes.ts'
import { SYNCED, type ChainStore } from '../../chain/chain-store.ts'
import { BackupError } from '../../protocol/backup/backup-error.ts'
import { decodeBackupHead, type BackupHead } from '../../protocol/backup/backup-head.ts'
import { backupTokenHash, type BackupKdf } from '../../protocol/backup/backup-passphrase.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { NodeError } from '../errors.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'
import { KeyedLock } from './keyed-lock.ts'
import type { AccountHex } from './object-records.ts'

/** Wrong passphrases of one account from one address in an hour. */
const WRONG_TOKENS_PER_HOUR = 20
const HOUR_MS = 60 * 60 * 1000

export interface BackupHeadsComponents {
  crypto: Crypto
  clock: Clock
  store: ChainStore
}

/** What anybody may know of a backup: enough to turn a passphrase into a token. */
export interface BackupLockView {
  kdf: BackupKdf
  /** Lower-case hex. */
  salt: string
  counter: number
}

/**
 * Keeps the head of each account's backup. A device of the account writes it; it is read by such a device, or with the token that
 * follows from the passphrase. So nobody can try passphrases by themselves without first having been given the head.
 */
export class BackupHeads {
  readonly #components: BackupHeadsComponents
  readonly #network: NetworkId
  readonly #lock = new KeyedLock()
  readonly #wrong: RateLimiter

  constructor(components: BackupHeadsComponents, init: { network: NetworkId }) {
    this.#components = components
    this.#network = init.network
    this.#wrong = new RateLimiter(components, { limit: WRONG_TOKENS_PER_HOUR, windowMs: HOUR_MS })
  }

  /**
   * Replaces the head of an account by a later one.
   * @throws NodeError `malformed`; `overtaken` if the head that is here has the same counter or a higher one.
   */
  async put(account: AccountHex, bytes: Uint8Array): Promise<void> {
    const head = read(bytes)
    if (toHex(head.accountId) !== account) throw new NodeError('malformed', 'The backup is of another account.')
    await this.#lock.run(account, async () => {
      const before = await this.#head(account)
      if (before && before.counter >= head.counter) {
        throw new NodeError('overtaken', `A backup with counter ${before.counter} is here.`)
      }
      await this.#components.store.put(account, toHex(bytes), SYNCED)
    })
  }

  /** @throws NodeError `not-found`. */
  async lockOf(account: AccountHex): Promise<BackupLockView> {
    const { kdf, salt, counter } = await this.#required(account)
    return { kdf, salt: toHex(salt), counter }
  }

  /** The encoded head. @throws NodeError `not-found`. */
  async get(account: AccountHex): Promise<Uint8Array> {
    const stored = await this.#components.store.get(account)
    if (stored === undefined) throw new NodeError('not-found', 'This node keeps no backup of this account.')
    return fromHex(stored)
  }

  /** Removes the head; what is not there counts as removed. */
  async remove(account: AccountHex): Promise<void> {
    await this.#lock.run(account, () => this.#components.store.batch([{ type: 'del', key: account }], SYNCED))
  }

  /**
   * @param address - of who asks.
   * @throws NodeError `not-found`; `bad-authorization` for a wrong token; `rate-limited` after too many of them.
   */
  async requireToken(account: AccountHex, token: Uint8Array, address: string): Promise<void> {
    const { accountId, tokenHash } = await this.#required(account)
    const key = `${account} ${address}`
    if (!this.#wrong.spend(key))
      throw new NodeError('rate-limited', 'Too many wrong passphrases; try again in an hour.')
    const shown = backupTokenHash(this.#components.crypto, this.#network, accountId, token)
    if (!equalSecrets(shown, tokenHash)) throw new NodeError('bad-authorization', 'The passphrase is another one.')
    this.#wrong.giveBack(key)
  }

  async #required(account: AccountHex): Promise<BackupHead> {
    return read(await this.get(account))
  }

  async #head(account: AccountHex): Promise<BackupHead | undefined> {
    const stored = await this.#components.store.get(account)
    return stored === undefined ? undefined : read(fromHex(stored))
  }
}

function read(bytes: Uint8Array): BackupHead {
  try {
    return decodeBackupHead(bytes)
  } catch (error) {
    if (!(error instanceof BackupError)) throw error
    throw new NodeError('malformed', `The backup cannot be read: ${error.message}.`, { cause: error })
  }
}
