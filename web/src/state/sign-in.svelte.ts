import { PeerError } from '../../../peer/errors.ts'
import type { PeerApi, SignInProvider } from '../../../peer/peer-api.ts'
import { isDeclined, type BrowserWallet } from './browser-wallets.ts'
import { isWebAddress } from './text-parts.ts'

/** What signing in waits for, or what went wrong. */
export type SignInState = 'idle' | 'opening' | 'finishing' | 'unreachable' | 'failed' | 'cancelled'

/**
 * Signing in with a provider: leave for its page, come back with a one-time code. Whatever comes back, the person can begin
 * again: nothing here is stored, and a code counts only once the peer has taken it.
 */
export class SignIn {
  /** Null until a node has answered. */
  providers = $state.raw<SignInProvider[] | null>(null)
  state = $state<SignInState>('idle')
  /** Why handing in the code failed, null if the provider's page said so itself. */
  failure = $state.raw<unknown>(null)
  /** A code that could not be handed in yet because the network was not reached. */
  #waitingCode: string | null = null
  readonly #api: PeerApi
  readonly #leaveFor: (url: string) => void

  /** @param leaveFor - sends the browser to an address. */
  constructor(api: PeerApi, leaveFor: (url: string) => void) {
    this.#api = api
    this.#leaveFor = leaveFor
  }

  /** Repeats the step for which the network was not reached. */
  async tryAgain(): Promise<void> {
    const code = this.#waitingCode
    if (code !== null) await this.finish(code, null)
    else await this.loadProviders()
  }

  /** Shows on the first screen why a later step refused the sign-in. */
  refused(failure: unknown): void {
    this.failure = failure
    this.state = 'failed'
  }

  /** Back to the first screen, to sign in another way. */
  async useAnother(): Promise<void> {
    this.#waitingCode = null
    this.failure = null
    this.state = 'idle'
    await this.#api.account.forgetSignIn()
  }

  async loadProviders(): Promise<void> {
    if (this.state === 'unreachable') this.state = 'idle'
    try {
      this.providers = await this.#api.account.providers()
    } catch {
      this.state = 'unreachable'
    }
  }

  /** Leaves for the provider's page. @param returnTo - path of this app. */
  async begin(provider: string, returnTo: string): Promise<void> {
    this.state = 'opening'
    this.#waitingCode = null
    try {
      const url = await this.#api.account.startSignIn(provider, returnTo)
      // The address comes from a node: anything but a page, such as a script, is not followed.
      if (!isWebAddress(url)) throw new TypeError('the sign-in address must be http or https')
      this.#leaveFor(url)
    } catch (error) {
      console.error(error)
      this.state = 'unreachable'
    }
  }

  /** Signs in with a wallet of this browser, which asks the person twice: to be seen, and to sign. */
  async beginWallet(wallet: BrowserWallet): Promise<void> {
    this.state = 'opening'
    this.failure = null
    this.#waitingCode = null
    try {
      const { address, sign } = await wallet.open()
      const { nonce, payload } = await this.#api.account.startWalletSignIn(address)
      const signed = await sign(payload)
      this.state = 'finishing'
      await this.#api.account.finishWalletSignIn({ nonce, ...signed })
      this.state = 'idle'
    } catch (error) {
      if (isDeclined(error)) this.state = 'cancelled'
      else if (error instanceof PeerError) this.refused(error)
      else {
        console.error(error)
        this.state = 'failed'
      }
    }
  }

  /** The person came back from the provider's page by the browser's own way: the page is as it was left. */
  cameBack(): void {
    if (this.state === 'opening') this.state = 'idle'
  }

  /** Hands in what the provider's page sent back. */
  async finish(code: string | null, error: string | null): Promise<void> {
    if (!code) {
      this.state = error === 'denied' ? 'cancelled' : 'failed'
      return
    }
    this.state = 'finishing'
    this.failure = null
    this.#waitingCode = null
    try {
      await this.#api.account.finishSignIn(code)
      this.state = 'idle'
    } catch (failure) {
      if (failure instanceof PeerError && failure.code === 'offline') {
        this.#waitingCode = code
        this.state = 'unreachable'
      } else this.refused(failure)
    }
  }
}
