import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MAX_BACKUP_HEAD_BYTES } from '../../protocol/backup/backup-head.ts'
import { NodeError } from '../errors.ts'
import type { BackupHeads } from '../storage/backup-heads.ts'
import { accountOfToken } from './backup-authorization.ts'
import { allowSignedRequests, bodyOf } from './signed-requests.ts'
import type { DeviceAuthorization } from './device-authorization.ts'
import { hex } from './schemas.ts'

const accountParams = z.object({ account: hex(32) })
const kdfSchema = z.union([
  z.object({ kind: z.literal('argon2id'), memoryKib: z.int(), iterations: z.int(), parallelism: z.int() }),
  z.object({ kind: z.literal('pbkdf2'), iterations: z.int() })
])

/** Heads of backups; see docs/backup-format.md. */
export function backupRoutes(app: FastifyInstance, heads: BackupHeads, authorization: DeviceAuthorization): void {
  allowSignedRequests(app, '/v1/backups*')
  app.removeAllContentTypeParsers()
  const options = { parseAs: 'buffer' as const, bodyLimit: MAX_BACKUP_HEAD_BYTES }
  app.addContentTypeParser('application/cbor', options, async (_request: unknown, body: unknown) => body)
  const requireOwner = async (request: FastifyRequest, account: string): Promise<void> => {
    const signed = { method: request.method, target: request.url, body: bodyOf(request) }
    const owner = await authorization.accountOf(request.headers.authorization, signed)
    if (owner !== account) throw new NodeError('bad-authorization', 'The device is of another account.')
  }
  readRoutes(app, heads, requireOwner)
  writeRoutes(app, heads, requireOwner)
}

type RequireOwner = (request: FastifyRequest, account: string) => Promise<void>

function readRoutes(app: FastifyInstance, heads: BackupHeads, requireOwner: RequireOwner): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get(
    '/v1/backups/:account',
    {
      schema: {
        summary: 'How the passphrase of a backup is turned into keys',
        params: accountParams,
        response: { 200: z.object({ kdf: kdfSchema, salt: hex(32), counter: z.int() }) }
      }
    },
    async (request, reply) => reply.header('cache-control', 'no-store').send(await heads.lockOf(request.params.account))
  )
  typed.get(
    '/v1/backups/:account/head',
    {
      schema: {
        summary: 'The head of a backup, in CBOR',
        description: 'For a device of the account, or with the token that follows from the passphrase.',
        params: accountParams
      }
    },
    async (request, reply) => {
      const { account } = request.params
      const shown = await accountOfToken(heads, request.headers.authorization, request.ip)
      if (shown === undefined) await requireOwner(request, account)
      else if (shown !== account) throw new NodeError('bad-authorization', 'The token is of another account.')
      const head = Buffer.from(await heads.get(account))
      return reply.header('cache-control', 'no-store').type('application/cbor').send(head)
    }
  )
}

function writeRoutes(app: FastifyInstance, heads: BackupHeads, requireOwner: RequireOwner): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.put(
    '/v1/backups/:account',
    {
      schema: {
        summary: 'Replace the head of the own backup by a later one',
        consumes: ['application/cbor'],
        params: accountParams,
        response: { 204: z.null() }
      }
    },
    async (request, reply) => {
      await requireOwner(request, request.params.account)
      await heads.put(request.params.account, bodyOf(request))
      return reply.status(204).send(null)
    }
  )
  typed.delete(
    '/v1/backups/:account',
    {
      schema: {
        summary: 'Remove the head of the own backup; its objects are removed one by one',
        params: accountParams,
        response: { 204: z.null() }
      }
    },
    async (request, reply) => {
      await requireOwner(request, request.params.account)
      await heads.remove(request.params.account)
      return reply.status(204).send(null)
    }
  )
}
