import { createHash } from 'node:crypto'
import { equalBytes } from '../../../protocol/bytes.ts'
import type { Clock, Random } from '../../../protocol/crypto/crypto.ts'
import type { DevicePublicKeys } from '../../../protocol/identity/device.ts'
import { NodeError } from '../../errors.ts'
import { OneTimeStore } from './one-time-store.ts'
import type { Logger } from '../../ports.ts'
import { addressKey } from '../../limits/address-key.ts'
import type { SignInProvider, SignInSecrets } from './sign-in-provider.ts'

/** Time to sign in at the provider. */
export const SIGN_IN_TTL_MS = 10 * 60 * 1000
/** Time to come back with the one-time code, choose a name and register. A code is of use to one device only. */
export const CODE_TTL_MS = 10 * 60 * 1000
const MAX_SIGN_INS = 50_000
const MAX_SIGN_INS_PER_ADDRESS = 1_000

/** Name under which sign-ins with a Cardano wallet are attested and limited. */
export const WALLET_PROVIDER = 'cardano'

/** Who signed in, as the provider names them. Never stored, never passed on. */
export interface SocialIdentity {
  /** Id of the provider. */
  provider: string
  /** The provider's id of the person. */
  subject: string
}

interface SignIn extends SignInSecrets {
  provider: SignInProvider
  keys: DevicePublicKeys
  returnTo: string
  binding: string | null
  /** Whose share of the stores it takes: a client's address or network. */
  owner: string
}

interface Code extends SocialIdentity {
  keys: DevicePublicKeys
  /** What the person is called at the provider, for the form that asks for a name; null where it does not say. */
  suggestedName: string | null
  /** By what name others find the person there; null where it does not say. */
  handle: string | null
  binding: string | null
}

/** What {@link SignInService.start} is told. */
export interface SignInRequest {
  provider: string
  /** Keys of the device that signs in; only it can use the result. */
  keys: DevicePublicKeys
  /** Checked by the route: the app, or a loopback address. */
  returnTo: string
  /**
   * Lower-case hex of the SHA-256 of a secret of the device, for a link to an account that exists; null for a registration. Keys of
   * such an account are public: without the secret anybody could begin a sign-in for it, and send its owner the code.
   */
  binding?: string | null
  /** Origin under which the browser sees this node. */
  origin: string
  /** The client's address, to bound what one may have open. */
  address: string
}

interface SignInComponents {
  providers: SignInProvider[]
  clock: Clock
  random: Random
  logger: Logger
}

interface SignInServiceInit {
  /** Whether people may sign in with a Cardano wallet, see `wallet/wallet-sign-in.ts`. Default false. */
  wallet?: boolean
  /** Binds a sign-in to a device: what an ID token's nonce must be. */
  nonceOf(keys: DevicePublicKeys, salt: Uint8Array): string
}

/**
 * Sends people to a provider and back. What comes out is a one-time code that only the device which started can redeem,
 * so neither a stolen code nor a link that signs the victim in for the attacker is of use.
 */
export class SignInService {
  readonly #providers: Map<string, SignInProvider>
  readonly #random: Random
  readonly #log: Logger
  readonly #init: SignInServiceInit
  readonly #signIns: OneTimeStore<SignIn>
  readonly #codes: OneTimeStore<Code>

  constructor(components: SignInComponents, init: SignInServiceInit) {
    this.#providers = new Map(components.providers.map(provider => [provider.config.id, provider]))
    this.#random = components.random
    this.#log = components.logger.forComponent('volo:sign-in')
    this.#init = init
    const bounds = { maxEntries: MAX_SIGN_INS, maxPerOwner: MAX_SIGN_INS_PER_ADDRESS }
    this.#signIns = new OneTimeStore(components, { ttlMs: SIGN_IN_TTL_MS, ...bounds })
    this.#codes = new OneTimeStore(components, { ttlMs: CODE_TTL_MS, ...bounds })
  }

  /** What people can sign in with. */
  providers(): { id: string; name: string; kind: 'oidc' | 'oauth2' | 'wallet'; demo: boolean }[] {
    const providers = [...this.#providers.values()]
    return [
      ...providers.map(({ config: { id, name, kind, demo } }) => ({ id, name, kind, demo })),
      ...(this.#init.wallet
        ? [{ id: WALLET_PROVIDER, name: 'Cardano wallet', kind: 'wallet' as const, demo: false }]
        : [])
    ]
  }

  /** Takes a person who signed in without a provider's page. @returns a one-time code for the device. */
  accept(identity: SocialIdentity, keys: DevicePublicKeys, address: string): string {
    const code = this.#randomText()
    this.#codes.put(
      hashOf(code),
      { ...identity, suggestedName: null, handle: null, binding: null, keys },
      addressKey(address)
    )
    return code
  }

