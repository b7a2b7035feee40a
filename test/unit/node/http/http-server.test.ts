import { afterEach, describe, expect, it } from 'vitest'
import { get } from 'node:http'
import type { DemoProvider } from '../../../../node/accounts/demo-sign-in/demo-provider.ts'
import { demoRoutes } from '../../../../node/http/demo-sign-in-routes.ts'
import { HttpServer, type HttpServerInit } from '../../../../node/http/http-server.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

type Ask = (headers: Record<string, string>, path?: string) => Promise<number>

/** Never asked: what it answers is not the subject. */
const NO_DEMO = {} as DemoProvider

let server: HttpServer | undefined
afterEach(() => server?.stop())

/** @returns how a server answers a request with these headers: the status. */
async function serve(init: Partial<HttpServerInit>): Promise<Ask> {
  const epoch = () => ({ number: 0, seed: new Uint8Array(32), nodes: [], nodeSeeds: [] })
  const defaults = { version: '0', trustProxy: false, requestsPerMinute: 1_000, overTls: false, epoch }
  server = new HttpServer({ logger: silentLogger }, { ...defaults, ...init })
  await server.prepare()
  await server.addLimited(app => {
    app.get('/v1/thing', () => ({}))
    demoRoutes(app, NO_DEMO, { publicUrl: 'https://node.example' })
  })
  const port = await server.listen('127.0.0.1', 0)
  return (headers, path = '/v1/thing') =>
    new Promise((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, path, headers }, answer => {
        answer.resume()
        resolve(answer.statusCode!)
      })
      request.on('error', reject)
    })
}

describe('the public port', () => {
  it('gives an IPv6 network of 64 bits the requests of one address', async () => {
    const ask = await serve({ trustProxy: true, requestsPerMinute: 5 })
    const from = (address: string) => ask({ 'x-forwarded-for': address })
    const statuses = []
    for (let i = 0; i < 8; i++) statuses.push(await from(`2001:db8::${i + 1}`))
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429])
    expect(await from('2001:db8:0:1::1')).toBe(200)
  })

  it('does not believe what a client wrote before its proxy did', async () => {
    const ask = await serve({ trustProxy: true, requestsPerMinute: 2 })
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push(await ask({ 'x-forwarded-for': `198.51.100.${i}, 192.0.2.1` }))
    expect(statuses).toEqual([200, 200, 429])
  })

  it('of this machine alone answers to names of this machine alone', async () => {
    const ask = await serve({ loopbackOnly: true })
    for (const host of ['127.0.0.1', 'localhost:8787', 'LOCALHOST', '[::1]:1']) expect(await ask({ host })).toBe(200)
    for (const host of ['evil.example', 'evil.example:8787', '127.0.0.1.evil.example', 'localhost.evil.example']) {
      expect(await ask({ host })).toBe(421)
    }
  })

  it('that people reach from elsewhere answers to every name', async () => {
    const ask = await serve({})
    expect(await ask({ host: 'node.example' })).toBe(200)
  })

  it('answers a sign-in under a name that is none, rather than to leave it hanging', async () => {
    const ask = await serve({})
    expect(await ask({ host: 'a@b' }, '/demo-sign-in/auth')).toBe(400)
  })
})
