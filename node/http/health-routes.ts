import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ReadinessReason } from '../ports.ts'
import { reasonSchema } from './schemas.ts'

/** What `/readyz` tells. */
export interface Readiness {
  /** Why people cannot chat through this node; empty when they can. */
  reasons: ReadinessReason[]
  /** What an operator should look at, although people can chat. */
  warnings: ReadinessReason[]
}

/** `/healthz`: the process lives. `/readyz`: people can chat, or why not. */
export function healthRoutes(app: FastifyInstance, version: string, readiness: () => Readiness): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get(
    '/healthz',
    {
      schema: {
        summary: 'Whether the node is alive',
        response: { 200: z.object({ status: z.literal('alive'), version: z.string() }) }
      }
    },
    async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'alive', version })
  )
  const warnings = z.array(reasonSchema)
  typed.get(
    '/readyz',
    {
      schema: {
        summary: 'Whether people can chat through this node',
        response: {
          200: z.object({ ready: z.literal(true), warnings }),
          503: z.object({ ready: z.literal(false), reasons: z.array(reasonSchema), warnings })
        }
      }
    },
    async (_request, reply) => {
      const { reasons, warnings } = readiness()
      void reply.header('cache-control', 'no-store')
      if (reasons.length === 0) return reply.send({ ready: true, warnings })
      return reply.status(503).send({ ready: false, reasons, warnings })
    }
  )
}
