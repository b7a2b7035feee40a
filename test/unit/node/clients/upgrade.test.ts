import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConnectionManager, DEFAULT_RELAY_LIMITS } from '../../../../node/clients/connection-manager.ts'
import { WebSocketServer } from '../../../../node/clients/websocket-server.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
/** Requests that an address may make at once: four seconds' worth. */
const BURST = 4 * DEFAULT_RELAY_LIMITS.connectionsPerSecond

let http: Server
let connections: ConnectionManager
let webSockets: WebSocketServer
let clients: Socket[]

beforeEach(async () => {
  clients = []
  connections = new ConnectionManager(() => 0, DEFAULT_RELAY_LIMITS)
  http = createServer((_request, response) => response.end())
  await once(http.listen(0, '127.0.0.1'), 'listening')
  webSockets = new WebSocketServer(
    { httpServer: http, connectionManager: connections, logger: silentLogger },
    { trustForwardedFor: false }
  )
  webSockets.start()
})

afterEach(() => {
  for (const client of clients) client.destroy()
  webSockets.stop()
  http.close()
})

/** A client that never closes its own side. */
function open(): Socket {
  const { port } = http.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined)
  clients.push(socket)
  return socket
}

/** Asks for an upgrade. @returns the status line, once the node has closed its side. */
async function upgrade(target: string): Promise<string> {
  const socket = open()
  let answer = ''
  socket.setEncoding('latin1').on('data', chunk => (answer += chunk))
  socket.write(`GET ${target} HTTP/1.1\r\nHost: node\r\n${UPGRADE}\r\n\r\n`)
  await once(socket, 'end')
  return answer.split('\r\n')[0]!
}

const openSockets = (): Promise<number> =>
  new Promise((resolve, reject) => http.getConnections((error, count) => (error ? reject(error) : resolve(count))))

describe('an upgrade request', () => {
  it.each(['//', '///', '/\\', 'http://', 'http://[', 'https://a:99999', '*', '/%', '/nope', '//x', '/;', '/./'])(
    'to %s is refused, and the process goes on',
    async target => {
      expect(await upgrade(target)).toBe('HTTP/1.1 404 Not Found')
    }
  )

  it('that is refused leaves no socket behind, although its client keeps its side open', async () => {
    const closed = new Promise<void>(resolve => {
      http.once('connection', (socket: Socket) => socket.once('close', () => resolve()))
    })
    await upgrade('/nope')
    await closed
    expect(await openSockets()).toBe(0)
  })

  it('that is refused counts as a connection of its address', async () => {
    for (let i = 0; i < BURST; i++) await upgrade('/nope')
    expect(await upgrade('/nope')).toBe('HTTP/1.1 429 Too Many Requests')
    expect(await upgrade('/')).toBe('HTTP/1.1 429 Too Many Requests')
    expect(connections.refusedConnections).toBe(BURST + 2)
    expect(connections.connections).toBe(0)
  })

  it('that throws inside costs its own socket only', async () => {
    connections.admit = () => {
      throw new Error('a bug')
    }
    await upgrade('/')
    expect(await upgrade('/nope')).toBe('HTTP/1.1 404 Not Found')
  })
})

describe('stopping', () => {
  it('does not wait for clients that hold a refused upgrade open', async () => {
    const held = Array.from({ length: 3 }, open)
    for (const socket of held) socket.write(`GET /nope HTTP/1.1\r\nHost: node\r\n${UPGRADE}\r\n\r\n`)
    await Promise.all(held.map(socket => once(socket, 'data')))
    webSockets.stop()
    await new Promise(resolve => http.close(resolve))
  })
})
