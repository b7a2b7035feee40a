import { toHex } from '../../../../protocol/bytes.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import type { NodeKey } from '../../../../protocol/wire/placement.ts'
import type { DirectoryDevice, DirectoryPort } from '../../../../node/key-directory/directory-port.ts'
import type { AuthenticatedDevice } from '../../../../node/ports.ts'

/** Devices that all nodes of a test know. */
export type KnownDevices = Map<string, DirectoryDevice>

/** A directory in memory, as one node sees it: devices shared by the test, bundles of its own. */
export class TestDirectory implements DirectoryPort {
  readonly #devices: KnownDevices
  readonly kept = new Map<string, Uint8Array[]>()
  readonly records: { records: Uint8Array[]; from: NodeKey }[] = []
  readonly published: Uint8Array[] = []

  constructor(devices: KnownDevices) {
    this.#devices = devices
  }

  async device(deviceId: DeviceId): Promise<DirectoryDevice | undefined> {
    return this.#devices.get(toHex(deviceId))
  }

  async accountProof(): Promise<Uint8Array | undefined> {
    return undefined
  }

  async releaseProof(): Promise<Uint8Array> {
    return new Uint8Array()
  }

  async names(): Promise<{ matches: []; complete: boolean }> {
    return { matches: [], complete: true }
  }

  async bundles(accountId: AccountId): Promise<Uint8Array[]> {
    return this.localBundles(accountId)
  }

  async storeBundle(bundle: Uint8Array, from: AuthenticatedDevice): Promise<void> {
    await this.storeLocalBundle(from.accountId, bundle)
  }

  async publishRecords(records: Uint8Array[]): Promise<void> {
    this.published.push(...records)
  }

  async storeLocalBundle(accountId: AccountId, bundle: Uint8Array): Promise<void> {
    this.kept.set(toHex(accountId), [...(this.kept.get(toHex(accountId)) ?? []), bundle])
  }

  async localBundles(accountId: AccountId): Promise<Uint8Array[]> {
    return this.kept.get(toHex(accountId)) ?? []
  }

  onRecords(records: Uint8Array[], from: NodeKey): void {
    this.records.push({ records, from })
  }
}
