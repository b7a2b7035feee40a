import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ProtocolError } from '../../protocol/errors.ts'
import { MAX_COMPLAINT_LENGTH, MAX_COMPLAINTS_PER_PAGE } from '../../protocol/wire/complaint-file.ts'
import {
  decodeCustodyQuestion,
  encodeCustodyAnswer,
  MAX_QUESTION_BYTES,
  type CustodyAnswer,
  type CustodyQuestion
} from '../../protocol/wire/custody-question.ts'
import type { ComplaintBook } from '../complaints/complaint-book.ts'
import { NodeError } from '../errors.ts'
import { allowAnyOrigin } from './cors.ts'

/** Who answers for custody. */
export interface CustodyAnswers {
  holds(question: CustodyQuestion): Promise<CustodyAnswer>
}

/** People ask a node about its promises here, and publish broken ones. Bodies are text: browsers need no permission for those. */
export function custodyRoutes(app: FastifyInstance, custody: CustodyAnswers, complaints: ComplaintBook): void {
  allowAnyOrigin(app)
  app.removeAllContentTypeParsers()
  const options = { parseAs: 'buffer' as const, bodyLimit: Math.max(MAX_QUESTION_BYTES, MAX_COMPLAINT_LENGTH) }
  app.addContentTypeParser('text/plain', options, async (_request: unknown, body: string | Buffer) => body)
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.post(
    '/v1/custody',
    {
      schema: {
        summary: 'Ask whether this node holds deliveries that it signed for',
        description:
          'The body is a CBOR custody question, as text/plain; the answer is a CBOR custody answer: a receipt for what is held, a signed denial for each of the others.',
        consumes: ['text/plain']
      }
    },
    async (request, reply) => {
      const answer = await custody.holds(questionOf(request.body))
      return reply
        .header('cache-control', 'no-store')
        .type('application/cbor')
        .send(Buffer.from(encodeCustodyAnswer(answer)))
    }
  )
  typed.post(
    '/v1/complaints',
    {
      schema: {
        summary: 'Publish a complaint; the body is the text of a complaint file',
        description: 'It is judged here: 403 with a sentence if it does not hold.',
        consumes: ['text/plain'],
        response: { 204: z.null() }
      }
    },
    async (request, reply) => {
      await complaints.add(String(request.body), request.ip)
      return reply.header('cache-control', 'no-store').status(204).send(null)
    }
  )
  typed.get(
    '/v1/complaints',
    {
      schema: {
        summary: 'Complaints that hold and were published here, as texts of complaint files',
        querystring: z.object({ after: z.string().max(256).optional() }),
        response: {
          200: z.object({
            complaints: z.array(z.string()).max(MAX_COMPLAINTS_PER_PAGE),
            next: z.string().nullable()
          })
        }
      }
    },
    async (request, reply) =>
      reply.header('cache-control', 'no-cache').send(await complaints.page(request.query.after ?? null))
  )
}

function questionOf(body: unknown): CustodyQuestion {
  try {
    return decodeCustodyQuestion(Buffer.isBuffer(body) ? Uint8Array.from(body) : new Uint8Array())
  } catch (cause) {
    if (cause instanceof ProtocolError) throw new NodeError('malformed', cause.message, { cause })
    throw cause
  }
}
