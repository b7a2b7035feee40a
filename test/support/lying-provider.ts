/** An OpenID provider on loopback that tells whatever lie a test wants. */
import { createHash, createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const CLIENT = { clientId: 'volo', clientSecret: 'a-secret' }

const base64url = (value: object | string | Buffer): string =>
  Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url')

/** A token before it is signed. */
export interface TokenParts {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}

/** What the provider does wrong; undefined where it is honest. */
export interface Lie {
  token?: (parts: TokenParts) => void
  /** Gets the signed token; what it returns is sent. */
  signed?: (token: string, parts: TokenParts, provider: LyingProvider) => unknown
  /** Changes the whole answer of the token endpoint. */
  answer?: (answer: Record<string, unknown>) => unknown
  tokenStatus?: number
  tokenHeaders?: Record<string, string>
  discovery?: (metadata: Record<string, unknown>, provider: LyingProvider) => unknown
  keys?: () => unknown
}

export class LyingProvider {
  lie: Lie = {}
  /** Whether this is the secret of the client. */
  isClient = (secret: string): boolean => secret === CLIENT.clientSecret
  readonly #server: Server
  readonly #codes = new Map<string, { nonce: string; challenge: string }>()
  readonly #key = generateKeyPairSync('rsa', { modulusLength: 2048 })
  /** A key that the provider does not publish. */
  readonly otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<LyingProvider> {
    const server = createServer()
    const provider = new LyingProvider(server)
    server.on('request', (request, response) => void provider.#answer(request, response))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return provider
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The published key, as JSON. */
  get publicKey(): Record<string, unknown> {
    return { ...this.#key.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise(resolve => this.#server.close(() => resolve()))
  }

  /** A person signs in. @param url - where the node sends the browser. @returns the query of the callback. */
  authorize(url: string): URLSearchParams {
    const asked = new URL(url).searchParams
    const code = randomBytes(16).toString('hex')
    this.#codes.set(code, { nonce: asked.get('nonce') ?? '', challenge: asked.get('code_challenge')! })
    return new URLSearchParams({ code, state: asked.get('state')! })
  }

  /** A token under a key of choice, by default the published one. */
  sign({ header, claims }: TokenParts, key: KeyObject = this.#key.privateKey): string {
    const content = `${base64url(header)}.${base64url(claims)}`
    return `${content}.${base64url(createSign('sha256').update(content).sign(key))}`
  }

  /** The header and claims of an honest token. */
  honest(nonce: string): TokenParts {
    const now = Math.floor(Date.now() / 1000)
    return {
      header: { alg: 'RS256', kid: 'one', typ: 'JWT' },
      claims: { iss: this.issuer, sub: 'person-1', aud: CLIENT.clientId, nonce, iat: now, exp: now + 300 }
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, this.issuer)
    const json = (value: unknown, status = 200, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(typeof value === 'string' ? value : JSON.stringify(value))
    }
    if (pathname === '/.well-known/openid-configuration') {
      const metadata = this.#metadata()
      return json(this.lie.discovery?.(metadata, this) ?? metadata)
    }
    if (pathname === '/keys') return json(this.lie.keys?.() ?? { keys: [this.publicKey] })
    if (pathname === '/token') return this.#token(await bodyOf(request), json)
    json({}, 404)
  }

  #metadata(): Record<string, unknown> {
    const { issuer } = this
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      authorization_response_iss_parameter_supported: false
    }
  }

  #token(
    form: URLSearchParams,
    json: (value: unknown, status?: number, headers?: Record<string, string>) => void
  ): void {
    const given = this.#codes.get(form.get('code') ?? '')
    this.#codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (!given || given.challenge !== challenge || !this.isClient(form.get('client_secret') ?? '')) {
      return json({ error: 'invalid_grant' }, 400)
    }
    const { lie } = this
    const parts = this.honest(given.nonce)
    lie.token?.(parts)
    const token = this.sign(parts)
    const answer = {
      access_token: 'access',
      token_type: 'bearer',
      id_token: lie.signed ? lie.signed(token, parts, this) : token
    }
    json(lie.answer?.(answer) ?? answer, lie.tokenStatus ?? 200, lie.tokenHeaders)
  }
}

async function bodyOf(request: IncomingMessage): Promise<URLSearchParams> {
  let body = ''
  for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString()
  return new URLSearchParams(body)
}
