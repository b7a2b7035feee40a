import * as openid from 'openid-client'
import { cutText } from '../../../protocol/graphemes.ts'
import { handleOrNull } from '../../../protocol/identity/linked-account.ts'
import { NodeError } from '../../errors.ts'
import { appleClientSecret } from './apple-secret.ts'
import type { OAuth2Provider, SignInProviderConfig } from './provider-config.ts'

/** Deadline of each call to a provider. */
const PROVIDER_TIMEOUT_S = 10
/** Largest userinfo answer that is read. */
const MAX_USERINFO_BYTES = 64 * 1024
/** Longest id that a provider may give a person. */
const MAX_SUBJECT_LENGTH = 255
/** A name is cut to this many UTF-16 units: it only fills in a form. */
const MAX_NAME_LENGTH = 64

/** What a provider says about the person who signed in. */
export interface ProviderPerson {
  /** The provider's id of the person. */
  subject: string
  /** What the person is called there, for a form that the person fills in; null if the provider does not say. */
  suggestedName: string | null
  /** By what name others find the person there; null where the provider does not say. */
  handle: string | null
}

/** What stays on the node between sending a person away and seeing them again. */
export interface SignInSecrets {
  /** 32 random bytes, base64url: names the attempt. */
  state: string
  /** PKCE code verifier. */
  verifier: string
  /** What an ID token's nonce must be: it is bound to the device's keys. */
  nonce: string
  /** Where the provider sends the person back to. */
  redirectUri: string
}

/** Sends HTTP requests; the demo provider is reached through this node's own loopback listener. */
export type Fetch = openid.CustomFetch

/** One provider, spoken to with the authorization code flow, PKCE, state and (OpenID Connect) nonce. */
export class SignInProvider {
  readonly config: SignInProviderConfig
  readonly #fetch: Fetch | undefined
  #client: Promise<openid.Configuration> | undefined

  constructor(config: SignInProviderConfig, init: { fetch?: Fetch } = {}) {
    this.config = config
    this.#fetch = init.fetch
  }

  /** Where to send the browser. @throws NodeError `unreachable` if the provider's metadata is not available. */
  async authorizationUrl({ state, verifier, nonce, redirectUri }: SignInSecrets): Promise<URL> {
    const client = await this.#configuration()
    return openid.buildAuthorizationUrl(client, {
      redirect_uri: redirectUri,
      scope: this.config.scope,
      state,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(this.config.kind === 'oidc' && { nonce })
    })
  }

  /**
   * Redeems the provider's answer for the person's id and name at that provider. Tokens are dropped on return.
   *
   * @param answer - query of the callback.
   * @throws NodeError `authentication-failed` if the person or the provider refused, or the answer is not ours.
   */
  async person(answer: URLSearchParams, secrets: SignInSecrets): Promise<ProviderPerson> {
    const client = await this.#configuration()
    const callback = new URL(secrets.redirectUri)
    callback.search = answer.toString()
    try {
      const { config } = this
      const tokens = await openid.authorizationCodeGrant(client, callback, {
        pkceCodeVerifier: secrets.verifier,
        expectedState: secrets.state,
        ...(config.kind === 'oidc' && { expectedNonce: secrets.nonce, idTokenExpected: true })
      })
      const { subject, name, handle } =
        config.kind === 'oidc' ? claimed(tokens.claims()) : await fetchPerson(client, config, tokens.access_token)
      if (typeof subject !== 'string' || subject === '' || subject.length > MAX_SUBJECT_LENGTH) {
        throw new NodeError('authentication-failed', `${config.name} did not say who signed in`)
      }
      return {
        subject,
        suggestedName: typeof name === 'string' && name !== '' ? cutText(name.toWellFormed(), MAX_NAME_LENGTH) : null,
        handle: handleOrNull(handle)
      }
    } catch (cause) {
      if (cause instanceof NodeError) throw cause
      throw new NodeError('authentication-failed', `sign-in with ${this.config.name} did not succeed`, { cause })
    }
  }

