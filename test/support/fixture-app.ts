import { resolve } from 'node:path'
import helmet from '@fastify/helmet'
import { fastify } from 'fastify'
import { PERMISSIONS_POLICY, securityHeaders } from '../../node/http/security-headers.ts'
import { staticApp } from '../../node/http/static-app.ts'
import { configuredEpoch, type ListedNode } from '../../protocol/wire/placement.ts'

/** Where `vite build web --mode fixture` puts the app with a scripted peer. */
export const FIXTURE_FOLDER = resolve('dist/web-fixture')

/**
 * Serves a built app on loopback as a node does, with a node's security headers. `byName` is the same origin for browsers that ask for
 * a name, as they do for passkeys.
 * @param options - `nodes`: origins of the listed nodes, `port`: 0 for any.
 */
export async function serveApp(
  folder: string,
  { nodes = [], port = 0 }: { nodes?: string[]; port?: number } = {}
): Promise<{ origin: string; byName: string; stop(): Promise<void> }> {
  const server = fastify({ forceCloseConnections: true })
  const listed = nodes.map(url => ({ url }) as ListedNode)
  const epoch = configuredEpoch(0, new Uint8Array(32), listed)
  await server.register(
    helmet,
    securityHeaders(() => epoch, false)
  )
  server.addHook('onRequest', async (_request, reply) => {
    void reply.header(PERMISSIONS_POLICY.name, PERMISSIONS_POLICY.value)
  })
  // A browser that shows a picture by itself asks for this; the app names its own icon.
  server.get('/favicon.ico', async (_request, reply) => reply.code(204).send())
  await staticApp(server, folder)
  const origin = await server.listen({ host: '127.0.0.1', port })
  return { origin, byName: origin.replace('127.0.0.1', 'localhost'), stop: () => server.close() }
}

/** Builds the app with its scripted peer. Takes seconds. */
export async function buildFixture(): Promise<void> {
  const { build } = await import('vite')
  await build({ root: resolve('web'), configFile: resolve('web/vite.config.ts'), mode: 'fixture', logLevel: 'error' })
}
