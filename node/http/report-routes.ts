import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MAX_REPORT_BYTES } from '../../protocol/reports/report.ts'
import type { ReportService } from '../reports/report-service.ts'
import type { DeviceAuthorization } from './device-authorization.ts'
import { allowSignedRequests, bodyOf } from './signed-requests.ts'

/** Reports of people to the operator; see docs/http-api.md. */
export function reportRoutes(app: FastifyInstance, reports: ReportService, authorization: DeviceAuthorization): void {
  allowSignedRequests(app, '/v1/reports')
  app.removeAllContentTypeParsers()
  const options = { parseAs: 'buffer' as const, bodyLimit: MAX_REPORT_BYTES }
  app.addContentTypeParser('application/cbor', options, async (_request: unknown, body: unknown) => body)
  app.withTypeProvider<ZodTypeProvider>().post(
    '/v1/reports',
    {
      schema: {
        summary: 'Tell the operator of this node about a person: a signed request with an encoded Report',
        consumes: ['application/cbor'],
        response: { 204: z.null() }
      }
    },
    async (request, reply) => {
      const body = bodyOf(request)
      const signed = { method: request.method, target: request.url, body }
      await reports.take(await authorization.accountOf(request.headers.authorization, signed), body)
      return reply.status(204).send(null)
    }
  )
}
