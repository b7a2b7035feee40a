import type { PeerApi, PersonLink, SignInProvider } from '../../../peer/peer-api.ts'
import { isWebAddress } from './text-parts.ts'

/** The own links to accounts elsewhere, and the way there and back. */
export class AccountLinks {
  /** Null until they were read. */
  links = $state.raw<PersonLink[] | null>(null)
  providers = $state.raw<SignInProvider[]>([])
  isBusy = $state(false)
  /** Why the last step failed; the provider's own answer, or an error. */
  failure = $state.raw<unknown>(null)
  readonly #api: Pick<PeerApi, 'account' | 'social'>
  readonly #leaveFor: (url: string) => void

  /** @param leaveFor - sends the browser to an address. */
  constructor(api: Pick<PeerApi, 'account' | 'social'>, leaveFor: (url: string) => void) {
    this.#api = api
    this.#leaveFor = leaveFor
  }

  /** Reads the links, and what can be linked. Never rejects. */
  async load(account: string): Promise<void> {
    const [links, providers] = await Promise.all([
      this.#api.social.links(account).catch(() => null),
      this.#api.account.providers().catch(() => [])
    ])
    this.links = links
    this.providers = providers
  }

  /** Leaves for the provider's page. @param returnTo - path of this app. */
  begin(provider: string, returnTo: string): Promise<void> {
    return this.#do(async () => {
      const url = await this.#api.social.startAccount(provider, returnTo)
      // The address comes from a node: anything but a page, such as a script, is not followed.
      if (!isWebAddress(url)) throw new TypeError('the sign-in address must be http or https')
      this.#leaveFor(url)
      return undefined
    })
  }

  /** Hands in what the provider's page sent back. Nobody else sees the account before the user says so. */
  async finish(code: string | null, error: string | null): Promise<void> {
    if (!code) this.failure = error === 'denied' ? 'denied' : 'failed'
    else await this.#do(() => this.#api.social.finishAccount(code, false))
  }

  show(provider: string, isShown: boolean): Promise<void> {
    return this.#do(() => this.#api.social.showAccount(provider, isShown))
  }

  unlink(link: PersonLink): Promise<void> {
    const { social } = this.#api
    return this.#do(() => (link.kind === 'site' ? social.unlink(link.site) : social.unlinkAccount(link.provider)))
  }

  async #do(step: () => Promise<PersonLink[] | undefined>): Promise<void> {
    if (this.isBusy) return
    this.isBusy = true
    this.failure = null
    try {
      this.links = (await step()) ?? this.links
    } catch (error) {
      this.failure = error
    } finally {
      this.isBusy = false
    }
  }
}
