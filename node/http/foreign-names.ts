import type { FastifyInstance } from 'fastify'
import { NodeError } from '../errors.ts'
import { LOOPBACK_HOST } from './security-headers.ts'

/**
 * Refuses requests under any name but those of this machine. For a node that listens on loopback only: a page on the web
 * whose name comes to resolve to 127.0.0.1 (DNS rebinding) would otherwise share this node's origin, and could sign in and register here.
 */
export function refuseForeignNames(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ host }) => {
    const name = host.replace(/:\d{1,5}$/, '').toLowerCase()
    if (!LOOPBACK_HOST.test(name)) {
      throw new NodeError('foreign-name', 'This node is reached by http://127.0.0.1 or http://localhost only.')
    }
  })
}
