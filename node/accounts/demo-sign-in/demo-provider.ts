import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Provider, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import { exportJwk } from './signing-key.ts'
import type { OidcProvider } from '../sign-in/provider-config.ts'
import { BoundedStorage } from './bounded-adapter.ts'
import { problemPage } from './pages.ts'

/** Where the demo provider lives on every node's origin. */
export const DEMO_PATH = '/demo-sign-in'
/** Id of the demo provider in the table of providers. */
export const DEMO_PROVIDER_ID = 'demo'

const CALLBACK_PATH = `/v1/auth/${DEMO_PROVIDER_ID}/callback`
const INTERACTION_TTL_S = 600
const CODE_TTL_S = 60
const TOKEN_TTL_S = 60

/**
 * An OpenID provider inside the node, for trying Volo and for tests: it believes every visitor. The node talks
 * to it as to any other, with discovery, codes and signed ID tokens.
 */
export class DemoProvider {
  /** How the node reaches it: one more row in the table of providers. */
  readonly config: OidcProvider
  readonly #provider: Provider
  readonly #handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>

  private constructor(config: OidcProvider, provider: Provider) {
    this.config = config
    this.#provider = provider
    this.#handle = provider.callback()
  }

  /**
   * Makes a provider with new keys; nothing of it outlives the process.
   * @param origin - of this node, as its ID tokens name it, such as `http://127.0.0.1:8787`.
   */
  static async create(origin: string): Promise<DemoProvider> {
    const config: OidcProvider = {
      kind: 'oidc',
      id: DEMO_PROVIDER_ID,
      name: 'Demo sign-in',
      issuer: `${origin}${DEMO_PATH}`,
      clientId: 'volo-node',
      clientSecret: randomBytes(32).toString('base64url'),
      authentication: 'post',
      scope: 'openid',
      demo: true
    }
    const provider = new Provider(config.issuer, await configurationOf(config, `${origin}${CALLBACK_PATH}`))
    // It is told by `handle` where the browser sees this node, in the headers that proxies use.
    provider.proxy = true
    allowOwnCallbacks(provider)
    return new DemoProvider(config, provider)
  }

  /**
   * Answers everything below {@link DEMO_PATH} but the pages. The request's body must not have been read.
   * @param origin - under which the browser sees this node.
   */
  async handle(request: IncomingMessage, response: ServerResponse, origin: string): Promise<void> {
    const { host, protocol } = new URL(origin)
    request.headers['x-forwarded-host'] = host
    request.headers['x-forwarded-proto'] = protocol.slice(0, -1)
    // oidc-provider finds the path it is mounted at by comparing the two.
    const mounted = request as IncomingMessage & { originalUrl?: string }
    mounted.originalUrl = request.url!
    forgetSession(request)
    mounted.url = request.url!.slice(DEMO_PATH.length) || '/'
    await this.#handle(mounted, response)
  }

  /** Whether the browser that asks is in the middle of this sign-in. */
  async isUnderWay(request: IncomingMessage, response: ServerResponse, uid: string): Promise<boolean> {
    const details = await this.#provider.interactionDetails(request, response).catch(() => undefined)
    return details?.uid === uid
  }

  /** Ends the question with an answer. @returns where the browser goes on. */
  finish(request: IncomingMessage, response: ServerResponse, login: string): Promise<string> {
    return this.#provider.interactionResult(request, response, { login: { accountId: login, remember: false } })
  }
}

/**
 * Each sign-in is a new visitor: otherwise the second person at this browser would have to sign the first one out, by a
 * page that needs a script.
 */
function forgetSession(request: IncomingMessage): void {
  const cookies = request.headers.cookie?.split(';') ?? []
  request.headers.cookie = cookies.filter(cookie => !cookie.trim().startsWith('_session')).join(';')
}

async function configurationOf(config: OidcProvider, callback: string): Promise<Configuration> {
  const storage = new BoundedStorage()
  return {
    adapter: kind => storage.adapter(kind),
    jwks: { keys: [await exportJwk()] },
    cookies: { keys: [randomBytes(32).toString('base64url')], short: { path: '/', sameSite: 'lax' } },
    clients: [
      {
        client_id: config.clientId,
        client_secret: config.clientSecret!,
        redirect_uris: [callback],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_post',
        id_token_signed_response_alg: 'ES256'
      }
    ],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    clientAuthMethods: ['client_secret_post'],
    responseTypes: ['code'],
    scopes: ['openid'],
    claims: { openid: ['sub', 'preferred_username'] },
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false }
    },
    interactions: { url: (_context, interaction) => `${DEMO_PATH}/interaction/${interaction.uid}` },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: subjectOf(id), preferred_username: id }) }),
    // Signing in is the consent: there is nothing to share but the name that was typed.
    loadExistingGrant: grantOpenid,
    renderError: (context, out) => {
      context.type = 'html'
      context.body = problemPage(out.error_description ?? 'Please go back to Volo and start again.')
    },
    ttl: {
      Interaction: INTERACTION_TTL_S,
      Session: INTERACTION_TTL_S,
      Grant: INTERACTION_TTL_S,
      AuthorizationCode: CODE_TTL_S,
      AccessToken: TOKEN_TTL_S,
      IdToken: TOKEN_TTL_S
    }
  }
}

/** Ids of real providers are opaque; a hash keeps anybody from relying on the name inside. */
function subjectOf(login: string): string {
  return createHash('sha256').update(`demo-sign-in\0${login}`).digest('hex')
}

async function grantOpenid(context: KoaContextWithOIDC): Promise<InstanceType<Provider['Grant']>> {
  const { client, session, provider } = context.oidc
  const grant = new provider.Grant({ clientId: client!.clientId, accountId: session!.accountId! })
  grant.addOIDCScope('openid')
  await grant.save()
  return grant
}

/** The callback is on the origin that the browser is on: one machine has several names, a container another port. */
function allowOwnCallbacks(provider: Provider): void {
  Object.assign(provider.Client.prototype, {
    redirectUriAllowed(uri: string): boolean {
      const request = Provider.ctx
      return request !== undefined && uri === `${request.protocol}://${request.host}${CALLBACK_PATH}`
    }
  })
}
