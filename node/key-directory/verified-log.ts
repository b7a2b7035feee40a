/**
 * How far this node has verified the signatures of the FINAL log, in its own words: a mark that only its key can make. With it
 * a start replays the log without checking these signatures again. A mark that does not fit the log, the network or the program
 * is as good as none.
 */
import { SYNCED, type ChainStore } from '../../chain/chain-store.ts'
import type { FinalTransaction } from '../../chain/follow/chain-change.ts'
import { concatBytes, equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import { encodeCbor } from '../../protocol/cbor.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { labelled, labelledHash } from '../../protocol/labels.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { z } from 'zod'

const KEY = 'mark'
/** Records with a wrong signature that a mark can name; a log with more is verified at every start. */
export const MAX_WRONG_SIGNATURES = 10_000

const markSchema = z.strictObject({
  count: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  wrong: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(MAX_WRONG_SIGNATURES),
  mac: z.string().regex(/^[0-9a-f]{64}$/)
})

/** The verified beginning of the log. */
export interface VerifiedMark {
  /** Transactions. */
  count: number
  /** {@link LogHash} over them. */
  hash: Uint8Array
  /** {@link signatureName} of every signature in them that does not hold. */
  wrong: ReadonlySet<string>
}

/** Names one check of a signature: the same three always have the same outcome. */
export const signatureName = (crypto: Crypto, key: Uint8Array, message: Uint8Array, signature: Uint8Array): string =>
  toHex(crypto.sha256(encodeCbor([key, message, signature])))

/** A hash over transactions in the order of the log, with their places. */
export class LogHash {
  readonly #crypto: Crypto
  value: Uint8Array
  count = 0

  constructor(crypto: Crypto, network: NetworkId) {
    this.#crypto = crypto
    this.value = labelledHash(crypto, 'verified-log', network)
  }

  add({ id, blockHash, height, index, slot, time, bytes }: FinalTransaction): void {
    const place = encodeCbor([id, blockHash, height, index, slot, time])
    this.value = this.#crypto.sha256(concatBytes(this.value, this.#crypto.sha256(place), this.#crypto.sha256(bytes)))
    this.count += 1
  }
}

/** Where the mark is kept. */
export class VerifiedLog {
  readonly #crypto: Crypto
  readonly #store: ChainStore
  readonly #key: Uint8Array
  readonly #facts: { network: NetworkId; version: string }

  /**
   * @param components.key - 32 bytes that nobody but this node has.
   * @param facts.version - of the program: another one may judge records by other rules.
   */
  constructor(
    { crypto, store, key }: { crypto: Crypto; store: ChainStore; key: Uint8Array },
    facts: { network: NetworkId; version: string }
  ) {
    this.#crypto = crypto
    this.#store = store
    this.#key = key
    this.#facts = facts
  }

  /** The mark, if this node made it for this network with this program. */
  async read(): Promise<VerifiedMark | undefined> {
    const text = await this.#store.get(KEY)
    const parsed = text === undefined ? undefined : markSchema.safeParse(parseJson(text)).data
    if (parsed === undefined) return undefined
    const mark = { count: parsed.count, hash: fromHex(parsed.hash), wrong: new Set(parsed.wrong) }
    return equalBytes(this.#mac(mark), fromHex(parsed.mac)) ? mark : undefined
  }

  /** Replaces the mark: one write, so that a power cut leaves the old one or the new one. */
  async write(mark: VerifiedMark): Promise<void> {
    const { count, hash, wrong } = mark
    const value = JSON.stringify({ count, hash: toHex(hash), wrong: [...wrong], mac: toHex(this.#mac(mark)) })
    await this.#store.batch([{ type: 'put', key: KEY, value }], SYNCED)
  }

  async forget(): Promise<void> {
    await this.#store.batch([{ type: 'del', key: KEY }], SYNCED)
  }

  #mac({ count, hash, wrong }: VerifiedMark): Uint8Array {
    const { network, version } = this.#facts
    return this.#crypto.hmacSha256(this.#key, labelled('verified-log', network, version, count, hash, [...wrong]))
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
