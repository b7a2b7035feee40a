import { decode, encode } from '../../protocol/codec.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'
import {
  isDeliveryProof,
  mailboxTokenCodec,
  verifyMailboxToken,
  type MailboxToken
} from '../../protocol/wire/delivery-token.ts'
import { envelopeIdOf, type EnvelopeClass } from '../../protocol/wire/envelope.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import { byteKey } from '../byte-key.ts'
import type { PendingMessageStore } from '../pending-messages/pending-message-store.ts'
import type { BatchDelivery } from './custody-batch.ts'

/** Tokens that stay in memory, about 500 bytes each. */
const MAX_CACHED = 20_000
/** Mailboxes whose token is looked for; what is beyond them is noted with a later delivery. */
const MAX_MISSING = 1_000
/** Deliveries that are judged again at a time. */
const PAGE = { count: 256, bytes: 1024 * 1024 }
const TOKEN_LIMITS = { maxBytes: 1024, maxDepth: 3, maxItems: 16 }

/** What a delivery counts as, and whether its proof contradicts the mailbox's token. */
export interface Judgement {
  countsAs: EnvelopeClass
  isProofWrong: boolean
}

export interface MailboxTokensComponents {
  crypto: Crypto
  network: NetworkId
  store: Pick<PendingMessageStore, 'token' | 'setToken' | 'pendingAfter' | 'promote'>
}

/**
 * The delivery tokens of the mailboxes kept here, and what they say about deliveries. The class of an envelope is its
 * sender's word: only a proof that holds makes a delivery count as one of a contact.
 */
export class MailboxTokens {
  readonly #components: MailboxTokensComponents
  readonly #cache = new Map<string, MailboxToken | undefined>()
  readonly #missing = new Map<string, DeviceId>()
  /** Memory and disk change together. */
  readonly #changes = new SerialQueue()

  constructor(components: MailboxTokensComponents) {
    this.#components = components
  }

  /** The token in force for a mailbox, as far as this node knows. */
  async of(mailbox: DeviceId): Promise<MailboxToken | undefined> {
    const key = byteKey(mailbox)
    if (this.#cache.has(key)) return this.#cache.get(key)
    const token = await this.#read(mailbox)
    // One that was kept meanwhile is newer.
    if (!this.#cache.has(key)) this.#remember(key, token)
    return this.#cache.get(key)
  }

  /** Keeps a verified token if it is newer than the one known; resolves once it is fsynced. */
  keep(mailbox: DeviceId, token: MailboxToken): Promise<void> {
    return this.#changes.run(async () => {
      const known = await this.of(mailbox)
      if (known !== undefined && known.revision >= token.revision) return
      await this.#components.store.setToken(mailbox, encode(mailboxTokenCodec, token))
      this.#remember(byteKey(mailbox), token)
      await this.#promoteHeld(mailbox)
    })
  }

  /** Takes the mailboxes that got deliveries with a proof while no token was known here. */
  takeMissing(isWanted: (mailbox: DeviceId) => boolean): DeviceId[] {
    const taken = [...this.#missing.values()].filter(isWanted)
    for (const mailbox of taken) this.#missing.delete(byteKey(mailbox))
    return taken
  }

  /** A token is wanted: a delivery was judged without it, or a replica that was asked for it could not answer. */
  noteMissing(mailbox: DeviceId): void {
    if (this.#missing.size < MAX_MISSING) this.#missing.set(byteKey(mailbox), mailbox)
  }

  /** Lets go of a token that other nodes have taken over. */
  forget(mailbox: DeviceId): Promise<void> {
    return this.#changes.run(async () => {
      await this.#components.store.setToken(mailbox, undefined)
      // A read that began before must not bring it back.
      this.#remember(byteKey(mailbox), undefined)
    })
  }

  /** Judges deliveries, in their order. Where no token is known nothing can be proven, and nothing is wrong. */
  judge(deliveries: BatchDelivery[]): Promise<Judgement[]> {
    return Promise.all(deliveries.map(item => this.#judgeOne(item)))
  }

  /** Judges again what came before the token did. */
  async #promoteHeld(mailbox: DeviceId): Promise<void> {
    const { store } = this.#components
    for (let after = 0; ;) {
      const page = await store.pendingAfter(mailbox, after, PAGE)
      if (page.length === 0) return
      after = page.at(-1)!.sequence
      const judged = await this.judge(page.map(({ delivery }) => ({ mailbox, delivery })))
      const proven = page.filter((_, index) => judged[index]!.countsAs === 'contact')
      if (proven.length > 0)
        await store.promote(
          mailbox,
          proven.map(({ delivery }) => delivery.id)
        )
    }
  }

  async #judgeOne({ mailbox, delivery }: BatchDelivery): Promise<Judgement> {
    const { crypto, network } = this.#components
    const { class: envelopeClass, expiry, payload, proof } = delivery
    const asStranger = { countsAs: 'request', isProofWrong: false } as const
    if (envelopeClass !== 'contact' || proof.length === 0) return asStranger
    const known = await this.of(mailbox)
    if (known === undefined) {
      this.noteMissing(mailbox)
      return asStranger
    }
    const envelopeId = envelopeIdOf(crypto, network, { version: 1, class: envelopeClass, expiry, payload })
    const isProven = isDeliveryProof(crypto, network, known.token, envelopeId, proof)
    return isProven ? { countsAs: 'contact', isProofWrong: false } : { ...asStranger, isProofWrong: true }
  }

  /** The disk flips bits: what does not verify is as unknown as what was never there, and comes again. */
  async #read(mailbox: DeviceId): Promise<MailboxToken | undefined> {
    const { crypto, network, store } = this.#components
    const encoded = await store.token(mailbox)
    if (encoded === undefined) return undefined
    try {
      const token = decode(mailboxTokenCodec, encoded, TOKEN_LIMITS)
      const owner = await verifyMailboxToken(crypto, network, token)
      return owner !== undefined && byteKey(owner) === byteKey(mailbox) ? token : undefined
    } catch {
      return undefined
    }
  }

  #remember(key: string, token: MailboxToken | undefined): void {
    this.#cache.delete(key)
    this.#cache.set(key, token)
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= MAX_CACHED) return
      this.#cache.delete(oldest)
    }
  }
}
