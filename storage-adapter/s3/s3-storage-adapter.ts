import { AwsV4Signer } from 'aws4fetch'
import { toHex } from '../../protocol/bytes.ts'
import { exactly, requireSize, verifiedContent } from '../byte-stream.ts'
import { StorageError } from '../errors.ts'
import { callHttp, discard, textOf, type HttpAnswer, type HttpRequest } from '../http/http-call.ts'
import { withRetries, type RetryInit } from '../http/retry.ts'
import { makeReference, readReference, requireRange } from '../reference.ts'
import type {
  ByteStream,
  Cancellable,
  NewObject,
  ObjectName,
  StorageAdapter,
  StorageReference,
  StoredObject
} from '../storage-adapter.ts'
import { readS3Listing, s3Error } from './s3-answers.ts'

/** Largest object of one PUT (S3's own limit is 5 GiB). */
export const S3_MAX_OBJECT_BYTES = 1024 * 1024 * 1024

/** What {@link S3StorageAdapter} is told. */
export interface S3StorageInit extends RetryInit {
  /** Origin of the service, such as `https://s3.eu-central-1.amazonaws.com`; the bucket goes into the path. */
  url: string
  region: string
  bucket: string
  accessKeyId: string
  secretAccessKey: string
  maxObjectBytes?: number | undefined
  idleTimeoutMs?: number | undefined
}

const ADAPTER = 's3'
const NAME = /^[a-z0-9_-]{1,128}$/
/** Tells our objects from others in the same bucket. */
const KEY_PREFIX = 'volo/'
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/**
 * Objects in a bucket of S3, or of a service that speaks it. Requests are signed (SigV4) together with the hash of the content, so
 * that the service refuses bytes that changed on the way. Nothing rests on conditional puts, which many services lack.
 */
export class S3StorageAdapter implements StorageAdapter {
  readonly name = ADAPTER
  readonly maxObjectBytes: number
  readonly #init: S3StorageInit

  constructor(init: S3StorageInit) {
    this.#init = init
    this.maxObjectBytes = init.maxObjectBytes ?? S3_MAX_OBJECT_BYTES
  }

  async put(object: NewObject, { signal }: Cancellable = {}): Promise<StoredObject> {
    requireSize(object.size, this.maxObjectBytes)
    return this.#retried(async () => (await this.#existing(object, signal)) ?? this.#upload(object, signal), signal)
  }

  async get(reference: StorageReference, { signal }: Cancellable = {}): Promise<ByteStream> {
    const { id, size } = readReference(ADAPTER, reference, NAME)
    const answer = await this.#retried(() => this.#download(id, {}, 200, signal), signal)
    return exactly(answer.body, size)
  }

  async range(
    reference: StorageReference,
    start: number,
    length: number,
    { signal }: Cancellable = {}
  ): Promise<ByteStream> {
    const { id, size } = readReference(ADAPTER, reference, NAME)
    requireRange(size, start, length)
    const headers = { range: `bytes=${start}-${start + length - 1}` }
    const answer = await this.#retried(() => this.#download(id, headers, 206, signal), signal)
    return exactly(answer.body, length)
  }

  async delete(reference: StorageReference, { signal }: Cancellable = {}): Promise<void> {
    const { id } = readReference(ADAPTER, reference, NAME)
    await this.#retried(async () => {
      const answer = await this.#call({ method: 'DELETE', url: this.#url(id) }, signal)
      if (answer.status !== 404 && answer.status >= 300) throw await s3Error(answer)
      await discard(answer)
    }, signal)
  }

  async *list(prefix: string, { signal }: Cancellable = {}): AsyncIterable<StoredObject> {
    let continuation: string | undefined
    do {
      const page = await this.#retried(() => this.#page(prefix, continuation, signal), signal)
      for (const { key, size } of page.objects) {
        const name = key.slice(KEY_PREFIX.length)
        if (key.startsWith(KEY_PREFIX) && NAME.test(name)) yield storedObject(name as ObjectName, size)
      }
      continuation = page.continuation
    } while (continuation !== undefined)
  }

  async health({ signal }: Cancellable = {}): Promise<void> {
    await this.#page('', undefined, signal, 1)
  }

  async #existing({ name, size }: NewObject, signal?: AbortSignal): Promise<StoredObject | undefined> {
    const answer = await this.#call({ method: 'HEAD', url: this.#url(name) }, signal)
    if (answer.status === 404) return void (await discard(answer))
    if (answer.status !== 200) throw await s3Error(answer)
    await discard(answer)
    const found = Number(answer.headers.get('content-length'))
    if (found === size) return storedObject(name, size)
    throw new StorageError('conflict', `the name is taken by an object of ${found} bytes`)
  }

  async #upload(object: NewObject, signal?: AbortSignal): Promise<StoredObject> {
    const { name, size, sha256 } = object
    const body = (): ByteStream => verifiedContent(object, signal)
    const request = { method: 'PUT', url: this.#url(name), body, bodyBytes: size }
    const answer = await this.#call(request, signal, toHex(sha256))
    if (answer.status >= 300) throw await s3Error(answer)
    // Some services answer 200 at once and put a failure into the body.
    if ((await textOf(answer)).includes('<Error>'))
      throw new StorageError('unavailable', 'S3 answers 200 with an error')
    return storedObject(name, size)
  }

  async #download(
    id: string,
    headers: Record<string, string>,
    expected: number,
    signal?: AbortSignal
  ): Promise<HttpAnswer> {
    const answer = await this.#call({ method: 'GET', url: this.#url(id), headers }, signal)
    if (answer.status === expected) return answer
    if (answer.status >= 300) throw await s3Error(answer)
    await discard(answer)
    throw new StorageError('unavailable', `S3 answers ${answer.status}, expected ${expected}`)
  }

  async #page(prefix: string, continuation?: string, signal?: AbortSignal, count = 1000) {
    const url = new URL(`/${this.#init.bucket}`, this.#init.url)
    url.searchParams.set('list-type', '2')
    url.searchParams.set('prefix', KEY_PREFIX + prefix)
    url.searchParams.set('max-keys', `${count}`)
    if (continuation !== undefined) url.searchParams.set('continuation-token', continuation)
    const answer = await this.#call({ method: 'GET', url }, signal)
    if (answer.status !== 200) throw await s3Error(answer)
    return readS3Listing(await textOf(answer))
  }

  async #call(request: HttpRequest, signal?: AbortSignal, contentHash = EMPTY_SHA256): Promise<HttpAnswer> {
    const { method, url, headers } = request
    const { accessKeyId, secretAccessKey, region } = this.#init
    const unsigned = { ...headers, 'x-amz-content-sha256': contentHash }
    const init = { method, url: url.href, headers: unsigned, service: 's3', region, accessKeyId, secretAccessKey }
    const signed = await new AwsV4Signer(init).sign()
    return callHttp({ ...request, url: signed.url, headers: Object.fromEntries(signed.headers) }, this.#init, signal)
  }

  #url(name: string): URL {
    return new URL(`/${this.#init.bucket}/${KEY_PREFIX}${name}`, this.#init.url)
  }

  #retried<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withRetries(attempt, this.#init, signal)
  }
}

function storedObject(name: ObjectName, size: number): StoredObject {
  return { reference: makeReference(ADAPTER, size, name), name, size }
}
