/** Marks a device that only shows a backup: it has no part in the account, and shows the passphrase's token to nodes. */
import { bytes, decode, encode, struct, type TypeOf } from '../../protocol/codec.ts'
import type { EntryChange, SealedStore } from './sealed-store.ts'

const readOnlyCodec = struct({ token: bytes(32) })
/** What such a device has in place of a signing key that counts. */
export type ReadOnlyAccess = TypeOf<typeof readOnlyCodec>

const NAME = { space: 'read-only' }

/** @returns undefined for a device of the account. */
export async function loadReadOnly(store: SealedStore): Promise<ReadOnlyAccess | undefined> {
  const stored = await store.get(NAME)
  return stored && decode(readOnlyCodec, stored, { maxBytes: 64 })
}

export function readOnlyChange(access: ReadOnlyAccess | undefined): EntryChange {
  return { ...NAME, value: access === undefined ? null : encode(readOnlyCodec, access) }
}
