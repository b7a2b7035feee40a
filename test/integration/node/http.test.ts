import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import {
  challenge,
  CookieJar,
  demoSignIn,
  nodeFacts,
  postRegistration,
  registerDevice,
  startSignIn,
  TestDevice
} from '../../support/sign-in.ts'
import { WalletSigner } from '../../support/wallet-signer.ts'
import { eventually } from '../../support/wait-for.ts'

let node: NodeProcess
let app: string
/** What the node had logged when it became ready: on a slow machine, that it was not ready at once. */
let loggedBefore: string

beforeAll(async () => {
  app = temporaryFolder()
  mkdirSync(join(app, 'assets'))
  writeFileSync(join(app, 'index.html'), '<!doctype html><title>Volo</title>')
  writeFileSync(join(app, 'sw.js'), '')
  writeFileSync(join(app, '.secret'), 'secret')
  writeFileSync(join(app, 'assets/index-DiwrgTda.js'), 'void 0')
  writeFileSync(join(app, 'assets/worker-B1c2d3e4.js'), 'void 0')
  node = await NodeProcess.start({
    env: { VOLO_WEB_DIR: app, VOLO_WALLET_SIGN_IN: 'true', VOLO_DEMO_SIGN_IN: 'true' }
  })
  // A slow machine announces a node that is not ready yet; every test here asks a ready one.
  await eventually(async () => (await fetch(`${node.url}/readyz`)).status === 200, {
    what: 'a ready node',
    timeoutMs: 60_000
  })
  loggedBefore = node.stderr
})

afterAll(() => node.dispose())

// Whatever a test sent: everybody else notices nothing.
afterEach(async () => {
  expect((await fetch(`${node.url}/readyz`)).status).toBe(200)
  expect(node.stderr).toBe(loggedBefore)
})

async function refused(answer: Response): Promise<[number, string]> {
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  const { error, message } = (await answer.json()) as { error: string; message: string }
  expect(message).toMatch(/\w+/)
  expect(message).not.toMatch(/node_modules|\.ts:|\.js:/)
  return [answer.status, error]
}

const post = (path: string, body: BodyInit, type?: string): Promise<Response> =>
  fetch(node.url + path, { method: 'POST', body, headers: type === undefined ? {} : { 'content-type': type } })

/** Sends raw bytes. @returns all that comes back until the node hangs up. */
function raw(text: string | Uint8Array, deadlineMs = 20_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(node.url)
    let answer = ''
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text))
    socket.setTimeout(deadlineMs, () => {
      socket.destroy()
      reject(new Error(`the node did not hang up: ${answer}`))
    })
    socket.setEncoding('utf8').on('data', chunk => (answer += chunk))
    socket.on('close', () => resolve(answer))
    socket.on('error', () => undefined)
  })
}

describe('the app', () => {
  it('is served with a policy that lets nothing foreign run, on the page and on worker scripts alike', async () => {
    for (const path of ['/', '/sw.js', '/assets/worker-B1c2d3e4.js']) {
      const { headers } = await fetch(node.url + path)
      const policy = Object.fromEntries(
        headers
          .get('content-security-policy')!
          .split(';')
          .map(directive => [directive.split(' ')[0], directive.split(' ').slice(1).join(' ')])
      )
      expect(policy).toEqual({
        'default-src': "'none'",
        'script-src': "'self' 'wasm-unsafe-eval'",
        'style-src': "'self'",
        'img-src': "'self' data: blob:",
        'media-src': 'blob:',
        'font-src': "'self'",
        'connect-src': `'self' wss: ws://127.0.0.1:* ws://localhost:* ${node.url}`,
        'worker-src': "'self'",
        'manifest-src': "'self'",
        'form-action': "'self'",
        'base-uri': "'none'",
        'frame-ancestors': "'none'",
        'require-trusted-types-for': "'script'",
        'trusted-types': 'svelte-trusted-html volo-worker'
      })
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('strict-transport-security')).toBeNull()
    }
  })

  it('is asked for each time, but for files whose name is their hash', async () => {
    const caching = async (path: string) => (await fetch(node.url + path)).headers.get('cache-control')
    expect(await caching('/')).toBe('no-cache')
    expect(await caching('/sw.js')).toBe('no-cache')
    expect(await caching('/assets/index-DiwrgTda.js')).toBe('public, max-age=31536000, immutable')
  })

  it.each([
    '/../package.json',
    '/..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/assets/../../node.key',
    '/assets/..%5c..%5cnode.key',
    '//etc/passwd',
    '/.secret',
    '/assets/%00.js',
    '/assets'
  ])('gives nothing outside its folder: %s', async path => {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 (400|403|404) /)
    expect(answer).not.toMatch(/root:|secret"|volo"/)
  })
})