  /** Discovered at first use, so that a node starts without its providers; a failure is not remembered. */
  #configuration(): Promise<openid.Configuration> {
    this.#client ??= this.#configure().catch(cause => {
      this.#client = undefined
      throw new NodeError('unreachable', `${this.config.name} cannot be reached; try again later`, { cause })
    })
    return this.#client
  }

  async #configure(): Promise<openid.Configuration> {
    const { config } = this
    const authentication = clientAuthentication(config)
    if (config.kind === 'oidc') {
      // The demo provider is asked over loopback, whatever its public name is.
      const insecure = config.demo || config.issuer.startsWith('http:') ? [openid.allowInsecureRequests] : []
      return openid.discovery(new URL(config.issuer), config.clientId, undefined, authentication, {
        execute: [openid.enableNonRepudiationChecks, ...insecure],
        timeout: PROVIDER_TIMEOUT_S,
        ...(this.#fetch && { [openid.customFetch]: this.#fetch })
      })
    }
    const server = {
      issuer: new URL(config.authorizationEndpoint).origin,
      authorization_endpoint: config.authorizationEndpoint,
      token_endpoint: config.tokenEndpoint,
      userinfo_endpoint: config.userinfoEndpoint
    }
    const client = new openid.Configuration(server, config.clientId, undefined, authentication)
    client.timeout = PROVIDER_TIMEOUT_S
    if (config.tokenEndpoint.startsWith('http:')) openid.allowInsecureRequests(client)
    return client
  }
}

const issuerOf = (config: SignInProviderConfig): string => (config.kind === 'oidc' ? config.issuer : '')

function clientAuthentication(config: SignInProviderConfig): openid.ClientAuth {
  const { authentication, clientId, clientSecret } = config
  if (authentication === 'none') return openid.None()
  const { appleKey } = config
  if (appleKey) {
    // A secret of its own for each question, so that none grows old.
    return (_server, _client, body) => {
      body.set('client_id', clientId)
      body.set('client_secret', appleClientSecret(appleKey, { clientId, audience: issuerOf(config), now: Date.now() }))
    }
  }
  if (authentication === 'post') return openid.ClientSecretPost(clientSecret)
  // Not ClientSecretBasic: it form-encodes as RFC 6749 says, which providers such as X do not decode.
  const credentials = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  return (_server, _client, _body, headers) => headers.set('authorization', `Basic ${credentials}`)
}

/** What a provider says, before its types are checked. */
interface Unchecked {
  subject: unknown
  name: unknown
  handle: unknown
}

function claimed(claims: openid.IDToken | undefined): Unchecked {
  const handle = claims?.['preferred_username']
  return { subject: claims?.sub, name: handle ?? claims?.['name'], handle }
}

async function fetchPerson(client: openid.Configuration, config: OAuth2Provider, token: string): Promise<Unchecked> {
  const answer = await openid.fetchProtectedResource(client, token, new URL(config.userinfoEndpoint), 'GET')
  const declared = Number(answer.headers.get('content-length') ?? 0)
  if (!answer.ok || declared > MAX_USERINFO_BYTES) {
    await answer.body?.cancel()
    throw new NodeError('authentication-failed', `${config.name} answered ${answer.status}`)
  }
  const told: unknown = JSON.parse(await readBounded(answer))
  const subject = fieldAt(told, config.subjectPath)
  const name = config.namePath === undefined ? undefined : fieldAt(told, config.namePath)
  return { subject: typeof subject === 'number' ? String(subject) : subject, name, handle: name }
}

/** The value at field names joined by dots; undefined where there is none. */
function fieldAt(told: unknown, path: string): unknown {
  let value = told
  for (const field of path.split('.')) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, field) ? value[field as never] : undefined
  }
  return value
}

async function readBounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.length
    if (size > MAX_USERINFO_BYTES) throw new NodeError('authentication-failed', 'the provider answered too much')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
