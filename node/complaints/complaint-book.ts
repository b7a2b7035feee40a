import { SYNCED, type ChainStore } from '../../chain/chain-store.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { complaintKey, judgeComplaint, type Complaint } from '../../protocol/wire/complaint.ts'
import { complaintText, MAX_COMPLAINTS_PER_PAGE, readComplaint } from '../../protocol/wire/complaint-file.ts'
import { NodeError } from '../errors.ts'
import { KeyedLock } from '../storage/keyed-lock.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'

/** Complaints about one node that are kept: past it nobody learns more from another one. */
export const MAX_COMPLAINTS_PER_NODE = 1_000
/** Complaints of one address in an hour: each costs two signature checks. */
const PER_ADDRESS_PER_HOUR = 200
const HOUR_MS = 60 * 60_000
const ENTRY = 'complaint/'
const END = '~'

/** One page of complaints. */
export interface ComplaintPage {
  /** Texts of complaint files. */
  complaints: string[]
  /** Where the next page begins; null if this is the last. */
  next: string | null
}

/**
 * Complaints that people handed in, for everybody to read. Only those that hold are kept, one for each node and delivery; who
 * handed them in is not.
 */
export class ComplaintBook {
  readonly #components: { crypto: Crypto; clock: Clock; store: ChainStore }
  readonly #network: NetworkId
  readonly #limiter: RateLimiter
  readonly #lock = new KeyedLock()

  constructor(components: { crypto: Crypto; clock: Clock; store: ChainStore }, { network }: { network: NetworkId }) {
    this.#components = components
    this.#network = network
    this.#limiter = new RateLimiter(components, { limit: PER_ADDRESS_PER_HOUR, windowMs: HOUR_MS })
  }

  /**
   * Judges a complaint and keeps it if it holds; it is on disk once this resolves.
   * @param text - of a complaint file. @param address - who hands it in, for the limit only.
   * @throws NodeError `malformed`, `rate-limited`, or `refused` with the sentence that says why it does not hold.
   */
  async add(text: string, address: string): Promise<void> {
    const complaint = parse(text)
    if (!this.#limiter.spend(address)) throw new NodeError('rate-limited', 'too many complaints: come back in an hour')
    const { crypto, clock } = this.#components
    const verdict = await judgeComplaint(crypto, complaint, { now: clock(), expected: this.#network })
    if (!verdict.holds) throw new NodeError('refused', verdict.sentence)
    const node = toHex(complaint.receipt.receipt.node)
    await this.#lock.run(node, () => this.#keep(node, complaint))
  }

  /** Complaints in the order of node, mailbox and delivery. @param after - {@link ComplaintPage.next} of the page before. */
  async page(after: string | null): Promise<ComplaintPage> {
    const complaints: string[] = []
    let last: string | null = null
    const gte = after === null ? ENTRY : `${ENTRY}${after}!`
    const range = { gte, lt: `${ENTRY}${END}`, limit: MAX_COMPLAINTS_PER_PAGE }
    for await (const [key, text] of this.#components.store.iterator(range)) {
      complaints.push(text)
      last = key.slice(ENTRY.length)
    }
    return { complaints, next: complaints.length < MAX_COMPLAINTS_PER_PAGE ? null : last }
  }

  async #keep(node: string, complaint: Complaint): Promise<void> {
    const { store } = this.#components
    const key = `${ENTRY}${complaintKey(complaint)}`
    if ((await store.get(key)) !== undefined) return
    let count = 0
    const limit = MAX_COMPLAINTS_PER_NODE
    for await (const [known] of store.iterator({ gte: `${ENTRY}${node}-`, lt: `${ENTRY}${node}-${END}`, limit })) {
      if (known) count++
    }
    if (count >= MAX_COMPLAINTS_PER_NODE) return
    // Written again in its one spelling: what was handed in may be spaced otherwise.
    await store.batch([{ type: 'put', key, value: complaintText(complaint) }], SYNCED)
  }
}

function parse(text: string): Complaint {
  try {
    return readComplaint(text)
  } catch (cause) {
    if (cause instanceof ProtocolError) throw new NodeError('malformed', cause.message, { cause })
    throw cause
  }
}
