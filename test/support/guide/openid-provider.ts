/** An OpenID provider of somebody else: the package oidc-provider on a port of its own, with its own keys and sessions. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Provider, type KoaContextWithOIDC } from 'oidc-provider'
import { exportJwk } from '../../../node/accounts/demo-sign-in/signing-key.ts'

const CLIENT_ID = 'volo-guide'
const CLIENT_SECRET = 'a-secret-of-the-guide-test'

/** What an operator is given when they register their node at the provider. */
export interface RegisteredClient {
  clientId: string
  clientSecret: string
}

export class OpenIdProvider {
  readonly client: RegisteredClient = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /**
   * @param issuer - https origin under which browsers and nodes see it; a proxy passes it on to `port`.
   * @param redirects - callbacks of the nodes that are its clients.
   */
  static async start(issuer: string, port: number, redirects: string[]): Promise<OpenIdProvider> {
    const provider = new Provider(issuer, {
      jwks: { keys: [await exportJwk()] },
      cookies: { keys: ['cookies of the guide test'] },
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: redirects,
          grant_types: ['authorization_code'],
          response_types: ['code'],
          token_endpoint_auth_method: 'client_secret_post',
          id_token_signed_response_alg: 'ES256'
        }
      ],
      enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
      clientAuthMethods: ['client_secret_post'],
      responseTypes: ['code'],
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      loadExistingGrant: consent,
      ttl: { Interaction: 600, Session: 600, Grant: 600, AuthorizationCode: 60, AccessToken: 60, IdToken: 60 }
    })
    // TLS ends at the proxy in front.
    provider.proxy = true
    const pages = provider.callback()
    const server = createServer((request, response) => {
      const answer = request.url!.startsWith('/interaction/')
        ? interact(provider, request, response)
        : pages(request, response)
      answer.catch(() => response.destroy())
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return new OpenIdProvider(server)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}

/** Its only page: a form that asks who is there, and believes the answer. */
async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST') {
    const accountId = new URLSearchParams(await text(request)).get('login') ?? ''
    return provider.interactionFinished(request, response, { login: { accountId, remember: false } })
  }
  response.setHeader('content-type', 'text/html')
  response.end(`<form method="post" action="${request.url!}"><input name="login"></form>`)
}

/** Signing in is the consent. */
async function consent(context: KoaContextWithOIDC): Promise<InstanceType<Provider['Grant']>> {
  const { client, session, provider } = context.oidc
  const grant = new provider.Grant({ clientId: client!.clientId, accountId: session!.accountId! })
  grant.addOIDCScope('openid profile')
  await grant.save()
  return grant
}
