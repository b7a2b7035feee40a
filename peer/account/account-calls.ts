import type { Username } from '../../protocol/identity/username.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { usernameOrNothing } from '../directory/names.ts'
import type { EngineContext } from '../engine-context.ts'
import type { ConnectionKeeper } from '../network/connection-keeper.ts'
import type { KnownNetwork } from '../network/known-network.ts'
import { PeerError } from '../errors.ts'
import type {
  AccountApi,
  DeletedAccount,
  Me,
  NameAvailability,
  NewAccount,
  Privacy,
  ProfileChange,
  ProfileVisibility,
  SignInProvider,
  WalletAnswer,
  WalletChallenge
} from '../peer-api.ts'
import type { PersonViews } from '../people/person-views.ts'
import type { AccountDeletion } from './account-deletion.ts'
import type { NameClaim } from './name-claim.ts'
import type { OwnProfile } from './own-profile.ts'
import type { OwnIdentity } from './own-identity.ts'
import type { FinishedSignIn, Registration } from './registration.ts'

export interface AccountCallsComponents {
  context: EngineContext
  network: KnownNetwork
  keeper: ConnectionKeeper
  directory: DirectoryClient
  identity: OwnIdentity
  registration: Registration
  nameClaim: NameClaim
  profile: OwnProfile
  deletion: Pick<AccountDeletion, 'run'>
  people: PersonViews
}

export interface AccountCallsInit {
  /** Called once the account can be used; the registration resolves after it. */
  onRegistered: () => Promise<void>
  /** Called when a screen has something else to show. */
  onChange: () => void
}

/** The calls from the first sign-in to a name of one's own. Those of {@link AccountApi} work before there is an account. */
export class AccountCalls implements AccountApi {
  readonly #components: AccountCallsComponents
  readonly #init: AccountCallsInit
  #signIn: FinishedSignIn | undefined

  constructor(components: AccountCallsComponents, init: AccountCallsInit) {
    this.#components = components
    this.#init = init
  }

  /** A finished sign-in that waits for the choice of a name. */
  get signIn(): FinishedSignIn | undefined {
    return this.#signIn
  }

  /** Reads how far an earlier process came. A sign-in without the keys that it belongs to is of no use. */
  async load(): Promise<void> {
    const { identity, registration } = this.#components
    this.#signIn = identity.hasDevice ? await registration.finishedSignIn() : undefined
  }

  async providers(): Promise<SignInProvider[]> {
    await this.#components.network.require()
    return this.#components.registration.providers()
  }

  async startSignIn(provider: string, returnTo: string): Promise<string> {
    const { network, identity, registration } = this.#components
    this.#refuseIfRegistered()
    await identity.makeDevice((await network.require()).id)
    return registration.startSignIn(provider, returnTo)
  }

  async finishSignIn(code: string): Promise<void> {
    const { network, identity, registration } = this.#components
    this.#refuseIfRegistered()
    await network.require()
    if (!identity.hasDevice) throw new PeerError('sign-in-elsewhere')
    this.#signIn = await registration.finishSignIn(code)
    this.#init.onChange()
  }

  async startWalletSignIn(address: string): Promise<WalletChallenge> {
    const { network, identity, registration } = this.#components
    this.#refuseIfRegistered()
    await identity.makeDevice((await network.require()).id)
    return registration.startWalletSignIn(address)
  }

  async finishWalletSignIn(answer: WalletAnswer): Promise<void> {
    this.#refuseIfRegistered()
    if (!this.#components.identity.hasDevice) throw new PeerError('sign-in-elsewhere')
    await this.finishSignIn(await this.#components.registration.finishWalletSignIn(answer))
  }

  async forgetSignIn(): Promise<void> {
    this.#refuseIfRegistered()
    await this.#components.registration.forgetSignIn()
    this.#signIn = undefined
    this.#init.onChange()
  }

  #refuseIfRegistered(): void {
    if (this.#components.identity.isRegistered) throw new PeerError('already-registered')
  }

  async checkName(username: string): Promise<NameAvailability> {
    const { network, identity, directory } = this.#components
    const name = usernameOrNothing(username)
    if (!name) return 'invalid'
    await network.require()
    // Before there is an account no node answers on the stream.
    return identity.isRegistered ? directory.names.availability(name) : network.availability(name)
  }

  async register(choice: NewAccount): Promise<Me> {
    const { identity, registration, people } = this.#components
    this.#refuseIfRegistered()
    const username = await this.#freeName(choice.username)
    try {
      identity.account = await registration.register({ ...choice, username })
    } finally {
      await this.load()
      this.#init.onChange()
    }
    await this.#init.onRegistered()
    return people.me()
  }

  /** @throws PeerError `invalid-name`, `name-taken`. */
  async #freeName(text: string): Promise<Username> {
    const username = usernameOrNothing(text)
    if (!username) throw new PeerError('invalid-name')
    if ((await this.checkName(username)) === 'taken') throw new PeerError('name-taken', { username })
    return username
  }

  async claimName(username: string): Promise<Me> {
    const { identity, nameClaim, people } = this.#components
    identity.requireRegistered()
    const { username: current, nameState } = people.me()
    if (nameState !== 'none' && nameState !== 'taken') throw new PeerError('name-chosen', { username: current ?? '' })
    await nameClaim.choose(await this.#freeName(username))
    return people.me()
  }

  async releaseName(): Promise<Me> {
    const { identity, nameClaim, profile, people } = this.#components
    identity.requireRegistered()
    await nameClaim.release()
    // Others hear that the name is none of this account's any more.
    await profile.change({})
    return people.me()
  }

  async deleteAccount(options: { anyway: boolean }): Promise<DeletedAccount> {
    const { identity, deletion } = this.#components
    identity.requireRegistered()
    return deletion.run(options)
  }

  async changeProfile(change: ProfileChange): Promise<Me> {
    const { identity, profile, people } = this.#components
    identity.requireRegistered()
    await profile.change(change)
    return people.me()
  }

  async changePrivacy(change: Partial<Privacy>): Promise<Me> {
    const { identity, profile, people } = this.#components
    identity.requireRegistered()
    await profile.changePrivacy(change)
    return people.me()
  }

  async changeVisibility(change: Partial<ProfileVisibility>): Promise<Me> {
    const { identity, profile, people } = this.#components
    identity.requireRegistered()
    await profile.changeVisibility(change)
    return people.me()
  }

  async setFirstWord(word: string | null): Promise<Me> {
    const { identity, profile, people } = this.#components
    identity.requireRegistered()
    await profile.setFirstWord(word)
    return people.me()
  }

  /** Asks for the own record again, at most for `ms`. For the command line. */
  async refresh(ms: number): Promise<void> {
    const { timers } = this.#components.context
    const done = Promise.withResolvers<void>()
    const cancel = timers.after(ms, done.resolve)
    await Promise.race([this.#refresh(ms).catch(() => undefined), done.promise])
    cancel()
  }

  async #refresh(ms: number): Promise<void> {
    const { keeper, directory, nameClaim, identity } = this.#components
    if (!identity.isRegistered || !(await keeper.isOnlineWithin(ms))) return
    await directory.refresh(identity.account.accountId)
    await nameClaim.settle()
  }

  /** Waits until the name was told to the network, at most `ms`. @returns whether others can find it. */
  settleName(ms: number): Promise<boolean> {
    return this.#components.nameClaim.handedIn(ms)
  }
}
