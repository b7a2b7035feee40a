import type { FastifyInstance } from 'fastify'

/**
 * Lets pages of any origin read these routes, without credentials: an app that was opened from another node of the
 * network goes on through this one. What they answer is public.
 */
export function allowAnyOrigin(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => {
    void reply.header('access-control-allow-origin', '*').header('cross-origin-resource-policy', 'cross-origin')
  })
}
