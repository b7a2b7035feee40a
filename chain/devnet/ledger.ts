/**
 * The ledger rules of the local devnet: scalus, a re-implementation, not a Cardano node. What it accepts here is
 * evidence, not proof, that a real network would; every answer of the devnet is labelled as emulated.
 */
import { toHex } from '../../protocol/bytes.ts'
import {
  ARRAY,
  BYTES,
  itemSpans,
  MAP,
  readHead,
  TAG,
  UNSIGNED,
  valueSpan,
  type Span
} from '../../protocol/directory/cbor-walker.ts'
import type { TransactionId } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'

type Emulator = import('scalus').Emulator

/** An unspent output as the devnet tells it. */
export interface LedgerUtxo {
  transaction: TransactionId
  index: number
  /** Hex of the address bytes. */
  address: string
  /** `lovelace`, or hex of policy id and asset name. */
  amount: { unit: string; quantity: bigint }[]
}

/** Set of unspent outputs and the slot they are judged in; copies are cheap, since states share what did not change. */
export class Ledger {
  readonly #emulator: Emulator

  private constructor(emulator: Emulator) {
    this.#emulator = emulator
  }

  /**
   * Loads the rules on first use: half a second and some 100 MB, which a devnet without transactions never pays.
   * @param utxos - CBOR map from input to output, as {@link dump} gives it.
   */
  static async load(utxos: Uint8Array, systemStart: number, slotMs: number): Promise<Ledger> {
    const scalus = (await import('scalus')).default
    return new Ledger(new scalus.Emulator(utxos, new scalus.SlotConfig(systemStart, 0, slotMs)))
  }

  copy(): Ledger {
    return new Ledger(this.#emulator.snapshot())
  }

  setSlot(slot: number): void {
    this.#emulator.setSlot(slot)
  }

  /** Judges a transaction in the current slot and applies it. @throws {@link ChainError} `REJECTED` with the reason. */
  apply(transaction: Uint8Array): TransactionId {
    let reason: string | undefined
    try {
      const result = this.#emulator.submitTx(Uint8Array.from(transaction))
      if (result.isSuccess && result.txHash) return result.txHash as TransactionId
      reason = result.error
    } catch (error) {
      // Some malformed transactions throw inside the rules instead of being refused by them.
      reason = error instanceof Error ? error.message : String(error)
    }
    throw new ChainError('REJECTED', (reason ?? 'refused without a reason').slice(0, 500))
  }

  /** The unspent outputs as CBOR. */
  dump(): Uint8Array {
    return Uint8Array.from(this.#emulator.getUtxosCbor())
  }
}

/** Parses {@link Ledger.dump} without loading the rules. @throws ProtocolError `MALFORMED`. */
export function parseUtxos(dump: Uint8Array): LedgerUtxo[] {
  const spans = itemSpans(dump, 0, MAP)
  const utxos: LedgerUtxo[] = []
  for (let i = 0; i < spans.length; i += 2) {
    const [id, index] = itemSpans(dump, spans[i]!.start, ARRAY)
    const [address, value] = outputParts(dump, spans[i + 1]!.start)
    utxos.push({
      transaction: bytesAt(dump, id) as TransactionId,
      index: readHead(dump, index!.start).argument,
      address: bytesAt(dump, address),
      amount: amountOf(dump, value!.start)
    })
  }
  return utxos
}

function amountOf(dump: Uint8Array, value: number): LedgerUtxo['amount'] {
  const { major, argument } = readHead(dump, value)
  if (major === UNSIGNED) return [{ unit: 'lovelace', quantity: BigInt(argument) }]
  const [coin, assets] = itemSpans(dump, value, ARRAY)
  const amount = [{ unit: 'lovelace', quantity: BigInt(readHead(dump, coin!.start).argument) }]
  const policies = itemSpans(dump, assets!.start, MAP)
  for (let i = 0; i < policies.length; i += 2) {
    const names = itemSpans(dump, policies[i + 1]!.start, MAP)
    for (let j = 0; j < names.length; j += 2) {
      const unit = bytesAt(dump, policies[i]) + bytesAt(dump, names[j])
      amount.push({ unit, quantity: BigInt(readHead(dump, names[j + 1]!.start).argument) })
    }
  }
  return amount
}

/** What a transaction moves: how many inputs, and the lovelace of each output. @throws ProtocolError `MALFORMED`. */
export function movesOf(transaction: Uint8Array): { inputCount: number; outputs: bigint[] } {
  const body = readHead(transaction, 0).next
  const inputs = valueSpan(transaction, body, 0)!
  const head = readHead(transaction, inputs.start)
  // Since Conway a set may be tagged as one.
  const inputCount = itemSpans(transaction, head.major === TAG ? head.next : inputs.start, ARRAY).length
  const outputs = itemSpans(transaction, valueSpan(transaction, body, 1)!.start, ARRAY)
  return {
    inputCount,
    outputs: outputs.map(({ start }) => amountOf(transaction, outputParts(transaction, start)[1]!.start)[0]!.quantity)
  }
}

/** Address and value of an output, in the map form of Babbage or the array form before it. */
function outputParts(bytes: Uint8Array, output: number): (Span | undefined)[] {
  if (readHead(bytes, output).major !== MAP) return itemSpans(bytes, output, ARRAY)
  return [valueSpan(bytes, output, 0), valueSpan(bytes, output, 1)]
}

/** Hex of a byte string. */
function bytesAt(dump: Uint8Array, span: Span | undefined): string {
  const head = span && readHead(dump, span.start)
  if (head?.major !== BYTES) throw new ChainError('MALFORMED', 'not a set of outputs')
  return toHex(dump.subarray(head.next, span!.end))
}
