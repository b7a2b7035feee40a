/** A provider that speaks plain OAuth 2.0 as X does: no discovery, no ID token, raw Basic authentication, the id in an API call. */
import { createHash, randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { decode } from '../../../protocol/codec.ts'
import { decodeAttestation } from '../../../protocol/identity/attestation.ts'
import { isLinkedAccount, linkedAccountCodec } from '../../../protocol/identity/linked-account.ts'
import { signStorageRequest } from '../../../protocol/identity/storage-request.ts'
import { NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { challenge, crypto, nodeFacts, postRegistration, TestDevice } from '../../support/sign-in.ts'

const CLIENT = { id: 'volo-client', secret: 'a-b_c.secret' }
const folder = temporaryFolder()

/** What the provider does wrong in a test. */
const faults = { userinfo: undefined as string | undefined, denied: false, tokenStatus: 200 }
const codes = new Map<string, { challenge: string; redirect: string }>()
const tokens = new Set<string>()
let provider: Server
let origin: string
let node: NodeProcess

async function bodyOf(request: IncomingMessage): Promise<URLSearchParams> {
  let body = ''
  for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString()
  return new URLSearchParams(body)
}

function startProvider(): Promise<Server> {
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url!, origin)
      const json = (status: number, value: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(typeof value === 'string' ? value : JSON.stringify(value))
      }
      if (url.pathname === '/authorize') {
        const redirect = url.searchParams.get('redirect_uri')!
        const code = randomBytes(16).toString('hex')
        codes.set(code, { challenge: url.searchParams.get('code_challenge')!, redirect })
        const answer = faults.denied ? 'error=access_denied' : `code=${code}`
        response.writeHead(302, { location: `${redirect}?state=${url.searchParams.get('state')}&${answer}` })
        return response.end()
      }
      if (url.pathname === '/token') {
        const form = await bodyOf(request)
        const basic = `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`
        if (request.headers.authorization !== basic) return json(401, { error: 'invalid_client' })
        const given = codes.get(form.get('code') ?? '')
        codes.delete(form.get('code') ?? '')
        const verifier = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url')
        if (given?.challenge !== verifier || given.redirect !== form.get('redirect_uri')) {
          return json(400, { error: 'invalid_grant' })
        }
        const token = randomBytes(16).toString('hex')
        tokens.add(token)
        return json(faults.tokenStatus, { token_type: 'bearer', access_token: token, expires_in: 7200 })
      }
      if (url.pathname === '/me') {
        if (!tokens.has((request.headers.authorization ?? '').slice('Bearer '.length))) return json(401, {})
        return json(200, faults.userinfo ?? { data: { id: '2244994945', name: 'Ada', username: 'ada' } })
      }
      return json(404, {})
    })()
  })
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)))
}

beforeAll(async () => {
  provider = await startProvider()
  origin = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
  writeFileSync(join(folder, 'secret'), `${CLIENT.secret}\n`)
  const x = {
    preset: 'x',
    clientId: CLIENT.id,
    clientSecretFile: join(folder, 'secret'),
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    userinfoEndpoint: `${origin}/me`
  }
  const gone = { preset: 'google', clientId: 'id', clientSecret: 'secret', issuer: 'http://127.0.0.1:9' }
  writeFileSync(join(folder, 'providers.json'), JSON.stringify({ providers: [x, gone] }))
  const env = {
    VOLO_SIGN_IN_PROVIDERS_FILE: join(folder, 'providers.json'),
    VOLO_REGISTRATIONS_PER_IDENTITY_PER_DAY: '20'
  }
  node = await NodeProcess.start({ env })
})

afterAll(async () => {
  await node.dispose()
  provider.close()
  rmSync(folder, { recursive: true })
})

beforeEach(() => Object.assign(faults, { userinfo: undefined, denied: false, tokenStatus: 200 }))

/** What a sign-in for a link begins with. */
const SECRET = Buffer.alloc(32, 7)

async function start(device: TestDevice, id = 'x', secret?: Buffer): Promise<Response> {
  const { signingKey, messagingKeyHash } = device.keys
  const body = { signingKey: toHex(signingKey), messagingKeyHash: toHex(messagingKeyHash), returnTo: '/' }
  const binding = secret && createHash('sha256').update(secret).digest('hex')
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, binding })
  }
  return fetch(`${node.url}/v1/auth/${id}/start`, init)
}

