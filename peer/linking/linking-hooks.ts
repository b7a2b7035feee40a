import type { DeviceId } from '../../protocol/identity/device.ts'
import type { EntryChange } from '../store/sealed-store.ts'

/**
 * What follows a linking, on either side: history, names of devices, marks. Linking calls each once and does not wait for
 * what comes of it; `peer-engine.ts` says who answers.
 */
export interface LinkingHooks {
  /** On the old device, before the last signature leaves it: from now on the new one may appear on the account's record. */
  onApproving(device: { deviceId: DeviceId }): Promise<void>
  /** On the old device: the new one is on the account's record, and its keys are published. */
  onLinked(device: { deviceId: DeviceId; name: string }): Promise<void>
  /** On the new device: what it stores together with the account. `by` is the device that added it. */
  joinedChanges(device: { by: DeviceId }): EntryChange[]
  /** On the new device: it is on the account and has begun. */
  onJoined(): Promise<void>
}

/** Nothing follows. */
export const NOTHING_FOLLOWS: LinkingHooks = {
  onApproving: async () => {},
  onLinked: async () => {},
  joinedChanges: () => [],
  onJoined: async () => {}
}
