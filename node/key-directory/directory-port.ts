import type { AccountId, DeviceId, DevicePublicKeys } from '../../protocol/identity/device.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'
import type { AuthenticatedDevice } from '../ports.ts'

/** What the directory knows of a device. `pending` ones (not yet on chain) are served like live ones. */
export interface DirectoryDevice {
  accountId: AccountId
  keys: DevicePublicKeys
  state: 'pending' | 'live' | 'revoked'
}

/** An account that holds a name. */
export interface NameMatch {
  /** 32 bytes. */
  tag: Uint8Array
  accountId: AccountId
  state: 'pending' | 'recorded' | 'settled'
}

/**
 * The services half as the network half sees it. Every method may throw `NodeError`, whose code reaches the client.
 * `local…` methods answer other nodes and touch only this node's own store.
 */
export interface DirectoryPort {
  /** The device, or undefined if no record of it is known here. */
  device(deviceId: DeviceId): Promise<DirectoryDevice | undefined>
  /**
   * An encoded `AccountProof`, or undefined if the account is unknown.
   * @throws NodeError `too-large` if it takes more than `maxBytes`.
   */
  accountProof(accountId: AccountId, maxBytes: number): Promise<Uint8Array | undefined>
  /** An encoded `ReleaseProof` of the newest releases of the web app. */
  releaseProof(): Promise<Uint8Array>
  /** Names whose tag begins so. @param tagPrefix - 2 to 32 bytes. */
  names(tagPrefix: Uint8Array): Promise<{ matches: NameMatch[]; complete: boolean }>
  /** Current encoded bundles of an account's devices, wherever they are kept. */
  bundles(accountId: AccountId): Promise<Uint8Array[]>
  /** Checks a bundle handed in by its own device and replicates it. */
  storeBundle(bundle: Uint8Array, from: AuthenticatedDevice): Promise<void>
  /** Checks records handed in by a device of their account and queues them for the chain. */
  publishRecords(records: Uint8Array[], from: AuthenticatedDevice): Promise<void>

  /**
   * A bundle is replicated here: check it, keep it if newer, fsync, resolve.
   * @param from - the listed node that brings it; undefined for this node itself.
   */
  storeLocalBundle(accountId: AccountId, bundle: Uint8Array, from?: NodeKey): Promise<void>
  /** Another node asks for the bundles that this node keeps itself. */
  localBundles(accountId: AccountId): Promise<Uint8Array[]>
  /** Pending records that a listed node passed on; to be checked like a client's. Must not throw. */
  onRecords(records: Uint8Array[], from: NodeKey): void
}
