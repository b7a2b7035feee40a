import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { addressKey } from '../limits/rate-limiter.ts'

/** Plain HTTP connections of one address at once. WebSockets are counted by the connection manager instead. */
const MAX_CONNECTIONS_PER_ADDRESS = 1_024

/** Hangs up on addresses that hold too many connections open, so that none can use up all sockets. */
export function limitConnections(server: Server, max = MAX_CONNECTIONS_PER_ADDRESS): void {
  const open = new Map<string, Set<Socket>>()
  const forget = (address: string, socket: Socket): void => {
    const sockets = open.get(address)
    sockets?.delete(socket)
    if (sockets?.size === 0) open.delete(address)
  }
  server.on('connection', (socket: Socket) => {
    if (socket.remoteAddress === undefined) return
    const address = addressKey(socket.remoteAddress)
    const sockets = open.get(address) ?? new Set()
    if (sockets.size >= max) return void socket.destroy()
    open.set(address, sockets.add(socket))
    socket.once('close', () => forget(address, socket))
  })
  server.on('upgrade', (_request, socket) => {
    const { remoteAddress } = socket as Socket
    if (remoteAddress !== undefined) forget(addressKey(remoteAddress), socket as Socket)
  })
}
