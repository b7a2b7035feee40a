/**
 * A raw WebSocket relay, or one that sends or receives through it, in a process of its own like everything of ours: no
 * authentication, encryption, acknowledgement or storage, the floor under any messenger's latency.
 */
import { once, type EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Arrivals, sendPaced, type PacedRequest } from './paced.ts'
import { serveRequests } from './worker.ts'

/** What the measurement asks for; `folder` holds the peer's `node_modules`. */
export type RelayRequest =
  | PacedRequest
  /** Passes every frame on: to the relay at `onward`, or to all other connections. Answered with its URL. */
  | { ask: 'serve'; folder: string; onward: string | null }
  | { ask: 'join'; folder: string; url: string }

interface Socket extends EventEmitter {
  send(frame: Uint8Array): void
}

interface Ws {
  WebSocket: new (url: string, options: object) => Socket
  WebSocketServer: new (options: object) => EventEmitter & { clients: Set<Socket>; address(): AddressInfo }
}

const FRAME_BYTES = 512

const arrivals = new Arrivals()
let socket: Socket | undefined

async function answer(request: RelayRequest): Promise<unknown> {
  switch (request.ask) {
    case 'serve':
      return serve(load(request.folder), request.onward)
    case 'join':
      socket = await connect(load(request.folder), request.url)
      socket.on('message', (frame: Buffer) => arrivals.note(frame.readUInt32LE(0)))
      return undefined
    case 'send':
      return sendPaced(request, number => {
        const frame = Buffer.alloc(FRAME_BYTES)
        frame.writeUInt32LE(number, 0)
        socket!.send(frame)
      })
    case 'received':
      return arrivals.take(request.count, request.timeoutMs)
    case 'stop':
      return undefined
  }
}

const load = (folder: string): Ws => createRequire(join(folder, 'package.json'))('ws') as Ws

async function connect({ WebSocket }: Ws, url: string): Promise<Socket> {
  const made = new WebSocket(url, { perMessageDeflate: false })
  await once(made, 'open')
  return made
}

async function serve(ws: Ws, onward: string | null): Promise<string> {
  const server = new ws.WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  await once(server, 'listening')
  const next = onward === null ? undefined : await connect(ws, onward)
  server.on('connection', (from: Socket) => {
    from.on('message', (frame: Buffer) => {
      if (next) next.send(frame)
      else for (const other of server.clients) if (other !== from) other.send(frame)
    })
  })
  return `ws://127.0.0.1:${server.address().port}`
}

serveRequests(answer)
