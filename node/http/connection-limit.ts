import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { addressKey } from '../limits/address-key.ts'

/**
 * Connections of one address at once, those that became WebSockets included: the connection manager bounds these further,
 * but only from the upgrade request on.
 */
const MAX_CONNECTIONS_PER_ADDRESS = 1_024

/** Hangs up on addresses that hold too many connections open, so that one address cannot use up all sockets. */
export function limitConnections(server: Server, max = MAX_CONNECTIONS_PER_ADDRESS): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    if (socket.remoteAddress === undefined) return
    const address = addressKey(socket.remoteAddress)
    const count = open.get(address) ?? 0
    if (count >= max) return void socket.destroy()
    open.set(address, count + 1)
    socket.once('close', () => {
      const left = open.get(address)! - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
  })
}
