/** What a device stores about invitations: which it has accepted, and who has accepted its own. */
import { bytes, struct, uint, type TypeOf } from '../../protocol/codec.ts'
import { accountIdCodec } from '../../protocol/identity/device.ts'
import type { Slot } from './state-store.ts'
import { entry } from './conversation-entries.ts'

const attemptCodec = struct({ attempt: bytes(16) })
const attemptEntry = entry(attemptCodec)

const useCodec = struct({ accountId: accountIdCodec, at: uint() })
export const inviteUseEntry = entry(useCodec)

/** Ids are lower-case hex. */
export const inviteSlots = {
  /** What this device names its use of an invitation by, so that a repeated request counts once. */
  attempt: (hash: string): Slot<TypeOf<typeof attemptCodec>> => ({
    space: 'invite-attempt',
    id: hash,
    codec: attemptEntry
  }),
  /** An account that has accepted an own invitation. */
  use: (hash: string, account: string): Slot<TypeOf<typeof useCodec>> => ({
    space: 'invite-use',
    id: hash,
    order: account,
    codec: inviteUseEntry
  })
}
