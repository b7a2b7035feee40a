/** How far the public record confirms something. `mismatch` and `removed` hold sending. */
export type RecordState = 'pending' | 'recorded' | 'settled' | 'final' | 'not-found' | 'mismatch' | 'removed'

/** Facts behind a {@link RecordState}, for the "Technical details". */
export interface RecordDetails {
  state: RecordState
  /** Blocks above the record's own, 0 while pending. */
  confirmations: number
  /** Lower-case hex of the transaction, once it is in a block. */
  transactionId: string | null
  blockHeight: number | null
  /** Time of the block. */
  recordedAt: number | null
  /** Which network, for people: "local devnet (emulated ledger rules)", "preprod", "mainnet". */
  network: string
  /** `L0` a node's word, `L1` bytes re-hashed here, `L2` two operators agree. */
  trust: 'L0' | 'L1' | 'L2'
  checkedAt: number
  /** Whether two operators agree on it now, and when (by this device's clock) they did last; see peer/directory/agreement.ts. */
  agreement: { state: 'single' | 'agreed' | 'waiting' | 'lost'; at: number | null }
  /** When this device saw that it was undone and is being recorded again; null if it never was, or is in a block once more. */
  undoneAt: number | null
}

/** Where one entry of the record is. */
export interface RecordPlace {
  state: 'pending' | 'recorded' | 'settled' | 'final'
  confirmations: number
  /** Time of the block; null while pending. */
  at: number | null
  transactionId: string | null
  blockHeight: number | null
}
