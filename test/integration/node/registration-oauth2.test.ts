/** A provider that speaks plain OAuth 2.0 as X does: no discovery, no ID token, raw Basic authentication, the id in an API call. */
import { createHash, randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { decodeAttestation } from '../../../protocol/identity/attestation.ts'
import { NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { challenge, nodeFacts, postRegistration, TestDevice } from '../../support/sign-in.ts'

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
  node = await NodeProcess.start({ env: { VOLO_SIGN_IN_PROVIDERS_FILE: join(folder, 'providers.json') } })
})

afterAll(async () => {
  await node.dispose()
  provider.close()
  rmSync(folder, { recursive: true })
})

beforeEach(() => Object.assign(faults, { userinfo: undefined, denied: false, tokenStatus: 200 }))

async function start(device: TestDevice, id = 'x'): Promise<Response> {
  const { signingKey, messagingKeyHash } = device.keys
  const body = { signingKey: toHex(signingKey), messagingKeyHash: toHex(messagingKeyHash), returnTo: '/' }
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return fetch(`${node.url}/v1/auth/${id}/start`, init)
}

/** Goes to the provider and back. @returns the fragment that the browser ends at. */
async function signIn(device: TestDevice): Promise<URLSearchParams> {
  const { url } = (await (await start(device)).json()) as { url: string }
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
