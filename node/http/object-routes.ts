import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { OBJECT_PART_BYTES } from '../../protocol/limits.ts'
import { NodeError } from '../errors.ts'
import { OBJECT_PURPOSES } from '../storage/object-records.ts'
import type { ObjectService } from '../storage/object-service.ts'
import { accountOfToken } from './backup-authorization.ts'
import type { DeviceAuthorization } from './device-authorization.ts'
import { hex } from './schemas.ts'
import { allowSignedRequests, bodyOf } from './signed-requests.ts'
import type { BackupHeads } from '../storage/backup-heads.ts'

/** Downloads at once; a reader that stops reading holds its place until its connection ends. */
const MAX_DOWNLOADS = 128
const MAX_LISTED = 1_000
const MAX_PARTS = 1_024
/** Carries the key of a person's own Iagon account. */
const OWN_KEY_HEADER = 'x-volo-iagon-key'

const objectParams = z.object({ hash: hex(32) })
const objectSchema = z.object({
  hash: hex(32),
  size: z.int(),
  purpose: z.enum(OBJECT_PURPOSES),
  storedAt: z.int()
})
const beginSchema = z.object({ size: z.int().min(0), purpose: z.enum(OBJECT_PURPOSES) })

/** Stored objects. Each request is signed by a device; see docs/http-api.md. */
export function objectRoutes(
  app: FastifyInstance,
  { objects, heads, authorization }: { objects: ObjectService; heads: BackupHeads; authorization: DeviceAuthorization }
): void {
  allowSignedRequests(app, '/v1/objects*')
  app.removeAllContentTypeParsers()
  const options = { bodyLimit: OBJECT_PART_BYTES }
  app.addContentTypeParser('application/octet-stream', options, (_request: unknown, body: IncomingMessage) =>
    piecesOf(body)
  )
  const accountOf = (request: FastifyRequest): Promise<string> =>
    authorization.accountOf(request.headers.authorization, {
      method: request.method,
      target: request.url,
      // What is put are the bytes of an object, whose hash the target names.
      body: request.method === 'PUT' ? null : bodyOf(request)
    })
  uploadRoutes(app, objects, accountOf)
  ownRoutes(app, objects, accountOf)
  downloadRoute(app, objects, async request => {
    const { authorization: header } = request.headers
    const account = await accountOfToken(heads, header, request.ip)
    if (account === undefined) return accountOf(request)
    const { hash } = request.params as { hash: string }
    await objects.requireBackupOf(account, hash)
    return account
  })
}

type AccountOf = (request: FastifyRequest) => Promise<string>

function uploadRoutes(app: FastifyInstance, objects: ObjectService, accountOf: AccountOf): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.post(
    '/v1/objects/:hash',
    {
      schema: {
        summary: 'Begin an upload, or learn what is missing of it',
        params: objectParams,
        description:
          'The path has the hash of the object, or 32 random bytes that name the upload; then "hash" is said once it is known.',
        querystring: z.object({
          size: z.coerce.number().int().min(0),
          purpose: beginSchema.shape.purpose,
          hash: hex(32).optional()
        }),
        response: { 200: z.object({ stored: z.boolean(), received: z.array(z.int()), partBytes: z.int() }) }
      }
    },
    async (request, reply) => {
      const upload = { ...request.query, ownKey: ownKeyOf(request) }
      const begun = await objects.begin(await accountOf(request), request.params.hash, upload)
      return unstored(reply).send({ ...begun, partBytes: OBJECT_PART_BYTES })
    }
  )
  typed.put(
    '/v1/objects/:hash',
    {
      schema: {
        summary: 'Store an object of at most one part: it is stored when this answers',
        consumes: ['application/octet-stream'],
        params: objectParams,
        querystring: z.object({ purpose: beginSchema.shape.purpose }),
        response: { 204: z.null() }
      }
    },
    async (request, reply) => {
      const account = await accountOf(request)
      const about = { purpose: request.query.purpose, ownKey: ownKeyOf(request) }
      await objects.store(account, request.params.hash, about, piecesIn(request))
      return reply.status(204).send(null)
    }
  )
  typed.put(
    '/v1/objects/:hash/parts/:index',
    {
      schema: {
        summary: 'Send one part; the same part again takes its place',
        consumes: ['application/octet-stream'],
        params: objectParams.extend({
          index: z.coerce
            .number()
            .int()
            .min(0)
            .max(MAX_PARTS - 1)
        }),
        response: { 204: z.null() }
      }
    },
    async (request, reply) => {
      const { hash, index } = request.params
      await objects.addPart(await accountOf(request), hash, index, piecesIn(request))
      return reply.status(204).send(null)
    }
  )
  typed.post(
    '/v1/objects/:hash/complete',
    {
      schema: {
        summary: 'End an upload: the object is stored when this answers',
        description: 'An upload that was begun under another name than its hash says the hash here.',
        params: objectParams,
        querystring: z.object({ hash: hex(32).optional() }),
        response: { 204: z.null() }
      }
    },
    async (request, reply) => {
      const { hash: name } = request.params
      await objects.complete(await accountOf(request), name, request.query.hash ?? name, ownKeyOf(request))
      return reply.status(204).send(null)
    }
  )
}

