/** How often each operator broke a promise, by complaints that hold. */
import { toHex } from '../../../protocol/bytes.ts'
import type { Crypto } from '../../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import type { NetworkId } from '../../../protocol/network.ts'
import { complaintKey, judgeComplaint, type Complaint } from '../../../protocol/wire/complaint.ts'
import { readComplaint } from '../../../protocol/wire/complaint-file.ts'

/** One operator, keys as lower-case hex. */
export interface OperatorRow {
  /** Null for nodes that are in no list that was told. */
  operator: string | null
  nodes: string[]
  /** Deliveries that a node of this operator promised to keep and later denied. */
  broken: number
  /** Times of the first and the last denial, in milliseconds since 1970; null for none. */
  firstAt: number | null
  lastAt: number | null
}

/** Counts complaints. The same ones in any order, and however often, come to the same table. */
export class OperatorTable {
  readonly #rows = new Map<string | null, OperatorRow>()
  readonly #operators = new Map<string, string>()
  readonly #counted = new Set<string>()
  /** Complaints that do not hold. */
  rejected = 0

  /** Tells who runs a node. The first word about a node counts. */
  list({ key, operator }: { key: string; operator: string }): void {
    if (this.#operators.has(key)) return
    this.#operators.set(key, operator)
    this.#row(operator).nodes.push(key)
  }

  /** Judges the text of a complaint and counts it if it holds. @returns why it does not hold; undefined if it counts or is known. */
  async add(
    crypto: Crypto,
    text: string,
    { network, now }: { network: NetworkId; now: number }
  ): Promise<string | undefined> {
    const complaint = parse(text)
    const verdict =
      complaint instanceof ProtocolError
        ? { holds: false, sentence: complaint.message }
        : await judgeComplaint(crypto, complaint, { now, expected: network })
    if (verdict.holds) this.#count(complaint as Complaint)
    else this.rejected += 1
    return verdict.holds ? undefined : verdict.sentence
  }

  get counted(): number {
    return this.#counted.size
  }

  /** The worst first, then by key; operators that nobody lists come last. */
  get rows(): OperatorRow[] {
    return [...this.#rows.values()].sort(
      (a, b) => b.broken - a.broken || (a.operator ?? '~').localeCompare(b.operator ?? '~')
    )
  }

  #count(complaint: Complaint): void {
    const key = complaintKey(complaint)
    if (this.#counted.has(key)) return
    this.#counted.add(key)
    const node = toHex(complaint.receipt.receipt.node)
    const row = this.#row(this.#operators.get(node) ?? null)
    if (!row.nodes.includes(node)) row.nodes.push(node)
    row.broken += 1
    row.firstAt = Math.min(row.firstAt ?? Infinity, complaint.denial.time)
    row.lastAt = Math.max(row.lastAt ?? 0, complaint.denial.time)
  }

  #row(operator: string | null): OperatorRow {
    const known = this.#rows.get(operator)
    if (known) return known
    const row: OperatorRow = { operator, nodes: [], broken: 0, firstAt: null, lastAt: null }
    this.#rows.set(operator, row)
    return row
  }
}

function parse(text: string): Complaint | ProtocolError {
  try {
    return readComplaint(text)
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
}
