/** The ways back into an account on a device without one: the recovery code, and a backup. */
import { AccountRestore } from './backup/account-restore.ts'
import type { ChatEngine } from './chat-engine.ts'
import type { EngineContext } from './engine-context.ts'
import { PeerError } from './errors.ts'
import type { OwnIdentity } from './account/own-identity.ts'
import type { KnownNetwork } from './network/known-network.ts'
import {
  PEER_CALLS,
  type BackupApi,
  type Me,
  type RecoveryApi,
  type RecoveryChoice,
  type RestoreChoice,
  type RestoredBackup
} from './peer-api.ts'
import type { HttpClient } from './ports.ts'
import type { AccountRecovery } from './recovery/account-recovery.ts'
import { loadedLater } from './loaded-later.ts'
import { registeredOnly } from './registered-only.ts'

export interface WaysBackComponents {
  context: EngineContext
  fetch: HttpClient
  network: KnownNetwork
  identity: OwnIdentity
  chat: ChatEngine
  onChange: () => void
}

export class WaysBack {
  readonly #components: WaysBackComponents

  constructor(components: WaysBackComponents) {
    this.#components = components
  }

  async #recovery(): Promise<AccountRecovery> {
    const { AccountRecovery } = await import('./recovery/account-recovery.ts')
    const { context, fetch, network, identity } = this.#components
    return new AccountRecovery({
      context,
      fetch,
      network: () => network.require(),
      makeDevice: () => identity.makeDevice(network.info.id)
    })
  }

  /** All calls but the one that regains an account are for those who have one. */
  recovery(): RecoveryApi {
    const { context, chat, identity, onChange } = this.#components
    const { directory, keeper } = chat.parts
    const calls = loadedLater(PEER_CALLS.recovery, async () => {
      const { RecoveryCalls } = await import('./recovery/recovery-calls.ts')
      return new RecoveryCalls({
        context,
        directory,
        connection: () => keeper.connection,
        account: () => identity.account,
        onChange,
        regain: choice => this.#regain(choice)
      })
    })
    const use = (choice: RecoveryChoice): Promise<Me> => calls.use(choice)
    return { ...registeredOnly(PEER_CALLS.recovery, calls, () => identity.requireRegistered()), use }
  }

  /** All calls but the one that restores are for those who have an account. */
  backup(): BackupApi {
    const { chat, identity } = this.#components
    const { backup } = chat.parts
    const restoring = this.#restoring()
    const calls: BackupApi = {
      now: (passphrase, iagonKey) => backup.now(passphrase, iagonKey),
      status: () => backup.status(),
      choose: choices => backup.choose(choices),
      check: () => backup.check(),
      restore: choice => restoring.restore(choice)
    }
    const restore = (choice: RestoreChoice): Promise<RestoredBackup> => restoring.restore(choice)
    return { ...registeredOnly(PEER_CALLS.backup, calls, () => identity.requireRegistered()), restore }
  }

  #restoring(): AccountRestore {
    const { chat, identity, network } = this.#components
    const { backup, people } = chat.parts
    return new AccountRestore({
      backup,
      account: () => (identity.isRegistered ? identity.account : null),
      isReadOnly: () => identity.readOnly !== undefined,
      holderOf: async username => (await this.#recovery()).holderOf(username),
      regain: choice => this.#regain(choice),
      showReadOnly: async (account, access) => {
        await identity.makeDevice(network.info.id)
        await identity.showReadOnly(account, access)
        await chat.start()
      },
      me: () => people.me()
    })
  }

  async #regain(choice: RecoveryChoice): Promise<Me> {
    const { chat, identity } = this.#components
    if (identity.isRegistered) throw new PeerError('already-registered')
    identity.account = await (await this.#recovery()).regain(choice)
    await chat.start()
    return chat.parts.people.me()
  }
}
