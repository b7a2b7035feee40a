import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** Names that Vite gives: the content's hash is in them, so they never change. */
const HASHED = /[/\\]assets[/\\][^/\\]+-[\w-]{8,}\.\w+$/
const A_YEAR = 'public, max-age=31536000, immutable'

/** Serves the web app. Without one, its page says how to build it. */
export async function staticApp(app: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) {
    app.get('/', { schema: { hide: true } }, async (_request, reply) =>
      reply
        .status(503)
        .type('text/plain; charset=utf-8')
        .send('The web app is not built here. In a checkout, "npm run build" builds it.\n')
    )
    return
  }
  await app.register(fastifyStatic, {
    root: folder,
    cacheControl: false,
    dotfiles: 'ignore',
    index: 'index.html',
    // The app's page and its service worker must be asked for each time, or an update never arrives.
    setHeaders: (reply, path) => {
      void reply.header('cache-control', HASHED.test(path) ? A_YEAR : 'no-cache')
    }
  })
}

/** The folder of the built web app: the configured one, or that of this checkout or package. */
export function webFolder(configured: string | undefined): string {
  if (configured !== undefined) return configured
  // This file is dist/node/http/static-app.js, or node/http/static-app.ts when it runs unbuilt.
  const candidates = [resolve(import.meta.dirname, '../../web'), resolve(import.meta.dirname, '../../dist/web')]
  return candidates.find(folder => existsSync(join(folder, 'assets'))) ?? candidates[0]!
}
