/**
 * Opens the backup of an account with nothing but its passphrase: the nodes are asked how to turn it into a token, and give the
 * head to who shows that. Nothing is stored here.
 */
import { equalBytes, toHex, wipe } from '../../protocol/bytes.ts'
import { BackupError } from '../../protocol/backup/backup-error.ts'
import {
  decodeBackupHead,
  openBackupHead,
  unlockBackupKey,
  type BackupHead,
  type BackupHeadContent
} from '../../protocol/backup/backup-head.ts'
import type { DeriveSecrets, PassphraseSecrets } from '../../protocol/backup/backup-passphrase.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { SignedRequests, type ObjectNode } from '../objects/signed-requests.ts'
import type { HttpClient } from '../ports.ts'
import { MAX_HEAD_NODES } from './backup-heads.ts'
import { askForLock, fetchHead, type HeadLock } from './head-client.ts'

/** A backup that was opened. */
export interface OpenedBackup {
  accountId: AccountId
  head: BackupHead
  /** SHA-256 of the head. */
  hash: Uint8Array
  content: BackupHeadContent
  backupKey: Uint8Array
  /** What nodes give its objects for. */
  token: Uint8Array
}

export interface BackupLookupComponents {
  context: EngineContext
  fetch: HttpClient
  /** Turns a passphrase into keys. */
  derive: DeriveSecrets
}

export class BackupLookup {
  readonly #components: BackupLookupComponents

  constructor(components: BackupLookupComponents) {
    this.#components = components
  }

  /**
   * The newest backup that a node gives.
   * @throws PeerError `backup` `none`, `offline`; BackupError or ObjectRefusal for what is wrong with the only ones there are.
   */
  async open(accountId: AccountId, passphrase: string): Promise<OpenedBackup> {
    const { fetch, context } = this.#components
    const account = toHex(accountId)
    const nodes: ObjectNode[] = context.network().epoch.nodes.slice(0, MAX_HEAD_NODES)
    const asked = await Promise.allSettled(
      nodes.map(async node => ({ node, lock: await askForLock(fetch, node, account) }))
    )
    const told = asked.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []))
    if (told.length === 0) throw (asked[0] as PromiseRejectedResult).reason
    const holders = told.flatMap(({ node, lock }) => (lock ? [{ node, lock }] : []))
    if (holders.length === 0) throw new PeerError('backup', { fault: 'none' })
    return this.#newest(
      accountId,
      passphrase,
      holders.sort((a, b) => b.lock.counter - a.lock.counter)
    )
  }

  async #newest(
    accountId: AccountId,
    passphrase: string,
    holders: { node: ObjectNode; lock: HeadLock }[]
  ): Promise<OpenedBackup> {
    const derived: { lock: HeadLock; secrets: PassphraseSecrets }[] = []
    let failure: unknown
    try {
      for (const { node, lock } of holders) {
        try {
          return await this.#openAt(node, accountId, await this.#secrets(derived, passphrase, lock))
        } catch (error) {
          // Another node may have it unchanged.
          failure ??= error
        }
      }
      throw failure
    } finally {
      for (const { secrets } of derived) wipe(secrets.wrapKey)
    }
  }

  /** Derived once for each salt: it takes half a second. @throws BackupError `weak` before anything is derived. */
  async #secrets(
    derived: { lock: HeadLock; secrets: PassphraseSecrets }[],
    passphrase: string,
    lock: HeadLock
  ): Promise<PassphraseSecrets> {
    const isSame = (other: HeadLock): boolean =>
      equalBytes(other.salt, lock.salt) && JSON.stringify(other.kdf) === JSON.stringify(lock.kdf)
    const before = derived.find(each => isSame(each.lock))
    if (before) return before.secrets
    const env = sessionEnvironment(this.#components.context)
    const secrets = await this.#components.derive(env, passphrase, lock.kdf, lock.salt)
    derived.push({ lock, secrets })
    return secrets
  }

  async #openAt(node: ObjectNode, accountId: AccountId, secrets: PassphraseSecrets): Promise<OpenedBackup> {
    const { context, fetch } = this.#components
    const env = sessionEnvironment(context)
    const { token } = secrets
    const access = { account: toHex(accountId), token: toHex(token) }
    const bytes = await fetchHead(new SignedRequests(context, fetch, () => access), node, access.account)
    if (!bytes) throw new PeerError('backup', { fault: 'none' })
    const head = decodeBackupHead(bytes)
    if (!equalBytes(head.accountId, accountId)) throw new BackupError('other-account', 'a backup of another account')
    const backupKey = await unlockBackupKey(env, accountId, head, secrets)
    const content = await openBackupHead(env, accountId, backupKey, head)
    return { accountId, head, hash: context.crypto.sha256(bytes), content, backupKey, token: token.slice() }
  }
}