describe('reads', () => {
  it('are open to apps of other nodes, without credentials', async () => {
    for (const path of ['/v1/network', '/v1/auth/providers', '/v1/names/0000']) {
      const { headers } = await fetch(node.url + path, { headers: { origin: 'https://other.example' } })
      expect(headers.get('access-control-allow-origin')).toBe('*')
      expect(headers.get('access-control-allow-credentials')).toBeNull()
    }
    const { headers } = await startSignIn(node.url, (await TestDevice.make(await nodeFacts(node.url))).keys)
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  it('tell the network, what the API is, and what one can sign in with', async () => {
    const network = (await (await fetch(`${node.url}/v1/network`)).json()) as { epoch: { nodes: unknown[] } }
    expect(network).toMatchObject({ chain: { label: 'local devnet (emulated ledger rules)', emulated: true } })
    expect(network.epoch.nodes).toMatchObject([{ url: node.url }])
    const api = (await (await fetch(`${node.url}/v1/openapi.json`)).json()) as { paths: object }
    expect(Object.keys(api.paths).sort()).toEqual([
      '/.well-known/volo/{file}',
      '/healthz',
      '/readyz',
      '/v1/accounts/{accountId}/bundles',
      '/v1/accounts/{accountId}/proof',
      '/v1/auth/codes',
      '/v1/auth/providers',
      '/v1/auth/wallet/challenge',
      '/v1/auth/wallet/finish',
      '/v1/auth/{provider}/callback',
      '/v1/auth/{provider}/start',
      '/v1/backups/{account}',
      '/v1/backups/{account}/head',
      '/v1/complaints',
      '/v1/custody',
      '/v1/device-challenge',
      '/v1/devices',
      '/v1/invites',
      '/v1/invites/mail',
      '/v1/invites/{hash}',
      '/v1/invites/{hash}/accept',
      '/v1/linking/{box}/{index}',
      '/v1/links',
      '/v1/names/{tagPrefix}',
      '/v1/network',
      '/v1/network/lists/{number}/proof',
      '/v1/objects',
      '/v1/objects/{hash}',
      '/v1/objects/{hash}/complete',
      '/v1/objects/{hash}/parts/{index}',
      '/v1/recoveries',
      '/v1/registrations',
      '/v1/releases',
      '/v1/reports',
      '/v1/sites/{site}'
    ])
    const { providers } = (await (await fetch(`${node.url}/v1/auth/providers`)).json()) as { providers: unknown }
    expect(providers).toEqual([
      { id: 'demo', name: 'Demo sign-in', kind: 'oidc', demo: true },
      { id: 'cardano', name: 'Cardano wallet', kind: 'wallet', demo: false }
    ])
  })

  it.each([
    ['/v1/accounts/xyz/proof', 400, 'malformed'],
    [`/v1/accounts/${'AB'.repeat(32)}/proof`, 400, 'malformed'],
    [`/v1/accounts/${'00'.repeat(32)}/proof`, 404, 'not-found'],
    [`/v1/accounts/${'00'.repeat(33)}/bundles`, 400, 'malformed'],
    ['/v1/names/00', 400, 'malformed'],
    ['/v1/names/000', 400, 'malformed'],
    [`/v1/names/${'00'.repeat(33)}`, 400, 'malformed'],
    [`/v1/names/${'0'.repeat(3000)}`, 400, 'malformed'],
    ['/v1/nothing', 404, 'not-found'],
    ['/v1/auth/demo', 404, 'not-found'],
    ['/v1/%ff', 400, 'malformed']
  ])('refuse %s', async (path, status, error) => {
    const [said, code] = await refused(await fetch(node.url + path))
    // A parameter too long for the router is as good as no route.
    if (path.length > 200) expect([400, 404, 414]).toContain(said)
    else expect([said, code]).toEqual([status, error])
  })

  it('know of an account without bundles nothing', async () => {
    expect(await (await fetch(`${node.url}/v1/accounts/${'00'.repeat(32)}/bundles`)).json()).toEqual({ bundles: [] })
  })
})

describe('a wallet', () => {
  const postJson = (path: string, body: object): Promise<Response> =>
    post(path, JSON.stringify(body), 'application/json')

  it('signs in and registers, and a second attempt with the same answer does not', async () => {
    const device = await TestDevice.make(await nodeFacts(node.url))
    const wallet = await WalletSigner.make()
    const keys = {
      signingKey: toHex(device.keys.signingKey),
      messagingKeyHash: toHex(device.keys.messagingKeyHash)
    }
    const address = toHex(wallet.rewardAddress)
    const begun = await postJson('/v1/auth/wallet/challenge', { ...keys, address })
    const { nonce, payload } = (await begun.json()) as { nonce: string; payload: string }
    expect(payload).toContain(`At: ${node.url}`)
    const { signature, key } = await wallet.sign(wallet.rewardAddress, payload)
    const answer = { ...keys, nonce, signature: toHex(signature).toUpperCase(), key: toHex(key) }
    const finished = await postJson('/v1/auth/wallet/finish', answer)
    expect(finished.status).toBe(200)
    const { code } = (await finished.json()) as { code: string }
    expect(await refused(await postJson('/v1/auth/wallet/finish', answer))).toEqual([403, 'bad-nonce'])
    const registration = await device.registration(await challenge(node.url), code)
    expect((await postRegistration(node.url, registration)).status).toBe(201)
  })

  it.each([
    ['/v1/auth/wallet/challenge', { address: 'zz' }],
    ['/v1/auth/wallet/challenge', { address: '00'.repeat(58) }],
    ['/v1/auth/wallet/challenge', {}],
    ['/v1/auth/wallet/finish', { nonce: '00', signature: '00', key: '00' }],
    ['/v1/auth/wallet/finish', { nonce: '00'.repeat(32), signature: '00'.repeat(3_000), key: '00' }],
    ['/v1/auth/wallet/finish', { nonce: '00'.repeat(32), signature: '00', key: '00', more: 1 }]
  ])('%s refuses %j', async (path, body) => {
    const keys = { signingKey: '00'.repeat(32), messagingKeyHash: '00'.repeat(32) }
    expect(await refused(await postJson(path, { ...keys, ...body }))).toEqual([400, 'malformed'])
  })
})

describe('bad requests', () => {
  const keys = { signingKey: '00'.repeat(32), messagingKeyHash: '00'.repeat(32) }
  const json = 'application/json'

  it.each<[string, string, BodyInit, string | undefined, number, string]>([
    ['JSON that is none', '/v1/auth/demo/start', '{', json, 400, 'malformed'],
    ['nothing', '/v1/auth/demo/start', '', json, 400, 'malformed'],
    ['a list', '/v1/auth/demo/start', '[]', json, 400, 'malformed'],
    ['null', '/v1/auth/demo/start', 'null', json, 400, 'malformed'],
    ['missing fields', '/v1/auth/demo/start', '{}', json, 400, 'malformed'],
    ['unknown fields', '/v1/auth/demo/start', JSON.stringify({ ...keys, returnTo: '/', x: 1 }), json, 400, 'malformed'],
    [
      'short keys',
      '/v1/auth/demo/start',
      JSON.stringify({ ...keys, signingKey: '00', returnTo: '/' }),
      json,
      400,
      'malformed'
    ],
    ['a poisoned prototype', '/v1/auth/demo/start', '{"__proto__":{"x":1}}', json, 400, 'malformed'],
    ['deep nesting', '/v1/auth/demo/start', '['.repeat(5_000) + ']'.repeat(5_000), json, 400, 'malformed'],
    [
      'a foreign return address',
      '/v1/auth/demo/start',
      JSON.stringify({ ...keys, returnTo: 'https://evil.example/' }),
      json,
      400,
      'bad-return'
    ],
    [
      'a protocol-relative return address',
      '/v1/auth/demo/start',
      JSON.stringify({ ...keys, returnTo: '//evil.example' }),
      json,
      400,
      'bad-return'
    ],
    [
      'an unknown provider',
      '/v1/auth/nobody/start',
      JSON.stringify({ ...keys, returnTo: '/' }),
      json,
      404,
      'unknown-provider'
    ],
    ['a body too large', '/v1/auth/demo/start', JSON.stringify({ x: 'x'.repeat(20_000) }), json, 413, 'too-large'],
    [
      'a wrong content type',
      '/v1/auth/demo/start',
      'a=b',
      'application/x-www-form-urlencoded',
      415,
      'unsupported-content-type'
    ],
    ['XML', '/v1/device-challenge', '<x/>', 'text/xml', 415, 'unsupported-content-type'],
    ['a registration as JSON', '/v1/registrations', '{}', json, 415, 'unsupported-content-type'],
    ['a registration of no type', '/v1/registrations', new Uint8Array(8), undefined, 415, 'unsupported-content-type'],
    ['an empty registration', '/v1/registrations', new Uint8Array(0), 'application/cbor', 400, 'malformed'],
    ['a registration of zeros', '/v1/registrations', new Uint8Array(100), 'application/cbor', 400, 'malformed'],
    ['a registration too large', '/v1/registrations', new Uint8Array(9_000), 'application/cbor', 413, 'too-large']
  ])('%s', async (_what, path, body, type, status, error) => {
    expect(await refused(await post(path, body, type))).toEqual([status, error])
  })

  it('a registration cut off at any byte', async () => {
    const device = await TestDevice.make(await nodeFacts(node.url))
    const body = await device.registration('00'.repeat(32), 'code')
    for (let length = 0; length < body.length; length += 97) {
      const [status, error] = await refused(await postRegistration(node.url, body.slice(0, length)))
      expect([status, error]).toEqual([400, 'malformed'])
    }
  })

  it('a registration with any byte changed', async () => {
    const device = await TestDevice.make(await nodeFacts(node.url))
    for (let at = 0; at < 5_000; at += 509) {
      const body = await device.registration(await challenge(node.url), 'code')
      body[at % body.length]! ^= 0x10
      const answer = await postRegistration(node.url, body)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(500)
    }
  })

  it('a method that is not there', async () => {
    expect(await refused(await fetch(`${node.url}/v1/network`, { method: 'DELETE' }))).toEqual([404, 'not-found'])
    expect(await refused(await fetch(`${node.url}/v1/registrations`))).toEqual([404, 'not-found'])
  })

  it('a Host header that is no host', async () => {
    const body = JSON.stringify({ ...keys, returnTo: '/' })
    const answer = await raw(
      `POST /v1/auth/demo/start HTTP/1.1\r\nHost: a@b/c\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
    )
    // Malformed, or a name that is not this node's: refused either way.
    expect(answer).toMatch(/^HTTP\/1\.1 (400|421) /)
  })
})

describe('bad connections', () => {
  it('that speak no HTTP are answered once and cut', async () => {
    expect(await raw('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"error":"malformed"/s)
    expect(await raw('GET / HTTP/9.9\r\n\r\n')).toMatch(/^HTTP\/1\.1 (400|505) /)
  })

  it('with endless headers are answered once and cut', async () => {
    const header = `X-Long: ${'x'.repeat(20_000)}\r\n`
    expect(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\n${header}\r\n`)).toMatch(/^HTTP\/1\.1 431 .*"too-large"/s)
  })

  it('that smuggle a second request are cut', async () => {
    const both =
      'POST /v1/device-challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
    expect(await raw(both)).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('that send their request byte by byte are cut', async () => {
    // The node's own limit is far shorter: what is waited for is the answer.
    const answer = await raw('GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ', 100_000)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('in great number do not keep others out', async () => {
    const { port } = new URL(node.url)
    const sockets = Array.from({ length: 1_200 }, () => connect(Number(port), '127.0.0.1').on('error', () => undefined))
    // Every connection is either taken or turned away; a busy machine needs time for so many.
    const some = (state: Socket['readyState']) => sockets.filter(({ readyState }) => readyState === state).length
    await expect.poll(() => [some('opening'), some('open') <= 1_024]).toEqual([0, true])
    for (const socket of sockets) socket.destroy()
    await expect
      .poll(() =>
        fetch(`${node.url}/healthz`).then(
          answer => answer.status,
          () => 0
        )
      )
      .toBe(200)
  })
})

describe('floods', () => {
  it('of API requests are held back, while health and app still answer', async () => {
    const small = await NodeProcess.start({ env: { VOLO_HTTP_REQUESTS_PER_MINUTE: '60' } })
    const statuses = new Set<number>()
    for (let i = 0; i < 70; i++) statuses.add((await fetch(`${small.url}/v1/network`)).status)
    expect(statuses).toEqual(new Set([200, 429]))
    expect(await refused(await fetch(`${small.url}/v1/network`))).toEqual([429, 'rate-limited'])
    expect((await fetch(`${small.url}/healthz`)).status).toBe(200)
    await small.dispose()
  })
})

describe('behind a proxy', () => {
  it('an address is what the proxy saw, not what the client wrote', async () => {
    const proxied = await NodeProcess.start({
      env: { VOLO_HTTP_REQUESTS_PER_MINUTE: '20', VOLO_TRUST_PROXY: 'true', VOLO_PUBLIC_URL: 'https://node.example' }
    })
    const ask = async (forwarded: string): Promise<number> =>
      (await fetch(`${proxied.url}/v1/network`, { headers: { 'x-forwarded-for': forwarded } })).status
    for (let i = 0; i < 20; i++) expect(await ask(`198.51.100.${i}, 192.0.2.1`)).toBe(200)
    expect(await ask('198.51.100.99, 192.0.2.1')).toBe(429)
    expect(await ask('192.0.2.2')).toBe(200)
    await proxied.dispose()
  })

  it('sign-in leads through the public address, and browsers are told to stay with https', async () => {
    const proxied = await NodeProcess.start({
      env: { VOLO_TRUST_PROXY: 'true', VOLO_PUBLIC_URL: 'https://node.example' }
    })
    const { headers } = await fetch(`${proxied.url}/v1/network`)
    expect(headers.get('strict-transport-security')).toContain('max-age=31536000')
    const { keys } = await TestDevice.make(await nodeFacts(proxied.url))
    const start = await fetch(`${proxied.url}/v1/auth/demo/start`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-host': 'node.example',
        'x-forwarded-proto': 'https'
      },
      body: JSON.stringify({
        signingKey: toHex(keys.signingKey),
        messagingKeyHash: toHex(keys.messagingKeyHash),
        returnTo: '/'
      })
    })
    const { url } = (await start.json()) as { url: string }
    expect(url).toMatch(/^https:\/\/node\.example\/demo-sign-in\/auth\?/)
    expect(new URL(url).searchParams.get('redirect_uri')).toBe('https://node.example/v1/auth/demo/callback')
    const browser = new CookieJar({ publicUrl: 'https://node.example', node: proxied.url })
    const end = await demoSignIn(url, 'ada', browser)
    expect(end.href).toMatch(/^https:\/\/node\.example\/#\/signed-in\?code=/)
    await proxied.dispose()
  })
})

it('a good request works after all of this', async () => {
  await registerDevice(node.url, 'ada')
})
