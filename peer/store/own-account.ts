/** This device's account as it is stored: from the first sign-in on, so that a crash never makes a second account. */
import {
  bool,
  bytes,
  bytesBetween,
  decode,
  encode,
  nullable,
  oneOf,
  struct,
  text,
  type TypeOf
} from '../../protocol/codec.ts'
import { MAX_RECORD_BYTES } from '../../protocol/limits.ts'
import { accountIdCodec } from '../../protocol/identity/device.ts'
import type { EntryChange, SealedStore } from './sealed-store.ts'
import type { Slot } from './state-store.ts'

const nameClaimCodec = struct({
  username: text(24),
  tag: bytes(32),
  /** Hides the name in its commitment until the reveal. */
  salt: bytes(32),
  /** Seen on chain, or taken by another account: see `Me.nameState`. */
  state: oneOf('reserving', 'reserved', 'recorded', 'taken')
})

/** See {@link OwnAccount}. */
export const ownAccountCodec = struct({
  accountId: accountIdCodec,
  /** The encoded CREATE record: signed once, handed in as often as needed. Null where this device joined the account later. */
  create: nullable(bytesBetween(1, MAX_RECORD_BYTES)),
  /** Whether a node has taken the registration. */
  registered: bool,
  displayName: text(64),
  deviceName: text(64),
  name: nullable(nameClaimCodec)
})

/** A name on its way to the public record. */
export type NameClaimState = TypeOf<typeof nameClaimCodec>
export type OwnAccount = TypeOf<typeof ownAccountCodec>

/** Changes the account in its turn, so that no other change of it is lost. @param store - makes the change durable. */
export type ChangeAccount = (
  change: (account: OwnAccount) => OwnAccount,
  store?: (account: OwnAccount) => Promise<void>
) => Promise<void>

const NAME = { space: 'own-account' }

export async function loadOwnAccount(store: SealedStore): Promise<OwnAccount | undefined> {
  const bytes = await store.get(NAME)
  return bytes && decode(ownAccountCodec, bytes, { maxBytes: 8192 })
}

export function ownAccountChange(account: OwnAccount): EntryChange {
  return { ...NAME, value: encode(ownAccountCodec, account) }
}

/** For a write together with other state. It is read by {@link loadOwnAccount} only: units must not keep a copy. */
export const ownAccountSlot: Slot<OwnAccount> = {
  ...NAME,
  codec: {
    encode: account => encode(ownAccountCodec, account),
    decode: bytes => decode(ownAccountCodec, bytes, { maxBytes: 8192 })
  }
}
