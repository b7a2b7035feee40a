import type { Crypto, Random } from '../../protocol/crypto/crypto.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import { PeerError } from '../errors.ts'
import type { KeyVault } from '../ports.ts'
import { DeviceKeys } from '../store/device-keys.ts'
import { loadReadOnly, readOnlyChange, type ReadOnlyAccess } from '../store/read-only.ts'
import { loadOwnAccount, ownAccountChange, type OwnAccount } from '../store/own-account.ts'
import type { SealedStore } from '../store/sealed-store.ts'

export interface OwnIdentityComponents {
  crypto: Crypto
  random: Random
  store: SealedStore
  vault: KeyVault
}

/** Who this device is: it has keys from its first sign-in on, and an account once it is registered. */
export class OwnIdentity {
  readonly #components: OwnIdentityComponents
  readonly #turns = new SerialQueue()
  #device: DeviceKeys | undefined
  #account: OwnAccount | undefined
  #readOnly: ReadOnlyAccess | undefined

  constructor(components: OwnIdentityComponents) {
    this.#components = components
  }

  /** Reads what an earlier process stored. */
  async load(network: NetworkId): Promise<void> {
    const { crypto, store, vault } = this.#components
    this.#device = await DeviceKeys.load(crypto, network, store, vault)
    this.#account = await loadOwnAccount(store)
    this.#readOnly = await loadReadOnly(store)
  }

  /** Makes this device's keys, unless it has them. Two sign-ins that begin at once make one device. */
  makeDevice(network: NetworkId): Promise<void> {
    const { crypto, store, vault, random } = this.#components
    return this.#turns.run(async () => {
      this.#device ??= await DeviceKeys.create(crypto, network, store, vault, random)
    })
  }

  /** Set where this device only shows a backup. */
  get readOnly(): ReadOnlyAccess | undefined {
    return this.#readOnly
  }

  /** Shows the backup of an account on a device that is none of its devices. */
  async showReadOnly(account: OwnAccount, access: ReadOnlyAccess): Promise<void> {
    await this.#components.store.batch([ownAccountChange(account), readOnlyChange(access)])
    this.#readOnly = access
    this.#account = account
  }

  /** Whether a sign-in was begun here: it makes the keys. */
  get hasDevice(): boolean {
    return this.#device !== undefined
  }

  /** @throws PeerError `not-registered` before the first sign-in. */
  get device(): DeviceKeys {
    return this.#device ?? notRegistered()
  }

  /** The account as it is stored. @throws PeerError `not-registered`. */
  get account(): OwnAccount {
    return this.#account ?? notRegistered()
  }

  /** Replaces the account in memory; the caller has stored it. */
  set account(account: OwnAccount) {
    this.#account = account
  }

  /**
   * Changes the account, one change after the other: one that began from an older state would undo what came between.
   * @param store - makes the change durable; left out where nothing else is stored with it.
   */
  changeAccount(
    change: (account: OwnAccount) => OwnAccount,
    store: (account: OwnAccount) => Promise<void> = account => this.#components.store.batch([ownAccountChange(account)])
  ): Promise<void> {
    return this.#turns.run(async () => {
      const account = change(this.account)
      await store(account)
      this.#account = account
    })
  }

  /** Whether a node has taken the registration: from then on the account can be used. */
  get isRegistered(): boolean {
    return this.#account?.registered === true
  }

  /** @throws PeerError `not-registered`. */
  requireRegistered(): void {
    if (!this.isRegistered) notRegistered()
  }
}

function notRegistered(): never {
  throw new PeerError('not-registered')
}