/** Goes to the provider and back. @returns the fragment that the browser ends at. */
async function signIn(device: TestDevice, secret?: Buffer): Promise<URLSearchParams> {
  const { url } = (await (await start(device, 'x', secret)).json()) as { url: string }
  const back = (await fetch(url, { redirect: 'manual' })).headers.get('location')!
  expect(new URL(back).origin).toBe(node.url)
  const end = (await fetch(back, { redirect: 'manual' })).headers.get('location')!
  expect(end).toMatch(/^\/#\/signed-in\?/)
  return new URLSearchParams(end.slice(end.indexOf('?') + 1))
}

describe('sign-in with an OAuth 2.0 provider', () => {
  it('is offered instead of the demo, with nothing secret told', async () => {
    const { providers } = (await (await fetch(`${node.url}/v1/auth/providers`)).json()) as { providers: unknown }
    expect(providers).toEqual([
      { id: 'x', name: 'X', kind: 'oauth2', demo: false },
      { id: 'google', name: 'Google', kind: 'oidc', demo: false }
    ])
    expect((await fetch(`${node.url}/demo-sign-in/auth`)).status).toBe(404)
  })

  it('registers an account, and attests the provider without telling the id', async () => {
    const device = await TestDevice.make(await nodeFacts(node.url))
    const code = (await signIn(device)).get('code')!
    const answer = await postRegistration(node.url, await device.registration(await challenge(node.url), code))
    expect(answer.status).toBe(201)
    const told = (await answer.json()) as { attestation: string }
    expect(decodeAttestation(Buffer.from(told.attestation, 'hex')).provider).toBe('x')
    expect(JSON.stringify(told)).not.toContain('2244994945')
    expect(Buffer.from(told.attestation, 'hex').includes('2244994945')).toBe(false)
  })

  it('tells the app when the person said no', async () => {
    faults.denied = true
    expect((await signIn(await TestDevice.make(await nodeFacts(node.url)))).get('error')).toBe('denied')
  })

  it.each([
    ['without an id', '{"data":{}}'],
    ['that is no JSON', 'id=1'],
    ['whose id is an object', '{"data":{"id":{}}}'],
    ['whose id comes from a prototype', '{"data":{"__proto__":{"id":"1"}}}'],
    ['that is endless', JSON.stringify({ data: { id: '1', pad: 'x'.repeat(200_000) } })]
  ])('refuses an answer %s', async (_what, userinfo) => {
    faults.userinfo = userinfo
    expect((await signIn(await TestDevice.make(await nodeFacts(node.url)))).get('error')).toBe('sign-in-failed')
  })

  it('refuses when the provider refuses', async () => {
    faults.tokenStatus = 500
    expect((await signIn(await TestDevice.make(await nodeFacts(node.url)))).get('error')).toBe('sign-in-failed')
  })

  it('says so when a provider does not answer, and everything else goes on', async () => {
    const answer = await start(await TestDevice.make(await nodeFacts(node.url)), 'google')
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({ error: 'provider-unreachable' })
    expect((await fetch(`${node.url}/readyz`)).status).toBe(200)
  })

  it("does not take one provider's answer for another's", async () => {
    const device = await TestDevice.make(await nodeFacts(node.url))
    const { url } = (await (await start(device)).json()) as { url: string }
    const back = (await fetch(url, { redirect: 'manual' })).headers.get('location')!
    const mixed = await fetch(back.replace('/auth/x/', '/auth/google/'), { redirect: 'manual' })
    expect(mixed.status).toBe(400)
  })
})

describe('a link to an account elsewhere', () => {
  interface LinkCall {
    device: TestDevice
    code: string
    secret?: Buffer
    /** What is signed in place of the code. */
    signed?: string
    authorization?: string
  }

  async function link({ device, code, secret = SECRET, signed = code, authorization }: LinkCall): Promise<Response> {
    const { network, nodeKey } = device.facts
    const request = { nodeKey, method: 'POST', target: '/v1/links', body: Buffer.concat([secret, Buffer.from(signed)]) }
    const stamp = { nonce: Uint8Array.from(randomBytes(16)), time: Date.now() }
    const signer = { deviceId: device.deviceId, key: device.signing }
    const header = authorization ?? (await signStorageRequest(crypto, network, signer, request, stamp))
    const headers = { authorization: header, 'content-type': 'application/octet-stream' }
    return fetch(`${node.url}/v1/links`, { method: 'POST', headers, body: Buffer.concat([secret, Buffer.from(code)]) })
  }

  async function registered(): Promise<TestDevice> {
    const device = await TestDevice.make(await nodeFacts(node.url))
    const code = (await signIn(device)).get('code')!
    const answer = await postRegistration(node.url, await device.registration(await challenge(node.url), code))
    expect(answer.status).toBe(201)
    return device
  }

  const refusal = async (answer: Response): Promise<unknown[]> => [
    answer.status,
    ((await answer.json()) as { error: string }).error
  ]

  it('is the word of the node that the person signed in there, for this account, and counts once', async () => {
    const device = await registered()
    const code = (await signIn(device, SECRET)).get('code')!
    const answer = await link({ device, code })
    expect(answer.status).toBe(200)
    const { statement } = (await answer.json()) as { statement: string }
    const linked = decode(linkedAccountCodec, Buffer.from(statement, 'hex'), { maxBytes: 256 })
    expect(linked).toMatchObject({ provider: 'x', handle: 'ada' })
    const { network, nodeKey } = device.facts
    expect(toHex(linked.nodeKey)).toBe(toHex(nodeKey))
    expect(await isLinkedAccount(crypto, network, device.accountId, linked)).toBe(true)
    expect(Buffer.from(statement, 'hex').includes('2244994945')).toBe(false)
    expect(await refusal(await link({ device, code }))).toEqual([403, 'bad-code'])
  })

  it('leaves out what is no handle', async () => {
    const device = await registered()
    faults.userinfo = JSON.stringify({ data: { id: '7', username: 'Ada <b>Lovelace</b>' } })
    const answer = await link({ device, code: (await signIn(device, SECRET)).get('code')! })
    const { statement } = (await answer.json()) as { statement: string }
    expect(decode(linkedAccountCodec, Buffer.from(statement, 'hex'), { maxBytes: 256 }).handle).toBeNull()
  })

  it('cannot be made with the code of another device, which keeps it; with a made-up one; or without a signature', async () => {
    const [device, other] = [await registered(), await registered()]
    const code = (await signIn(other, SECRET)).get('code')!
    expect(await refusal(await link({ device, code }))).toEqual([403, 'bad-code'])
    expect(await refusal(await link({ device, code: 'made-up' }))).toEqual([403, 'bad-code'])
    expect(await refusal(await link({ device: other, code, signed: 'another' }))).toEqual([401, 'bad-authorization'])
    expect(await refusal(await link({ device: other, code, authorization: '' }))).toEqual([401, 'bad-authorization'])
    expect(await refusal(await link({ device, code: 'a b' }))).toEqual([400, 'malformed'])
    expect(await refusal(await link({ device, code: 'x'.repeat(300) }))).toEqual([413, 'too-large'])
    // Whoever sends a victim to the provider gets nothing: the code counts for the device that began, and for its account.
    expect((await link({ device: other, code })).status).toBe(200)
  })

  it('is not made with a code whose sign-in the device did not begin: its keys are public, the secret is not', async () => {
    const device = await registered()
    const attackers = (await signIn(device, Buffer.alloc(32, 8))).get('code')!
    expect(await refusal(await link({ device, code: attackers }))).toEqual([403, 'bad-code'])
    const unbound = (await signIn(device)).get('code')!
    expect(await refusal(await link({ device, code: unbound }))).toEqual([403, 'bad-code'])
    const short = { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: 'x' }
    expect((await fetch(`${node.url}/v1/links`, short)).status).toBe(401)
  })

  it('is not made for a device that no account has', async () => {
    const stranger = await TestDevice.make(await nodeFacts(node.url))
    const code = (await signIn(stranger, SECRET)).get('code')!
    expect(await refusal(await link({ device: stranger, code }))).toEqual([401, 'bad-authorization'])
  })
})