function ownRoutes(app: FastifyInstance, objects: ObjectService, accountOf: AccountOf): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get(
    '/v1/objects',
    {
      schema: {
        summary: 'Own objects in the order of their hashes, at most 1000, and what the account uses',
        querystring: z.object({ after: z.union([hex(32), z.literal('')]).default('') }),
        response: {
          200: z.object({ objects: z.array(objectSchema), usedBytes: z.int(), quotaBytes: z.int() })
        }
      }
    },
    async (request, reply) =>
      unstored(reply).send(await objects.list(await accountOf(request), request.query.after, MAX_LISTED))
  )
  typed.delete(
    '/v1/objects/:hash',
    {
      schema: {
        summary: 'Remove an own object or upload; what is not there counts as removed',
        params: objectParams,
        response: { 204: z.null() }
      }
    },
    async (request, reply) => {
      await objects.remove(await accountOf(request), request.params.hash, ownKeyOf(request))
      return reply.status(204).send(null)
    }
  )
}

function downloadRoute(app: FastifyInstance, objects: ObjectService, readerOf: AccountOf): void {
  let downloads = 0
  app.withTypeProvider<ZodTypeProvider>().get(
    '/v1/objects/:hash',
    {
      schema: {
        summary: 'An object, or one range of it',
        description:
          'For any device that knows the hash; with the token of a backup, for what belongs to it. "Range: bytes=FIRST-LAST" and "bytes=FIRST-" are known.',
        params: objectParams
      }
    },
    async (request, reply) => {
      const { size, read } = await objects.open(await readerOf(request), request.params.hash, ownKeyOf(request))
      const range = rangeOf(request.headers.range, size)
      if (range === 'outside') return reply.status(416).header('content-range', `bytes */${size}`).send()
      if (downloads >= MAX_DOWNLOADS) throw new NodeError('busy', 'Too many downloads are under way; try again.')
      downloads++
      const leave = once(() => downloads--)
      reply.raw.once('close', leave)
      try {
        const body = Readable.from(await read(range), { objectMode: false })
        if (range) {
          const last = range.start + range.length - 1
          void reply.status(206).header('content-range', `bytes ${range.start}-${last}/${size}`)
        }
        return await unstored(reply)
          .header('content-length', range?.length ?? size)
          .header('accept-ranges', 'bytes')
          .type('application/octet-stream')
          .send(body)
      } catch (error) {
        leave()
        throw error
      }
    }
  )
}

/** Undefined for the whole object, also where the header has a form that we do not know (RFC 9110, 14.2). */
function rangeOf(header: string | undefined, size: number): { start: number; length: number } | 'outside' | undefined {
  const parts = /^bytes=(\d{1,15})-(\d{1,15})?$/.exec(header ?? '')
  if (!parts) return undefined
  const start = Number(parts[1])
  const end = Math.min(size, parts[2] === undefined ? size : Number(parts[2]) + 1)
  return start < end ? { start, length: end - start } : 'outside'
}

/**
 * The key of a storage of the person's own, for this request alone: it is kept nowhere, and is in no log.
 * @throws NodeError `malformed` without it.
 */
function ownKeyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers[OWN_KEY_HEADER]
  if (key === undefined) return undefined
  if (typeof key === 'string' && /^[\x21-\x7e]{1,4096}$/.test(key)) return key
  throw new NodeError('malformed', 'The key of the storage has another form.')
}

/** The bytes of a body as the socket gives them: they are never joined. @throws NodeError `too-large`. */
async function piecesOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of body) {
    length += piece.length
    if (length > OBJECT_PART_BYTES) throw new NodeError('too-large', `A part has at most ${OBJECT_PART_BYTES} bytes.`)
    pieces.push(piece)
  }
  return pieces
}

function piecesIn({ body }: FastifyRequest): Uint8Array[] {
  return Array.isArray(body) ? (body as Uint8Array[]) : []
}

function unstored<R extends FastifyReply>(reply: R): R {
  return reply.header('cache-control', 'no-store') as R
}

function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) work()
    isDone = true
  }
}
