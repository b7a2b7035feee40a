import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodeFetch } from '../../../../peer/network/node-bulk-http.ts'

const MIB = 1024 * 1024
const content = randomBytes(4 * MIB)
const ask = createNodeFetch()

let server: Server
let url: string
const sockets = new Set<unknown>()

beforeAll(async () => {
  server = createServer((request, response) => {
    sockets.add(request.socket)
    if (request.url === '/never') return
    if (request.method === 'GET') return void response.writeHead(206, { 'x-asked': request.headers.range }).end(content)
    let length = 0
    request.on('data', (piece: Buffer) => (length += piece.length))
    request.on('end', () => {
      const isEqual = length === MIB && request.headers['content-length'] === `${MIB}`
      response.writeHead(isEqual ? 204 : 500).end()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('requests that carry objects', () => {
  it('send a body with its length and read a range, over one connection', async () => {
    const put = await ask(url, { method: 'PUT', body: new Uint8Array(MIB) })
    expect([put.status, put.body]).toEqual([204, null])
    const got = await ask(url, { headers: { range: 'bytes=0-4194303' } })
    expect([got.status, got.headers.get('x-asked')]).toEqual([206, 'bytes=0-4194303'])
    expect(Buffer.from(await got.arrayBuffer()).equals(content)).toBe(true)
    expect(sockets.size).toBe(1)
  })

  it('end when they are cancelled: while they wait, and while they are read', async () => {
    const waiting = new AbortController()
    const answer = ask(`${url}/never`, { headers: { range: 'bytes=0-1' }, signal: waiting.signal })
    waiting.abort(new Error('enough'))
    await expect(answer).rejects.toThrow()
    const reader = (await ask(url, { headers: { range: 'bytes=0-' } })).body!.getReader()
    await reader.read()
    await reader.cancel()
  })

  it('fail where no one listens', async () => {
    await expect(ask('http://127.0.0.1:1/', { method: 'PUT', body: new Uint8Array(1) })).rejects.toThrow(/ECONN/)
  })
})
