/**
 * Public profiles, own and others': the part that is there from the start. What asks nodes, signs and opens is loaded when it is first
 * needed.
 */
import { toHex } from '../../protocol/bytes.ts'
import { liveDevices } from '../../protocol/directory/account.ts'
import type { EngineContext } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import type { NodeConnection } from '../network/node-connection.ts'
import type { OwnDetails } from '../sending/profile.ts'
import type { OwnAccount } from '../store/own-account.ts'
import { SIGNED_PROFILE, type PublicProfileBook } from './public-profile-book.ts'

/** Who looks a person up waits for the profile so long; it is shown later if it takes longer. */
const LOOK_WAIT_MS = 3_000
/** A public profile that was just looked up is not asked for again. */
const FRESH_MS = 10_000
const FIRST_RETRY_MS = 2_000
/** A stop waits so long for a node that is silent. */
const STOP_WAIT_MS = 3_000
const MAX_RETRIES = 6
const MAX_REMEMBERED = 500

export interface PublicProfilesComponents {
  context: EngineContext
  directory: DirectoryClient
  /** @throws PeerError `offline`. */
  connection: () => NodeConnection
  account: () => OwnAccount
  details: () => OwnDetails
  book: PublicProfileBook
}

export class PublicProfiles {
  readonly #components: PublicProfilesComponents
  /** By account, on the monotonic clock. */
  readonly #lookedAt = new Map<string, number>()
  #publishing: Promise<void> | undefined
  #isAgain = false
  #ownDevices = ''
  #stopped = false
  #cancelRetry: (() => void) | undefined

  constructor(components: PublicProfilesComponents) {
    this.#components = components
  }

  /** Finishes what was asked for, as long as a node answers. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelRetry?.()
    if (this.#publishing) await this.#within(STOP_WAIT_MS, this.#publishing)
  }

  /** Looks a person's public profile up; waits for it a little. Never rejects: without it the person is shown by their username. */
  async look(account: KnownAccount): Promise<void> {
    const { context } = this.#components
    const { timers } = context
    const key = toHex(account.accountId)
    const now = timers.monotonic()
    if (now - (this.#lookedAt.get(key) ?? -Infinity) < FRESH_MS || this.#stopped) return
    if (this.#lookedAt.size >= MAX_REMEMBERED) this.#lookedAt.clear()
    this.#lookedAt.set(key, now)
    const looking = this.#reader()
      .then(reader => reader.look(account))
      .catch((error: unknown) => {
        this.#lookedAt.delete(key)
        context.log.debug('a public profile was not looked up', { reason: String(error) })
      })
    await this.#within(LOOK_WAIT_MS, looking)
  }

  /** The username of the account that wants to be found by a name elsewhere. @throws as a request to a node does. */
  async usernameOf(
    provider: string,
    handle: string
  ): ReturnType<InstanceType<typeof import('./public-profile-reader.ts').PublicProfileReader>['accountOf']> {
    return (await this.#reader()).accountOf({ provider, handle })
  }

  /** There is a connection, or the profile has changed: sees to it that nodes have it. Never rejects. */
  kick(): void {
    if (this.#stopped) return
    this.#isAgain = true
    this.#publishing ??= this.#publishAll().finally(() => (this.#publishing = undefined))
  }

  /** Takes the profile away from nodes, before the account ends. @throws as a request to a node does. */
  async withdraw(): Promise<void> {
    this.#stopped = true
    await this.#publishing
    await (await this.#publisher()).publish({ withdraw: true })
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>()
    const cancel = this.#components.context.timers.after(ms, late.resolve)
    await Promise.race([work, late.promise])
    cancel()
  }

  /** The own record has changed: a profile that a removed device has signed counts no longer, so this one signs it. */
  ownRecordChanged(own: KnownAccount): void {
    const devices = liveDevices(own.current)
      .map(({ deviceId }) => toHex(deviceId))
      .join()
    if (devices === this.#ownDevices) return
    this.#ownDevices = devices
    this.kick()
  }

  async #publishAll(retries = 0): Promise<void> {
    const { context } = this.#components
    this.#cancelRetry?.()
    while (this.#isAgain) {
      this.#isAgain = false
      try {
        if (!(await this.#hasWork())) continue
        await (await this.#publisher()).publish()
      } catch (error) {
        context.log.debug('the public profile was not handed in', { reason: String(error) })
        this.#retry(retries)
        return
      }
    }
  }

  /** Whether the owner shows anything, or has. An account that never did asks nobody. */
  async #hasWork(): Promise<boolean> {
    const { context, details } = this.#components
    const { seenBy, isFoundByHandle } = details().visibility
    return seenBy === 'everybody' || isFoundByHandle || (await context.store.get(SIGNED_PROFILE)) !== undefined
  }

  /** A node that does not know this device yet knows it soon. Without a connection the next one tries again. */
  #retry(retries: number): void {
    if (retries >= MAX_RETRIES || this.#stopped) return
    this.#cancelRetry = this.#components.context.timers.after(FIRST_RETRY_MS * 2 ** retries, () => {
      if (this.#stopped || this.#publishing) return
      this.#isAgain = true
      this.#publishing = this.#publishAll(retries + 1).finally(() => (this.#publishing = undefined))
    })
  }

  async #reader() {
    const { PublicProfileReader } = await import('./public-profile-reader.ts')
    return (this.#loaded ??= new PublicProfileReader(this.#components))
  }

  #loaded: InstanceType<typeof import('./public-profile-reader.ts').PublicProfileReader> | undefined

  async #publisher() {
    const { PublicProfilePublisher } = await import('./public-profile-publisher.ts')
    return new PublicProfilePublisher({ ...this.#components, reader: await this.#reader() })
  }
}
