import { z } from 'zod'
import { fromHex, toHex } from '../../../protocol/bytes.ts'
import type { Crypto } from '../../../protocol/crypto/crypto.ts'
import { decodeProof, type AccountProof } from '../../../protocol/directory/proofs/proof.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { MAX_ACCOUNT_PROOF_BYTES } from '../../../protocol/limits.ts'
import { MAX_COMPLAINT_LENGTH, MAX_COMPLAINTS_PER_PAGE } from '../../../protocol/wire/complaint-file.ts'
import { VerifyError } from '../errors.ts'
import { httpGet, isNotFound, jsonOf, statusText } from './http-client.ts'
import { parseNetworkAnswer, type NodeFacts } from './network-parameters.ts'
import type { AccountSource, CallOptions, SourceParty } from './account-source.ts'

/** Longest description of a network or list of names. */
const MAX_JSON_BYTES = 1024 * 1024
/** A node is shown only the start of a name's tag, unless too many names share it. */
const TAG_PREFIX_DIGITS = 8
const MAX_MATCHES = 1_000
/** Accounts that may claim one name in one answer. */
const MAX_CLAIMANTS = 8

const namesSchema = z.object({
  matches: z
    .array(z.object({ tag: z.string().regex(/^[0-9a-f]{64}$/), accountId: z.string().regex(/^[0-9a-f]{64}$/) }))
    .max(MAX_MATCHES),
  complete: z.boolean()
})

const complaintsSchema = z.object({
  complaints: z.array(z.string().max(MAX_COMPLAINT_LENGTH)).max(MAX_COMPLAINTS_PER_PAGE),
  next: z.string().max(256).nullable()
})

/** A Volo node, asked over HTTP. */
export class NodeSource implements AccountSource {
  readonly kind = 'node'
  readonly name: string
  readonly facts: NodeFacts
  readonly party: SourceParty
  readonly #origin: string

  private constructor(url: string, facts: NodeFacts) {
    const { origin, host } = new URL(url)
    this.name = host
    this.facts = facts
    this.#origin = origin
    this.party = { origin, nodeKey: facts.nodeKey, operator: facts.operator }
  }

  /**
   * Asks a node which network it is of.
   * @param url - http or https.
   * @throws VerifyError `UNREACHABLE`, `BAD_ANSWER`.
   */
  static async open(crypto: Crypto, url: string, options: CallOptions = {}): Promise<NodeSource> {
    const answer = await httpGet(`${new URL(url).origin}/v1/network`, { maxBytes: MAX_JSON_BYTES, ...options })
    return new NodeSource(url, parseNetworkAnswer(crypto, jsonOf(answer)))
  }

  async proof(accountId: AccountId, options: CallOptions = {}): Promise<AccountProof | undefined> {
    const url = `${this.#origin}/v1/accounts/${toHex(accountId)}/proof`
    const answer = await httpGet(url, { maxBytes: MAX_ACCOUNT_PROOF_BYTES, ...options })
    if (isNotFound(answer)) return undefined
    if (answer.status !== 200) {
      throw new VerifyError('UNREACHABLE', statusText(answer.status, answer.body, answer.contentType))
    }
    try {
      return decodeProof(answer.body)
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause
      throw new VerifyError('BAD_ANSWER', `what it sends is no proof: ${cause.message}`, { cause })
    }
  }

  async claimants(nameTag: Uint8Array, options: CallOptions = {}): Promise<AccountId[]> {
    const tag = toHex(nameTag)
    const first = await this.#names(tag.slice(0, TAG_PREFIX_DIGITS), options)
    const isAnswered = first.complete || first.matches.some(match => match.tag === tag)
    const { matches } = isAnswered ? first : await this.#names(tag, options)
    const accounts = new Set(matches.filter(match => match.tag === tag).map(({ accountId }) => accountId))
    if (accounts.size > MAX_CLAIMANTS) throw new VerifyError('BAD_ANSWER', 'it names too many accounts for one name')
    return [...accounts].map(id => fromHex(id) as AccountId)
  }

  /** One page of the complaints that the node publishes, as the texts of their files. @param after - as the last page told. */
  async complaints(after: string | null, options: CallOptions = {}): Promise<{ texts: string[]; next: string | null }> {
    const query = after === null ? '' : `?after=${encodeURIComponent(after)}`
    const answer = await httpGet(`${this.#origin}/v1/complaints${query}`, { maxBytes: MAX_JSON_BYTES, ...options })
    const result = complaintsSchema.safeParse(jsonOf(answer))
    if (!result.success) throw new VerifyError('BAD_ANSWER', 'its list of complaints is malformed')
    return { texts: result.data.complaints, next: result.data.next }
  }

  refresh(): void {
    // Nothing is kept: every question goes to the node.
  }

  async #names(prefix: string, options: CallOptions): Promise<z.infer<typeof namesSchema>> {
    const answer = await httpGet(`${this.#origin}/v1/names/${prefix}`, { maxBytes: MAX_JSON_BYTES, ...options })
    if (isNotFound(answer)) return { matches: [], complete: true }
    const result = namesSchema.safeParse(jsonOf(answer))
    if (!result.success) throw new VerifyError('BAD_ANSWER', 'its list of names is malformed')
    return result.data
  }
}
