import type { Server } from 'node:net'
import type { Logger } from '../ports.ts'

/**
 * Keeps a listening server, and with it the process, alive when the system cannot give it a connection: without file
 * descriptors left (`EMFILE`) a server emits `error`, which ends a process that does not listen for it. The client meets
 * a closed connection; the next one may be accepted. Errors of `listen` itself still reach its caller.
 */
export function surviveAcceptErrors(server: Server, log: Pick<Logger, 'warn'>): void {
  server.on('error', error => {
    if (server.listening) log.warn('a connection could not be accepted', { reason: error.message })
  })
}
