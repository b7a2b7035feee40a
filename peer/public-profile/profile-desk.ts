/** Looks public profiles up, and keeps the own one at nodes. Loaded when there is something of this to do. */
import { toHex } from '../../protocol/bytes.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import type { EngineContext } from '../engine-context.ts'
import type { NodeConnection } from '../network/node-connection.ts'
import type { OwnDetails } from '../sending/profile.ts'
import type { OwnAccount } from '../store/own-account.ts'
import type { PublicProfileBook } from './public-profile-book.ts'
import { PublicProfilePublisher } from './public-profile-publisher.ts'
import { PublicProfileReader } from './public-profile-reader.ts'

/** A public profile that was just looked up is not asked for again. */
const FRESH_MS = 10_000
const FIRST_RETRY_MS = 2_000
const MAX_RETRIES = 6
const MAX_REMEMBERED = 500

export interface ProfileDeskComponents {
  context: EngineContext
  directory: DirectoryClient
  /** @throws PeerError `offline`. */
  connection: () => NodeConnection
  account: () => OwnAccount
  details: () => OwnDetails
  book: PublicProfileBook
}

export class ProfileDesk {
  readonly #context: EngineContext
  readonly #reader: PublicProfileReader
  readonly #publisher: PublicProfilePublisher
  /** By account, on the monotonic clock. */
  readonly #lookedAt = new Map<string, number>()
  #publishing: Promise<void> | undefined
  #isAgain = false
  #stopped = false
  #cancelRetry: (() => void) | undefined

  constructor(components: ProfileDeskComponents) {
    this.#context = components.context
    this.#reader = new PublicProfileReader(components)
    this.#publisher = new PublicProfilePublisher({ ...components, reader: this.#reader })
  }

  /** Resolves once what was asked for was tried. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelRetry?.()
    await this.#publishing
  }

  /** Never rejects. */
  async look(account: KnownAccount): Promise<void> {
    const key = toHex(account.accountId)
    const now = this.#context.timers.monotonic()
    if (now - (this.#lookedAt.get(key) ?? -Infinity) < FRESH_MS) return
    if (this.#lookedAt.size >= MAX_REMEMBERED) this.#lookedAt.clear()
    this.#lookedAt.set(key, now)
    await this.#reader.look(account).catch((error: unknown) => {
      this.#lookedAt.delete(key)
      this.#context.log.debug('a public profile was not looked up', { reason: String(error) })
    })
  }

  /** As {@link PublicProfileReader.accountOf}. */
  usernameOf(provider: string, handle: string): ReturnType<PublicProfileReader['accountOf']> {
    return this.#reader.accountOf({ provider, handle })
  }

  kick(): void {
    if (this.#stopped) return
    this.#isAgain = true
    this.#publishing ??= this.#publishAll(0).finally(() => (this.#publishing = undefined))
  }

  /** Shows nothing any more. Where that fails the account may go on, and its profile with it. */
  async withdraw(): Promise<void> {
    await this.stop()
    try {
      await this.#publisher.publish({ withdraw: true })
    } catch (error) {
      this.#stopped = false
      throw error
    }
  }

  async #publishAll(retries: number): Promise<void> {
    this.#cancelRetry?.()
    while (this.#isAgain) {
      this.#isAgain = false
      try {
        await this.#publisher.publish()
      } catch (error) {
        this.#context.log.debug('the public profile was not handed in', { reason: String(error) })
        return this.#retry(retries)
      }
    }
  }

  /** A node that does not know this device yet knows it soon. Without a connection the next one tries again. */
  #retry(retries: number): void {
    if (retries >= MAX_RETRIES || this.#stopped) return
    this.#cancelRetry = this.#context.timers.after(FIRST_RETRY_MS * 2 ** retries, () => {
      if (this.#stopped || this.#publishing) return
      this.#isAgain = true
      this.#publishing = this.#publishAll(retries + 1).finally(() => (this.#publishing = undefined))
    })
  }
}
