/**
 * Public profiles, own and others': the part that is there from the start. What asks nodes, signs and opens is loaded when it is first
 * needed.
 */
import { toHex } from '../../protocol/bytes.ts'
import { liveDevices } from '../../protocol/directory/account.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import { SIGNED_PROFILE } from './public-profile-book.ts'
import type { ProfileDesk, ProfileDeskComponents } from './profile-desk.ts'

/** Who looks a person up waits for the profile so long, and a stop for a node that is silent. */
const WAIT_MS = 3_000

export class PublicProfiles {
  readonly #components: ProfileDeskComponents
  #desk: Promise<ProfileDesk> | undefined
  #kicking: Promise<void> | undefined
  #ownDevices = ''
  #stopped = false

  constructor(components: ProfileDeskComponents) {
    this.#components = components
  }

  /** Finishes what was asked for, as long as a node answers. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#kicking
    const desk = await this.#desk
    if (desk) await this.#within(desk.stop())
  }

  /** Looks a person's public profile up; waits for it a little. Never rejects: without it the person is shown by their username. */
  async look(account: KnownAccount): Promise<void> {
    if (!this.#stopped) await this.#within(this.#loaded().then(desk => desk.look(account)))
  }

  /** Where a name elsewhere leads to. @throws as a request to a node does. */
  async usernameOf(provider: string, handle: string): ReturnType<ProfileDesk['usernameOf']> {
    return (await this.#loaded()).usernameOf(provider, handle)
  }

  /** There is a connection, or the profile has changed: sees to it that nodes have it. Never rejects. */
  kick(): void {
    if (this.#stopped) return
    const before = this.#kicking
    const kicking = (async () => {
      await before
      // An account that shows nothing, and never did, asks nobody and loads nothing.
      if (await this.#hasWork()) (await this.#loaded()).kick()
    })()
    this.#kicking = kicking.catch((error: unknown) => {
      this.#components.context.log.debug('the public profile was not looked after', { reason: String(error) })
    })
  }

  /** Takes the profile away from nodes, before the account ends. @throws as a request to a node does. */
  async withdraw(): Promise<void> {
    this.#stopped = true
    await this.#kicking
    await (await this.#loaded()).withdraw()
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

  async #hasWork(): Promise<boolean> {
    const { context, details } = this.#components
    const { seenBy, isFoundByHandle } = details().visibility
    return seenBy === 'everybody' || isFoundByHandle || (await context.store.get(SIGNED_PROFILE)) !== undefined
  }

  async #within(work: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>()
    const cancel = this.#components.context.timers.after(WAIT_MS, late.resolve)
    await Promise.race([work, late.promise])
    cancel()
  }

  #loaded(): Promise<ProfileDesk> {
    return (this.#desk ??= import('./profile-desk.ts').then(({ ProfileDesk }) => new ProfileDesk(this.#components)))
  }
}
