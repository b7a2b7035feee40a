import type { CallTable } from './call-table.ts'
import type { RecordPlace } from './record-state.ts'

/** `peer.devices`: the devices of the own account. */
export interface DevicesApi {
  /** All devices, oldest first, removed ones included. */
  list(): Promise<DeviceRecord[]>
  /** Gives a device another name, on all devices of the account. Rejects with `no-device`, `device-name`. */
  rename(deviceId: string, name: string): Promise<DeviceRecord>
  /**
   * Ends a device of the own account, this one or another, for good. Resolves once the network has taken the removal, which
   * counts from then on; its way into a block shows in {@link list}. Doing it twice does no harm.
   * Rejects with `no-device`, `removal-offline`, `removal-waits`, `removal-refused`, `held`.
   *
   * @param deviceId - lower-case hex, 32 characters.
   */
  revoke(deviceId: string): Promise<DeviceRecord>
  /**
   * Signs a file with this device's key, in the form that `ssh-keygen -Y verify -n file` and `volo-verify signature` check.
   * Rejects with `held` on a device that was removed, `malformed-call`.
   *
   * @param sha512 - hash of the content, lower-case hex, 128 characters.
   * @returns the armored signature, with a line end.
   */
  signFile(sha512: string): Promise<string>
}

/** The calls of {@link DevicesApi}. */
export const DEVICES_CALLS: CallTable<DevicesApi> = {
  list: 'repeat',
  rename: 'repeat',
  // Removing a device twice is removing it once.
  revoke: 'repeat',
  signFile: 'repeat'
}

/** One device of an account, as the public record has it. */
export interface DeviceRecord {
  /** Lower-case hex, 32 characters. */
  deviceId: string
  /** As its owner calls it; null where that is not known here. */
  name: string | null
  /** Whether it is the device that answers. */
  isThis: boolean
  /** Lower-case hex of the Ed25519 key. */
  signingKey: string
  /** Lower-case hex of the hash of the registered messaging key. */
  messagingKeyHash: string
  added: RecordPlace
  /** The device that added it, lower-case hex; null for the first one and after a recovery. */
  addedBy: string | null
  /**
   * The hour in which an own device was last on, milliseconds, as far as this device has heard: a device that only listens
   * says so once a day. Null where nothing is known, and for devices of others.
   */
  lastSeen: number | null
  /** Null while it may send and receive. A removal counts from when it is first seen, in a block or not. */
  removed: RecordPlace | null
}
