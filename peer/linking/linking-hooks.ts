import type { DeviceId } from '../../protocol/identity/device.ts'

/**
 * What follows a linking, on either side: history, names of devices, marks. Linking calls each once and does not wait for
 * what comes of it; `peer-engine.ts` says who answers.
 */
export interface LinkingHooks {
  /** On the old device, before the last signature leaves it: from now on the new one may appear on the account's record. */
  onApproving(device: { deviceId: DeviceId }): Promise<void>
  /** On the old device: the new one is on the account's record, and its keys are published. */
  onLinked(device: { deviceId: DeviceId; name: string }): Promise<void>
  /** On the new device: it is on the account and online. `by` is the device that added it. */
  onJoined(device: { by: DeviceId }): Promise<void>
}

/** Nothing follows. */
export const NOTHING_FOLLOWS: LinkingHooks = {
  onApproving: async () => {},
  onLinked: async () => {},
  onJoined: async () => {}
}
