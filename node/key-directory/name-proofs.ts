import { createHash } from 'node:crypto'
import { encodeProofFile } from '../../chain/verify/sources/proof-file.ts'
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import { isUsername, nameTagOf, type Username } from '../../protocol/identity/username.ts'
import { MAX_ACCOUNT_PROOF_BYTES } from '../../protocol/limits.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import { NodeError } from '../errors.ts'
import { addressKey } from '../limits/address-key.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'
import type { DirectoryPort } from './directory-port.ts'

const MINUTE_MS = 60_000
/** Names that one address may ask for in a minute: the tag of each takes a tenth of a second of a processor. */
export const NAMES_PER_MINUTE = 30
/** Tags that may wait to be computed, one at a time. */
const MAX_WAITING = 16
const MAX_CACHED_TAGS = 1_000

/** The answer to `/.well-known/volo/NAME.json`. */
export interface NameProof {
  /** Lower-case hex. */
  network: string
  username: string
  accountId: string
  /** Base64 of a proof file, as `volo-verify proof check` reads it. */
  proof: string
}

export interface NameProofsComponents {
  crypto: Pick<Crypto, 'argon2id'>
  clock: Clock
  directory: Pick<DirectoryPort, 'names' | 'accountProof'>
}

/** Proofs of accounts by their names, for a client that knows a name and wants the keys without an app. */
export class NameProofs {
  readonly #components: NameProofsComponents
  readonly #init: { network: NetworkId; genesis: Genesis }
  readonly #perAddress: RateLimiter
  readonly #queue = new SerialQueue()
  #waiting = 0
  /** By a hash of the name: a reader of the memory does not learn what people ask for. */
  readonly #tags = new Map<string, Uint8Array>()

  constructor(components: NameProofsComponents, init: { network: NetworkId; genesis: Genesis }) {
    this.#components = components
    this.#init = init
    this.#perAddress = new RateLimiter(components, { limit: NAMES_PER_MINUTE, windowMs: MINUTE_MS })
  }

  /**
   * @param address - of the client.
   * @throws NodeError `not-found` for a name that nobody holds, or no account is known of; `rate-limited`, `busy`.
   */
  async find(name: string, address: string): Promise<NameProof> {
    const { directory } = this.#components
    const { network, genesis } = this.#init
    if (!isUsername(name)) throw notFound()
    if (!this.#perAddress.spend(addressKey(address))) {
      throw new NodeError('rate-limited', 'Too many names; try again in a minute.')
    }
    const tag = await this.#tagOf(name)
    const { matches } = await directory.names(tag)
    const holder = matches.find(match => equalBytes(match.tag, tag) && match.state !== 'pending')
    const proof = holder && (await directory.accountProof(holder.accountId, MAX_ACCOUNT_PROOF_BYTES))
    if (!proof) throw notFound()
    const file = encodeProofFile({ genesis, username: name, proof })
    return {
      network: toHex(network),
      username: name,
      accountId: toHex(holder.accountId),
      proof: Buffer.from(file).toString('base64')
    }
  }

  async #tagOf(name: Username): Promise<Uint8Array> {
    const key = createHash('sha256').update(name).digest('hex')
    const known = this.#tags.get(key)
    if (known) return known
    if (this.#waiting >= MAX_WAITING) throw new NodeError('busy', 'Too many names are being looked up; try again soon.')
    this.#waiting++
    try {
      const { crypto } = this.#components
      const { network, genesis } = this.#init
      const tag = await this.#queue.run(() => nameTagOf(crypto, network, genesis, name))
      if (this.#tags.size >= MAX_CACHED_TAGS) this.#tags.delete(this.#tags.keys().next().value!)
      this.#tags.set(key, tag)
      return tag
    } finally {
      this.#waiting--
    }
  }
}

const notFound = (): NodeError => new NodeError('not-found', 'Nobody has this name on the public record.')
