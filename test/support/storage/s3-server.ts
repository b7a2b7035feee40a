/**
 * A local server that speaks the part of S3 that we use and checks every signature (SigV4) by its own code, from the published
 * rules: the client library is not used here. The hash of the content is checked too.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyOf, FaultServer } from './fault-server.ts'

const MAX_CLOCK_SKEW_MS = 15 * 60_000
/** Small pages, so that a listing has several. */
const PAGE = 3

export class S3Server extends FaultServer {
  readonly keys = new Map([['AKIATEST', 'secret of the test']])
  readonly region = 'test-1'
  readonly bucket = 'bucket'
  readonly #objects = new Map<string, Buffer>()

  protected forgetObjects(): void {
    this.#objects.clear()
  }

  protected refuse(response: ServerResponse, status: number, code: string): void {
    response.writeHead(status, { 'content-type': 'application/xml' })
    response.end(`<?xml version="1.0"?><Error><Code>${code.replaceAll(' ', '')}</Code></Error>`)
  }

  protected async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    const problem = this.#signatureProblem(request, body)
    if (problem !== undefined) return this.refuse(response, 403, problem)
    const url = new URL(request.url!, 'http://server')
    if (url.pathname === `/${this.bucket}` && request.method === 'GET') return this.#list(url, response)
    const key = decodeURIComponent(url.pathname.slice(this.bucket.length + 2))
    if (request.method === 'PUT') return this.#put(key, body, response)
    if (request.method === 'DELETE') {
      this.#objects.delete(key)
      return void response.writeHead(204).end()
    }
    const bytes = this.#objects.get(key)
    if (!bytes) return this.refuse(response, 404, 'NoSuchKey')
    if (request.method === 'HEAD') return void response.writeHead(200, { 'content-length': bytes.length }).end()
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (!range) return this.sendObject(response, 200, bytes)
    this.sendObject(response, 206, bytes.subarray(Number(range[1]), Number(range[2]) + 1))
  }

  #put(key: string, body: Buffer, response: ServerResponse): void {
    if (this.fault === 'quota') return this.refuse(response, 403, 'QuotaExceeded')
    if (this.fault === 'success that is none') return this.refuse(response, 200, 'InternalError')
    this.#objects.set(key, body)
    response.writeHead(200, { etag: '"x"' }).end()
  }

  #list(url: URL, response: ServerResponse): void {
    const prefix = url.searchParams.get('prefix') ?? ''
    const after = url.searchParams.get('continuation-token') ?? ''
    const keys = [...this.#objects.keys()].filter(key => key.startsWith(prefix) && key > after).sort()
    const page = keys.slice(0, PAGE)
    const contents = page.map(
      key => `<Contents><Key>${key}</Key><Size>${this.#objects.get(key)!.length}</Size></Contents>`
    )
    const isTruncated = keys.length > PAGE
    const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`
    )
  }

  #signatureProblem(request: IncomingMessage, body: Buffer): string | undefined {
    const parsed =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
        request.headers.authorization ?? ''
      )
    if (!parsed) return 'AccessDenied'
    const [, keyId, day, region, signedHeaders, signature] = parsed as unknown as string[]
    const secret = this.fault === 'revoked key' ? undefined : this.keys.get(keyId!)
    if (secret === undefined) return 'InvalidAccessKeyId'
    const date = String(request.headers['x-amz-date'])
    if (region !== this.region || !date.startsWith(day!)) return 'AuthorizationHeaderMalformed'
    if (Math.abs(Date.now() - timeOf(date)) > MAX_CLOCK_SKEW_MS) return 'RequestTimeTooSkewed'
    const names = signedHeaders!.split(';')
    if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every(name => names.includes(name))) return 'AccessDenied'
    const contentHash = String(request.headers['x-amz-content-sha256'])
    if (contentHash !== sha256(body)) return 'XAmzContentSHA256Mismatch'
    const scope = `${day}/${region}/s3/aws4_request`
    const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonicalRequest(request, names, contentHash))].join('\n')
    const key = [day!, region, 's3', 'aws4_request'].reduce<Buffer>(
      (secretSoFar, part) => hmac(secretSoFar, part),
      Buffer.from(`AWS4${secret}`)
    )
    const expected = hmac(key, toSign)
    return timingSafeEqual(expected, Buffer.from(signature!, 'hex')) ? undefined : 'SignatureDoesNotMatch'
  }
}

function canonicalRequest(request: IncomingMessage, names: string[], contentHash: string): string {
  const url = new URL(request.url!, 'http://server')
  const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort()
  const headers = names.map(name => `${name}:${String(request.headers[name]).trim().replace(/ +/g, ' ')}\n`)
  return [request.method, url.pathname, query.join('&'), headers.join(''), names.join(';'), contentHash].join('\n')
}

/** RFC 3986, which escapes more than `encodeURIComponent`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** `20261129T075500Z` in milliseconds. */
function timeOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