  /** @returns where to send the browser. @throws NodeError `unknown-provider`, or `provider-unreachable` if it does not answer. */
  async start({ provider: id, keys, returnTo, binding = null, origin, address }: SignInRequest): Promise<string> {
    const provider = this.#providers.get(id)
    if (provider === undefined) throw new NodeError('unknown-provider', 'This node does not offer that sign-in.')
    const secrets: SignInSecrets = {
      state: this.#randomText(),
      verifier: this.#randomText(),
      nonce: this.#init.nonceOf(keys, this.#random(32)),
      redirectUri: `${origin}/v1/auth/${id}/callback`
    }
    try {
      const url = await provider.authorizationUrl(secrets)
      // The demo provider is this very node: the browser stays on the origin that holds its data.
      const target = provider.config.demo ? `${origin}${url.pathname}${url.search}` : url.href
      const owner = addressKey(address)
      this.#signIns.put(secrets.state, { ...secrets, provider, keys, returnTo, binding, owner }, owner)
      return target
    } catch (cause) {
      this.#log.warn('a sign-in could not start', { provider: id, error: cause })
      throw new NodeError('provider-unreachable', `${provider.config.name} does not answer; try again later.`, {
        cause
      })
    }
  }

  /**
   * Takes the provider's answer. @returns where to send the browser: `returnTo` with a one-time code or an error in its
   * fragment, which no server gets to see.
   * @throws NodeError `unknown-sign-in` for one that was not started here, is too old, or was answered before.
   */
  async finish(providerId: string, answer: URLSearchParams): Promise<string> {
    const signIn = this.#signIns.redeem(answer.get('state') ?? '')
    if (signIn === undefined || signIn.provider.config.id !== providerId) {
      throw new NodeError('unknown-sign-in', 'This sign-in has ended or is too old; please start again.')
    }
    const { provider, keys, returnTo, binding, owner } = signIn
    try {
      const { subject, suggestedName, handle } = await provider.person(answer, signIn)
      const code = this.#randomText()
      this.#codes.put(hashOf(code), { provider: providerId, subject, suggestedName, handle, binding, keys }, owner)
      return `${returnTo}#/signed-in?code=${code}`
    } catch (error) {
      const denied = answer.get('error') === 'access_denied'
      if (!denied) this.#log.warn('a sign-in failed', { provider: providerId, error })
      const unreachable = error instanceof NodeError && error.code === 'unreachable'
      return `${returnTo}#/signed-in?error=${denied ? 'denied' : unreachable ? 'provider-unreachable' : 'sign-in-failed'}`
    }
  }

  /**
   * Who is behind a one-time code, without using it up.
   * @throws NodeError `bad-code` for one that is unknown, used, older than {@link CODE_TTL_MS}, or another device's. The last
   * leaves the code as it is: who stole it must not be able to spoil it either.
   */
  check(code: string, keys: DevicePublicKeys): SocialIdentity {
    const { provider, subject } = this.#codeOf(code, keys)
    return { provider, subject }
  }

  /** The name that the provider has for the person behind a code; null if it did not say. @throws as {@link check}. */
  suggestedName(code: string, keys: DevicePublicKeys): string | null {
    return this.#codeOf(code, keys).suggestedName
  }

  #codeOf(code: string, keys: DevicePublicKeys): Code {
    const found = this.#codes.peek(hashOf(code))
    if (
      found === undefined ||
      !equalBytes(found.keys.signingKey, keys.signingKey) ||
      !equalBytes(found.keys.messagingKeyHash, keys.messagingKeyHash)
    ) {
      throw badCode()
    }
    return found
  }

  /** Uses up a one-time code. @throws as {@link check}. */
  redeem(code: string, keys: DevicePublicKeys): SocialIdentity {
    const identity = this.check(code, keys)
    this.#codes.redeem(hashOf(code))
    return identity
  }

  /**
   * Uses up the code of a sign-in that was begun for a link.
   * @param secret - whose hash the sign-in began with.
   * @returns the provider, and by what name others find the person there.
   * @throws as {@link check}; also for another secret, which leaves the code as it is.
   */
  redeemForLink(code: string, keys: DevicePublicKeys, secret: Uint8Array): { provider: string; handle: string | null } {
    const { provider, handle, binding } = this.#codeOf(code, keys)
    if (binding === null || binding !== createHash('sha256').update(secret).digest('hex')) throw badCode()
    this.#codes.redeem(hashOf(code))
    return { provider, handle }
  }

  #randomText(): string {
    return Buffer.from(this.#random(32)).toString('base64url')
  }
}

const badCode = (): NodeError =>
  new NodeError('bad-code', 'The sign-in code is not valid for this device any more; please sign in again.')

/** Looked up by hash, so that the time taken tells nothing about the codes that are held. */
function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}
