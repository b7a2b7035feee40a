import { createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { OidcProvider } from '../../../../../node/accounts/sign-in/provider-config.ts'
import { SignInProvider } from '../../../../../node/accounts/sign-in/sign-in-provider.ts'
import { CODE_TTL_MS, SIGN_IN_TTL_MS, SignInService } from '../../../../../node/accounts/sign-in/sign-in-service.ts'
import { createNodeCrypto } from '../../../../../protocol/crypto/backends/node-crypto.ts'
import type { DevicePublicKeys } from '../../../../../protocol/identity/device.ts'
import { signInNonce } from '../../../../../protocol/identity/sign-in-binding.ts'
import type { NetworkId } from '../../../../../protocol/network.ts'
import { CLIENT, LyingProvider, type Lie, type TokenParts } from '../../../../support/lying-provider.ts'
import { silentLogger } from '../../../../support/silent-logger.ts'

const crypto = createNodeCrypto()
const network = new Uint8Array(32).fill(1) as NetworkId
const keysOf = (fill: number): DevicePublicKeys => ({
  signingKey: new Uint8Array(32).fill(fill),
  messagingKeyHash: new Uint8Array(32).fill(fill)
})
const ADA = keysOf(1)
const MALLORY = keysOf(2)
const ORIGIN = 'https://node.example'
const MINUTE_S = 60

let provider: LyingProvider
let other: LyingProvider
let service: SignInService
let clock: number

beforeAll(async () => {
  provider = await LyingProvider.start()
  other = await LyingProvider.start()
})
afterAll(async () => {
  await provider.stop()
  await other.stop()
})
beforeEach(() => {
  clock = Date.now()
  service = newService()
})
afterEach(() => {
  provider.lie = {}
  provider.isClient = secret => secret === CLIENT.clientSecret
})

/** A service that has discovered nothing yet. */
function newService(): SignInService {
  let count = 0
  const random = (length: number): Uint8Array => crypto.sha512(Uint8Array.of(++count, count >> 8)).slice(0, length)
  const config = (id: string, issuer: string): OidcProvider => ({
    id,
    name: id,
    kind: 'oidc',
    issuer,
    scope: 'openid',
    authentication: 'post',
    demo: false,
    ...CLIENT
  })
  const providers = [
    new SignInProvider(config('one', provider.issuer)),
    new SignInProvider(config('two', other.issuer))
  ]
  return new SignInService(
    { providers, clock: () => clock, random, logger: silentLogger },
    { nonceOf: (keys, salt) => signInNonce(crypto, network, keys, salt, random(32)) }
  )
}

const start = (keys = ADA, id = 'one'): Promise<string> =>
  service.start({ provider: id, keys, returnTo: '/', origin: ORIGIN, address: '203.0.113.1' })

/** The answer that the browser brings back, changed on the way. */
async function finish(change: (answer: URLSearchParams) => URLSearchParams | void = () => {}): Promise<string> {
  const answer = provider.authorize(await start())
  return service.finish('one', change(answer) ?? answer)
}

const codeIn = (target: string): string => /code=([\w-]+)$/.exec(target)?.[1] ?? ''
const FAILED = '/#/signed-in?error=sign-in-failed'

/** A lie about one claim; undefined takes it away. */
const claim = (name: string, value: unknown): Lie => ({
  token: ({ claims }) => {
    if (value === undefined) delete claims[name]
    else claims[name] = value
  }
})
const header = (change: Record<string, unknown>): Lie => ({ token: parts => void Object.assign(parts.header, change) })
const now = (): number => Math.floor(Date.now() / 1000)
const unsigned = ({ header, claims }: TokenParts): string =>
  [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')

/** Signed with HMAC under something that an attacker may know. */
const hmac = (secretOf: (from: LyingProvider) => string | Buffer): Lie => ({
  signed: (_token, parts, from) => {
    const content = unsigned({ ...parts, header: { ...parts.header, alg: 'HS256' } })
    return `${content}.${createHmac('sha256', secretOf(from)).update(content).digest('base64url')}`
  }
})
const pem = (from: LyingProvider): Buffer =>
  Buffer.from(createPublicKey({ key: from.publicKey as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' }))

test('an honest provider signs a person in', async () => {
  const code = codeIn(await finish())
  expect(service.redeem(code, ADA)).toEqual({ provider: 'one', subject: 'person-1' })
})

test('Apple gets a secret that the operator’s key has signed, for itself and for minutes', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { issuer } = provider
  const apple = new SignInProvider({
    id: 'apple',
    name: 'Apple',
    kind: 'oidc',
    issuer,
    scope: 'openid',
    authentication: 'apple',
    demo: false,
    clientId: CLIENT.clientId,
    clientSecret: undefined,
    appleKey: {
      teamId: 'TEAM',
      keyId: 'KEY',
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    }
  })
  const secrets = { state: 'state', verifier: 'v'.repeat(43), nonce: 'nonce', redirectUri: `${ORIGIN}/callback` }
  const answer = provider.authorize((await apple.authorizationUrl(secrets)).href)
  provider.isClient = secret => {
    const [head, body, signature] = secret.split('.') as [string, string, string]
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({ alg: 'ES256', kid: 'KEY' })
    expect(claims).toMatchObject({ iss: 'TEAM', aud: issuer, sub: CLIENT.clientId })
    expect(Number(claims['exp']) - now()).toBeLessThanOrEqual(300)
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' as const }
    return verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))
  }
  expect(await apple.person(answer, secrets)).toMatchObject({ subject: 'person-1' })
})

describe('an ID token is refused', () => {
  const claims: [what: string, lie: Lie][] = [
    ['of another issuer', claim('iss', 'https://evil.example')],
    [
      'of an issuer that only looks the same',
      { token: ({ claims }) => void (claims['iss'] = `${String(claims['iss'])}/`) }
    ],
    ['without an issuer', claim('iss', undefined)],
    ['for another client', claim('aud', 'another')],
    ['for others only', claim('aud', ['another', 'third'])],
    ['without an audience', claim('aud', undefined)],
    ['with an empty audience', claim('aud', [])],
    [
      'for several, presented by another',
      { token: ({ claims }) => void Object.assign(claims, { aud: ['volo', 'x'], azp: 'x' }) }
    ],
    ['that ended ten minutes ago', claim('exp', now() - 10 * MINUTE_S)],
    ['that ended a minute and a half ago', claim('exp', now() - 1.5 * MINUTE_S)],
    ['without an end', claim('exp', undefined)],
    ['whose end is a text', claim('exp', 'tomorrow')],
    ['that begins in ten minutes', claim('nbf', now() + 10 * MINUTE_S)],
    ['without a time', claim('iat', undefined)],
    ['whose time is a text', claim('iat', 'now')],
    ['with another nonce', claim('nonce', 'another')],
    ['without a nonce', claim('nonce', undefined)],
    ['with an empty nonce', claim('nonce', '')],
    ['whose nonce is a list', { token: ({ claims }) => void (claims['nonce'] = [claims['nonce']]) }],
    ['without a person', claim('sub', undefined)],
    ['whose person is empty', claim('sub', '')],
    ['whose person is a number', claim('sub', 7)],
    ['whose person is an object', claim('sub', { id: 1 })],
    ['whose person has 300 letters', claim('sub', 'x'.repeat(300))]
  ]
  const signatures: [what: string, lie: Lie][] = [
    ['that nobody signed', { signed: (_token, parts) => `${unsigned({ ...parts, header: { alg: 'none' } })}.` }],
    ['with the algorithm none and a signature', header({ alg: 'none' })],
    ['signed with the client secret', hmac(() => CLIENT.clientSecret)],
    ['signed with the public key as a secret', hmac(pem)],
    ['signed by another key of the same name', { signed: (_token, parts, from) => from.sign(parts, from.otherKey) }],
    ['by a key that is not published', header({ kid: 'two' })],
    [
      'whose header brings its own key',
      {
        signed: (_token, parts, from) =>
          from.sign({ ...parts, header: { ...parts.header, kid: 'x', jwk: {} } }, from.otherKey)
      }
    ],
    [
      'whose header says where the key is',
      {
        signed: (_token, parts, from) =>
          from.sign({ ...parts, header: { ...parts.header, kid: 'x', jku: 'http://127.0.0.1:9/' } }, from.otherKey)
      }
    ],
    ['of an algorithm that was not announced', header({ alg: 'ES256' })],
    ['with an extension that must be understood', header({ crit: ['exp2'], exp2: 1 })],
    ['whose signature is cut', { signed: token => token.slice(0, -8) }],
    ['without its signature', { signed: token => token.slice(0, token.lastIndexOf('.') + 1) }],
    ['of two parts', { signed: token => token.slice(0, token.lastIndexOf('.')) }],
    ['of five parts', { signed: token => `${token}.x.y` }],
    [
      'whose claims were changed',
      {
        signed: (token, parts) =>
          [
            token.split('.')[0],
            Buffer.from(JSON.stringify({ ...parts.claims, sub: 'root' })).toString('base64url'),
            token.split('.')[2]
          ].join('.')
      }
    ],
    ['that is no token', { signed: () => 'hello' }],
    ['that is an object', { signed: () => ({}) }],
    ['that is not there', { signed: () => undefined }]
  ]
  const answers: [what: string, lie: Lie][] = [
    ['in an answer of status 500', { tokenStatus: 500 }],
    ['in an answer of status 401', { tokenStatus: 401 }],
    ['in an answer that is no JSON', { answer: () => 'hello' }],
    ['in a list', { answer: answer => [answer] }],
    ['without an access token', { answer: ({ access_token: _gone, ...rest }) => rest }],
    ['without the kind of token', { answer: ({ token_type: _gone, ...rest }) => rest }],
    ['beside an error', { answer: answer => ({ ...answer, error: 'invalid_grant' }), tokenStatus: 400 }],
    ['in an answer that leads away', { tokenStatus: 302, tokenHeaders: { location: 'http://127.0.0.1:9/' } }],
    ['where no keys are published', { keys: () => ({ keys: [] }) }],
    ['where the keys are no JSON', { keys: () => 'keys' }]
  ]

  test.each([...claims, ...signatures, ...answers])('%s', async (_what, lie) => {
    provider.lie = lie
    expect(await finish()).toBe(FAILED)
  })

  test('that was made for another sign-in of the same person', async () => {
    let first = ''
    provider.lie = { signed: token => (first = token) }
    expect(codeIn(await finish())).not.toBe('')
    provider.lie = { signed: () => first }
    expect(await finish()).toBe(FAILED)
  })

  test('is taken where clocks differ by seconds only', async () => {
    provider.lie = { token: ({ claims }) => void Object.assign(claims, { iat: now() + 20, exp: now() - 20 }) }
    expect(codeIn(await finish())).not.toBe('')
  })
})

describe('what a browser brings back is refused', () => {
  const changes: [what: string, change: (answer: URLSearchParams) => URLSearchParams | void][] = [
    ['without a code', answer => answer.delete('code')],
    ['with an empty code', answer => answer.set('code', '')],
    ['with a made-up code', answer => answer.set('code', 'ff'.repeat(16))],
    ['with two codes', answer => answer.append('code', 'x')],
    ['with an error of the provider', answer => answer.set('error', 'server_error')],
    ['with the name of another issuer', answer => answer.set('iss', 'https://evil.example')],
    ['with a token in the address', answer => answer.set('id_token', 'x')]
  ]
  test.each(changes)('%s', async (_what, change) => {
    expect(await finish(change)).toBe(FAILED)
  })

  const UNKNOWN = { code: 'unknown-sign-in' }
  test('without its state, with another, and with one that was used', async () => {
    await expect(finish(answer => answer.delete('state'))).rejects.toMatchObject(UNKNOWN)
    await expect(finish(answer => answer.set('state', 'AAAA'))).rejects.toMatchObject(UNKNOWN)
    const answer = provider.authorize(await start())
    await service.finish('one', answer)
    await expect(service.finish('one', answer)).rejects.toMatchObject(UNKNOWN)
  })

  test('at another provider than it was sent to', async () => {
    const answer = provider.authorize(await start())
    await expect(service.finish('two', answer)).rejects.toMatchObject(UNKNOWN)
  })

  test('after the time to sign in', async () => {
    const answer = provider.authorize(await start())
    clock += SIGN_IN_TTL_MS + 1
    await expect(service.finish('one', answer)).rejects.toMatchObject(UNKNOWN)
  })

  test('with the code of another sign-in: its verifier does not fit', async () => {
    const first = provider.authorize(await start())
    expect(await finish(answer => answer.set('code', first.get('code')!))).toBe(FAILED)
  })

  test('once the person says no, and says so', async () => {
    const target = await finish(answer => void (answer.delete('code'), answer.set('error', 'access_denied')))
    expect(target).toBe('/#/signed-in?error=denied')
  })
})

describe('a one-time code is of no use', () => {
  const BAD = expect.objectContaining({ code: 'bad-code' }) as Error

  test('to another device, which cannot spoil it either', async () => {
    const code = codeIn(await finish())
    expect(() => service.redeem(code, MALLORY)).toThrow(BAD)
    const half = { ...ADA, messagingKeyHash: MALLORY.messagingKeyHash }
    expect(() => service.redeem(code, half)).toThrow(BAD)
    expect(() => service.redeem(code, { ...MALLORY, messagingKeyHash: ADA.messagingKeyHash })).toThrow(BAD)
    expect(service.redeem(code, ADA).subject).toBe('person-1')
  })

  test('twice, late, or made up', async () => {
    const code = codeIn(await finish())
    service.redeem(code, ADA)
    expect(() => service.redeem(code, ADA)).toThrow(BAD)
    const late = codeIn(await finish())
    clock += CODE_TTL_MS + 1
    expect(() => service.redeem(late, ADA)).toThrow(BAD)
    for (const made of ['', 'x', late.slice(1), '__proto__']) expect(() => service.redeem(made, ADA)).toThrow(BAD)
  })

  test('to a person whom another one signed in: the code fits the device that began', async () => {
    // Mallory begins, and gets Ada's browser to finish: what comes out is for Mallory's device.
    const answer = provider.authorize(await start(MALLORY))
    const code = codeIn(await service.finish('one', answer))
    expect(() => service.redeem(code, ADA)).toThrow(BAD)
  })
})

describe('a provider cannot be used', () => {
  const UNREACHABLE = { code: 'provider-unreachable' }
  test.each<[what: string, discovery: Lie['discovery']]>([
    ['whose metadata name another issuer', metadata => ({ ...metadata, issuer: 'https://evil.example' })],
    ['whose metadata are no JSON', () => 'hello'],
    ['whose metadata are a list', metadata => [metadata]],
    ['without an issuer', ({ issuer: _gone, ...rest }) => rest]
  ])('%s', async (_what, discovery) => {
    provider.lie = { discovery: discovery! }
    service = newService()
    await expect(start()).rejects.toMatchObject(UNREACHABLE)
  })

  test('that this node does not have', async () => {
    await expect(start(ADA, 'three')).rejects.toMatchObject({ code: 'unknown-provider' })
    await expect(start(ADA, '__proto__')).rejects.toMatchObject({ code: 'unknown-provider' })
  })
})
