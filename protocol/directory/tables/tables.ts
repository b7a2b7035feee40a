import { DEVICE_ID_BYTES, type AccountId, type RecordId } from '../../identity/device.ts'
import type { AccountState } from '../account.ts'
import { LayeredMap } from './layered-map.ts'
import { withoutTag, withTag } from '../name-tags.ts'
import { bytesKey, type OrderKey } from '../order.ts'
import { accountPacking, accountReferencePacking, readOrder, writeOrder } from './packed-account.ts'
import { PackedMap } from './packed-map.ts'
import type { Packing } from './packing.ts'
import type { Table } from './table.ts'

/** Who holds a name. */
export interface NameState {
  readonly nameTag: Uint8Array
  readonly accountId: AccountId
  /** Place of the commitment: an earlier one that is opened in its window takes the name. `null` while pending. */
  readonly commitOrder: OrderKey | null
  /** Place of the reveal; `null` while it is pending. */
  readonly heldSince: OrderKey | null
}

/** A listed node. */
export interface NodeState {
  /** Ed25519 public key, 32 bytes. */
  readonly nodeKey: Uint8Array
  /** The account that operates it. */
  readonly operator: AccountId
  /** Printable ASCII, at least one. */
  readonly addresses: readonly string[]
  readonly announced: OrderKey | null
}

/** An account that was vouched for, or is admitted by genesis. */
export interface OperatorState {
  readonly operator: AccountId
  /** Admitted operators that vouched for it, in chain order; empty for those of genesis. */
  readonly vouchers: readonly AccountId[]
  readonly isAdmitted: boolean
}

/** A published release of the web app. */
export interface ReleaseState {
  readonly recordId: RecordId
  /** 1 to 32 bytes, UTF-8 by convention. */
  readonly version: Uint8Array
  readonly manifestHash: Uint8Array
  readonly order: OrderKey | null
}

/** All that the directory holds, each table by `bytesKey` of what it is asked for. */
export interface Tables {
  readonly accounts: Table<AccountState>
  /** The account of every accepted record; {@link NO_ACCOUNT} for a RELEASE. */
  readonly records: Table<AccountId>
  /** The account that took in a device last. */
  readonly devices: Table<AccountId>
  readonly names: Table<NameState>
  /** Tags of held names by their first {@link NAME_PREFIX_BYTES}; see name-tags.ts. */
  readonly nameTags: Table<Uint8Array>
  readonly nodes: Table<NodeState>
  readonly operators: Table<OperatorState>
  /** Operators of genesis by the signing key of their first device; {@link NO_ACCOUNT} until their account is there. */
  readonly founders: Table<AccountId>
  readonly releases: Table<ReleaseState>
  /** Rejected records by code. */
  readonly rejected: Table<number>
}

/** Shortest beginning of a tag that names are looked up by, in bytes. */
export const NAME_PREFIX_BYTES = 2

/** Means "no account" where `undefined` would say "no record". */
export const NO_ACCOUNT = new Uint8Array(0) as AccountId

/**
 * The tables before any record. What a network has millions of is kept as bytes.
 * @param hashSeed - see `PackedMapInit`.
 */
export function emptyTables(hashSeed?: number): Tables {
  const init = { keyBytes: 32, ...(hashSeed !== undefined && { hashSeed }) }
  const accounts = new PackedMap(accountPacking, init)
  const reference = accountReferencePacking(accounts)
  return {
    accounts,
    records: new PackedMap(reference, init),
    devices: new PackedMap(reference, { ...init, keyBytes: DEVICE_ID_BYTES }),
    names: new PackedMap(namePacking(reference), init),
    nameTags: new LayeredMap(),
    nodes: new LayeredMap(),
    operators: new LayeredMap(),
    founders: new LayeredMap(),
    releases: new LayeredMap(),
    rejected: new LayeredMap()
  }
}

function namePacking(reference: Packing<AccountId>): Packing<NameState> {
  return {
    write(writer, { accountId, commitOrder, heldSince }) {
      reference.write(writer, accountId)
      writeOrder(writer, commitOrder)
      writeOrder(writer, heldSince)
    },
    read(reader, nameTag) {
      const accountId = reference.read(reader, nameTag)
      return { nameTag, accountId, commitOrder: readOrder(reader), heldSince: readOrder(reader) }
    }
  }
}

/** Tables that read through to these, and change alone. */
export function forkTables(tables: Tables): Tables {
  return {
    accounts: tables.accounts.fork(),
    records: tables.records.fork(),
    devices: tables.devices.fork(),
    names: tables.names.fork(),
    nameTags: tables.nameTags.fork(),
    nodes: tables.nodes.fork(),
    operators: tables.operators.fork(),
    founders: tables.founders.fork(),
    releases: tables.releases.fork(),
    rejected: tables.rejected.fork()
  }
}

/** Gives a name to an account. */
export function putName(tables: Tables, name: NameState): void {
  const key = bytesKey(name.nameTag)
  if (!tables.names.has(key)) {
    const prefix = key.slice(0, NAME_PREFIX_BYTES)
    tables.nameTags.set(prefix, withTag(tables.nameTags.get(prefix), name.nameTag))
  }
  tables.names.set(key, name)
}

/** Frees a name. */
export function deleteName(tables: Tables, nameTag: Uint8Array): void {
  const key = bytesKey(nameTag)
  const prefix = key.slice(0, NAME_PREFIX_BYTES)
  tables.nameTags.set(prefix, withoutTag(tables.nameTags.get(prefix), nameTag))
  tables.names.delete(key)
}
