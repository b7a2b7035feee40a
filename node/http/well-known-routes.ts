import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { NameProofs } from '../key-directory/name-proofs.ts'
import { hex } from './schemas.ts'

const FILE = /^([a-z0-9_]{3,24})\.json$/

/** `/.well-known/volo/NAME.json`: who has a name, with a proof that needs nothing else. */
export function wellKnownRoutes(app: FastifyInstance, names: NameProofs): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/.well-known/volo/:file',
    {
      schema: {
        summary: 'The account behind a username, with its proof; the file is NAME.json',
        params: z.object({ file: z.string().regex(FILE, 'expected NAME.json') }),
        response: {
          200: z.object({ network: hex(32), username: z.string(), accountId: hex(32), proof: z.string() })
        }
      }
    },
    async (request, reply) => {
      const [, name] = FILE.exec(request.params.file)!
      return reply.header('cache-control', 'no-cache').send(await names.find(name!, request.ip))
    }
  )
}
