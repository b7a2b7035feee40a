/** Turns whatever goes wrong into `{ error, message }` with a fitting status, and nothing of the inside. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance } from 'fastify'
import { ProtocolError, type ProtocolErrorCode } from '../../protocol/errors.ts'
import { NodeError, type NodeErrorCode } from '../errors.ts'
import type { Logger } from '../ports.ts'

const PROTOCOL_STATUS: Partial<Record<ProtocolErrorCode, number>> = {
  TOO_LARGE: 413,
  BAD_SIGNATURE: 403,
  NOT_FOR_US: 403,
  REPLAYED: 409,
  LIMIT_REACHED: 429
}

const NODE_STATUS: Partial<Record<NodeErrorCode, number>> = {
  malformed: 400,
  'too-large': 413,
  'not-found': 404,
  'rate-limited': 429,
  refused: 403,
  busy: 503,
  unreachable: 503,
  'disk-full': 503,
  'bad-nonce': 403,
  'bad-code': 403,
  'bad-return': 400,
  'already-registered': 409,
  'identity-limit': 429,
  'unknown-provider': 404,
  'unknown-sign-in': 400,
  'provider-unreachable': 502,
  'foreign-name': 421,
  'bad-authorization': 401,
  'over-quota': 507,
  incomplete: 409,
  overtaken: 409,
  'storage-key': 403,
  'no-mail': 501
}

/** Codes of Fastify's own refusals. */
const FASTIFY_CODES: Record<string, [code: string, message: string]> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-content-type', 'This route does not accept that content type.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['too-large', 'The request body is too large.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed', 'The request body is not JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed', 'The request body is empty.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed', 'The request body does not have the announced length.'],
  FST_ERR_BAD_URL: ['malformed', 'The address is malformed.'],
  FST_ERR_VALIDATION: ['malformed', 'The request is malformed.']
}

interface Answer {
  status: number
  error: string
  message: string
}

/** What a client is told of an error. */
export function answerFor(error: unknown): Answer {
  if (error instanceof ProtocolError) {
    const code = error.code.toLowerCase().replaceAll('_', '-')
    return { status: PROTOCOL_STATUS[error.code] ?? 400, error: code, message: error.message }
  }
  if (error instanceof NodeError && NODE_STATUS[error.code] !== undefined) {
    return { status: NODE_STATUS[error.code]!, error: error.code, message: error.message }
  }
  return answerForFastify(error as FastifyError)
}

function answerForFastify({ code, statusCode, validation, message }: FastifyError): Answer {
  const known = FASTIFY_CODES[code]
  if (known) {
    const detail = validation ? ` ${message}` : ''
    return { status: statusCode ?? 400, error: known[0], message: `${known[1]}${detail}`.slice(0, 500) }
  }
  if (statusCode === 429) return { status: 429, error: 'rate-limited', message: 'Too many requests; try again later.' }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, error: 'malformed', message: STATUS_CODES[statusCode] ?? 'The request is malformed.' }
  }
  return { status: 500, error: 'internal', message: 'The node failed to handle this request.' }
}

/** Makes all errors of a server's routes answers of one form; logs those that are ours. */
export function answerErrors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, ...body } = answerFor(error)
    if (status >= 500) log.error('a request failed', { route: request.routeOptions.url, error })
    void reply.status(status).send(body)
  })
  app.setNotFoundHandler((_request, reply) => {
    void reply.status(404).send({ error: 'not-found', message: 'There is nothing at this address.' })
  })
}

const CLIENT_ERRORS: Record<string, [status: number, code: string, message: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'too-large', 'The request headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'too-large', 'The chunk extensions are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'timeout', 'The request took too long to arrive.']
}

/** Answers what is not even HTTP, and hangs up. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy()
  const [status, code, message] = CLIENT_ERRORS[error.code ?? ''] ?? [400, 'malformed', 'This is not an HTTP request.']
  const body = JSON.stringify({ error: code, message })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    // A peer that does not read its answer must not keep the socket.
    () => socket.destroySoon()
  )
}
