import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NodeError } from '../../../../node/errors.ts'
import { directoryRoutes } from '../../../../node/http/directory-routes.ts'
import { HttpServer } from '../../../../node/http/http-server.ts'
import type { DirectoryPort } from '../../../../node/key-directory/directory-port.ts'
import { MAX_ACCOUNT_PROOF_BYTES } from '../../../../protocol/limits.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const EMPTY_EPOCH = { number: 0, seed: new Uint8Array(32), nodes: [], nodeSeeds: [] }
const large = new Uint8Array(MAX_ACCOUNT_PROOF_BYTES)
const sockets: Socket[] = []
let server: HttpServer
let port: number

beforeAll(async () => {
  const directory = {
    accountProof: async (accountId: Uint8Array, maxBytes: number) => {
      if (accountId[0] === 0xff) throw new NodeError('too-large', `larger than ${maxBytes} bytes`)
      return large
    }
  } as unknown as DirectoryPort
  const init = { version: '0', trustProxy: false, requestsPerMinute: 1e6, overTls: false, epoch: () => EMPTY_EPOCH }
  server = new HttpServer({ logger: silentLogger }, init)
  await server.prepare()
  await server.addLimited(app => directoryRoutes(app, directory))
  port = await server.listen('127.0.0.1', 0)
})

afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await server.stop()
})

const path = (account: string): string => `/v1/accounts/${account.repeat(32)}/proof`
const ask = (account: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path(account)}`)

describe('account proofs over HTTP', () => {
  it('come up to the longest that clients take; a longer one is refused by name', async () => {
    const answer = await ask('00')
    expect((await answer.arrayBuffer()).byteLength).toBe(MAX_ACCOUNT_PROOF_BYTES)
    const refused = await ask('ff')
    expect(refused.status).toBe(413)
    expect(await refused.json()).toEqual({
      error: 'too-large',
      message: `larger than ${MAX_ACCOUNT_PROOF_BYTES} bytes`
    })
  })

  it('do not pile up in memory for clients that do not read them', async () => {
    for (let i = 0; i < 8; i++) {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(`GET ${path('00')} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      )
      socket.on('error', () => undefined).pause()
      sockets.push(socket)
    }
    await expect.poll(async () => (await ask('00')).status, { timeout: 60_000 }).toBe(503)
    for (const socket of sockets) socket.destroy()
    await expect.poll(async () => (await ask('00')).status, { timeout: 60_000 }).toBe(200)
  })
})
