import { struct, uint } from '../codec.ts'

/** The place of a record in the chain; records are folded in this order. */
export interface OrderKey {
  /** Height of the block. */
  blockHeight: number
  /** Index of the transaction in its block. */
  txIndex: number
  /** Index of the record in the transaction's list, junk included. */
  recordIndex: number
}

/** `[block height, transaction index, record index]`. */
export const orderKeyCodec = struct({ blockHeight: uint(), txIndex: uint(), recordIndex: uint() })

/** A record as the fold takes it: its bytes and its place. */
export interface OrderedRecord {
  /** Canonical bytes of the record, not checked yet. */
  bytes: Uint8Array
  /** `null` while the record waits to be in a block. */
  order: OrderKey | null
  /** Milliseconds since 1970: the slot time of its block; for a pending record the time at which it is judged. */
  blockTime: number
}

/** Chain order; pending (`null`) comes after everything on chain. @returns below, at or above zero. */
export function compareOrder(a: OrderKey | null, b: OrderKey | null): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0)
  return a.blockHeight - b.blockHeight || a.txIndex - b.txIndex || a.recordIndex - b.recordIndex
}

/** Key under which a `Map` finds bytes: one character a byte, half the memory of hex. */
export function bytesKey(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[])
}
