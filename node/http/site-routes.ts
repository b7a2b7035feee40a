import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MAX_SITE_LENGTH, parseSite } from '../../protocol/identity/site.ts'
import type { SiteChecker } from '../social/site-checker.ts'
import { hex } from './schemas.ts'

/** Whether a web site names an account, for clients that cannot ask other sites themselves. */
export function siteRoutes(app: FastifyInstance, sites: SiteChecker): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/v1/sites/:site',
    {
      schema: {
        summary: 'Whether https://SITE/.well-known/volo.json names an account',
        params: z.object({ site: z.string().max(MAX_SITE_LENGTH) }),
        querystring: z.object({ account: hex(32) }),
        response: {
          200: z.object({ state: z.enum(['linked', 'not-linked', 'unknown']), checkedAt: z.int() })
        }
      }
    },
    async (request, reply) => {
      const { params, query, ip } = request
      return reply
        .header('cache-control', 'no-store')
        .send(await sites.check(parseSite(params.site), query.account, ip))
    }
  )
}
