import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { decodeRecord } from '../../protocol/identity/record.ts'
import { MAX_RECORD_BYTES } from '../../protocol/limits.ts'
import { NodeError } from '../errors.ts'
import type { RecordOutbox } from '../key-directory/record-outbox.ts'

/**
 * Where a RECOVER is handed in. Its device is not known yet, so it cannot come over the stream. Nothing but the record proves
 * who may: the recovery key signs it, and the rules of the directory decide.
 */
export function recoveryRoutes(app: FastifyInstance, records: Pick<RecordOutbox, 'add'>): void {
  void app.register(async binary => {
    binary.removeAllContentTypeParsers()
    const options = { parseAs: 'buffer' as const, bodyLimit: MAX_RECORD_BYTES }
    binary.addContentTypeParser('application/cbor', options, async (_request: unknown, body: string | Buffer) => body)
    binary.withTypeProvider<ZodTypeProvider>().post(
      '/v1/recoveries',
      {
        schema: {
          summary: 'Regain an account with its recovery key; the body is a RECOVER record',
          consumes: ['application/cbor'],
          response: { 202: z.object({ records: z.literal('pending') }) }
        }
      },
      async (request, reply) => {
        const bytes = Buffer.isBuffer(request.body) ? Uint8Array.from(request.body) : new Uint8Array()
        const { kind } = decodeRecord(bytes)
        if (kind !== 'recover') throw new NodeError('refused', 'The record is no RECOVER.')
        await records.add([bytes])
        return reply
          .status(202)
          .header('cache-control', 'no-store')
          .send({ records: 'pending' as const })
      }
    )
  })
}
