import { exactly, requireSize, skipping, verifiedContent } from '../byte-stream.ts'
import { StorageError } from '../errors.ts'
import { callHttp, discard, type HttpAnswer, type HttpRequest } from '../http/http-call.ts'
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
import { readData, readListing, readUpload } from './iagon-answers.ts'
import { multipartBody } from './multipart.ts'

/** Iagon's gateway. */
export const IAGON_URL = 'https://gw.iagon.com'
/** Public sources name 40 MB as the limit of one upload; others send more. The smaller one is safe. */
export const IAGON_MAX_OBJECT_BYTES = 40 * 1000 * 1000

/** What {@link IagonStorageAdapter} is told. */
export interface IagonStorageInit extends RetryInit {
  /** From app.iagon.com, "Settings", "Generate Token". */
  apiKey: string
  /** Origin of the gateway; default {@link IAGON_URL}. */
  url?: string | undefined
  /** Folder on Iagon that the objects go to; default: the root. */
  directoryId?: string | undefined
  maxObjectBytes?: number | undefined
  idleTimeoutMs?: number | undefined
}

const ADAPTER = 'iagon-v2'
const ID = /^[A-Za-z0-9_-]{1,128}$/
/** Tells our objects from other files of the same account. */
const NAME_PREFIX = 'volo.'

/** The body of a download differs between public clients; which one works is remembered. */
type DownloadForm = 'json' | 'multipart'

/**
 * Objects on Iagon, API v2. What is known of that API comes from public clients of it, see docs/storage.md. Names are no keys there,
 * ids are; and Iagon protects nothing: what we store is ciphertext already.
 */
export class IagonStorageAdapter implements StorageAdapter {
  readonly name = ADAPTER
  readonly maxObjectBytes: number
  readonly #init: IagonStorageInit
  #downloadForm: DownloadForm = 'json'

  constructor(init: IagonStorageInit) {
    this.#init = init
    this.maxObjectBytes = init.maxObjectBytes ?? IAGON_MAX_OBJECT_BYTES
  }

  async put(object: NewObject, { signal }: Cancellable = {}): Promise<StoredObject> {
    requireSize(object.size, this.maxObjectBytes)
    // An upload whose answer was lost may have succeeded: look before each attempt, or the object is stored twice.
    return this.#retried(async () => (await this.#existing(object, signal)) ?? this.#upload(object, signal), signal)
  }

  async get(reference: StorageReference, { signal }: Cancellable = {}): Promise<ByteStream> {
    const { id, size } = readReference(ADAPTER, reference, ID)
    const answer = await this.#retried(() => this.#download(id, size, {}, signal), signal)
    return exactly(answer.body, size)
  }

  async range(
    reference: StorageReference,
    start: number,
    length: number,
    { signal }: Cancellable = {}
  ): Promise<ByteStream> {
    const { id, size } = readReference(ADAPTER, reference, ID)
    requireRange(size, start, length)
    const headers = { range: `bytes=${start}-${start + length - 1}` }
    const answer = await this.#retried(() => this.#download(id, size, headers, signal), signal)
    // No public client shows whether Iagon knows ranges: where it sends everything, what comes before is dropped here.
    const isPartial = answer.status === 206 && answer.headers.get('content-range')?.startsWith(`bytes ${start}-`)
    return exactly(isPartial ? answer.body : skipping(answer.body, start), length)
  }

  async delete(reference: StorageReference, { signal }: Cancellable = {}): Promise<void> {
    const { id } = readReference(ADAPTER, reference, ID)
    await this.#retried(async () => {
      try {
        await readData(await this.#call({ method: 'DELETE', path: `file/${id}` }, signal))
      } catch (error) {
        if (!(error instanceof StorageError) || error.code !== 'not-found') throw error
      }
    }, signal)
  }

  async *list(prefix: string, { signal }: Cancellable = {}): AsyncIterable<StoredObject> {
    const seen = new Set<string>()
    for (const { id, name, size } of await this.#retried(() => this.#files(signal), signal)) {
      const own = name.startsWith(NAME_PREFIX) ? name.slice(NAME_PREFIX.length) : undefined
      if (own === undefined || !own.startsWith(prefix) || seen.has(own)) continue
      seen.add(own)
      yield { reference: makeReference(ADAPTER, size, id), name: own as ObjectName, size }
    }
  }

  /** The key is checked by a listing: whoever may list may store. */
  async health({ signal }: Cancellable = {}): Promise<void> {
    await this.#files(signal)
  }

  async #existing({ name, size }: NewObject, signal?: AbortSignal): Promise<StoredObject | undefined> {
    for await (const found of this.list(name, { signal })) {
      if (found.name !== name) continue
      if (found.size === size) return found
      throw new StorageError('conflict', `the name is taken by an object of ${found.size} bytes`)
    }
    return undefined
  }

  async #upload(object: NewObject, signal?: AbortSignal): Promise<StoredObject> {
    const name = NAME_PREFIX + object.name
    const fields: Record<string, string> = { filename: name, visibility: 'public', index_listing: 'true' }
    if (this.#init.directoryId !== undefined) fields['directoryId'] = this.#init.directoryId
    const form = multipartBody(fields, { name, size: object.size, content: () => verifiedContent(object, signal) })
    const headers = { 'content-type': form.contentType }
    const answer = await this.#call(
      { method: 'POST', path: 'upload', headers, body: form.content, bodyBytes: form.bytes },
      signal
    )
    const id = readUpload(await readData(answer))
    return { reference: makeReference(ADAPTER, object.size, id), name: object.name, size: object.size }
  }

  async #files(signal?: AbortSignal): Promise<ReturnType<typeof readListing>> {
    const query = new URLSearchParams({ visibility: 'public', listingType: 'index' })
    if (this.#init.directoryId !== undefined) query.set('parent_directory_id', this.#init.directoryId)
    return readListing(await readData(await this.#call({ method: 'GET', path: `directory?${query}` }, signal)))
  }

  async #download(
    id: string,
    size: number,
    headers: Record<string, string>,
    signal?: AbortSignal
  ): Promise<HttpAnswer> {
    const answer = await this.#askDownload(id, this.#downloadForm, headers, signal)
    if (answer.status !== 400 && answer.status !== 415) return this.#objectOf(answer, size)
    await discard(answer)
    const other: DownloadForm = this.#downloadForm === 'json' ? 'multipart' : 'json'
    const second = await this.#objectOf(await this.#askDownload(id, other, headers, signal), size)
    this.#downloadForm = other
    return second
  }

  #askDownload(
    id: string,
    form: DownloadForm,
    headers: Record<string, string>,
    signal?: AbortSignal
  ): Promise<HttpAnswer> {
    const boundary = 'volo-download'
    const [type, text] =
      form === 'json'
        ? ['application/json', JSON.stringify({ id, files: [id] })]
        : [
            `multipart/form-data; boundary=${boundary}`,
            `--${boundary}\r\ncontent-disposition: form-data; name="id"\r\n\r\n${id}\r\n--${boundary}--\r\n`
          ]
    const body = async function* (): ByteStream {
      yield Buffer.from(text)
    }
    const request = { method: 'POST', path: 'download', headers: { ...headers, 'content-type': type } }
    return this.#call({ ...request, body, bodyBytes: Buffer.byteLength(text) }, signal)
  }

  /** An error may come with status 200, as JSON; an object may look like JSON too, but then it has the right length. */
  async #objectOf(answer: HttpAnswer, size: number): Promise<HttpAnswer> {
    const isOk = answer.status === 200 || answer.status === 206
    const isJson = answer.headers.get('content-type')?.includes('json') === true
    if (isOk && (!isJson || answer.headers.get('content-length') === `${size}`)) return answer
    await readData(answer)
    throw new StorageError('corrupt', 'Iagon answers JSON instead of an object')
  }

  #call(
    { path, headers, ...request }: Omit<HttpRequest, 'url'> & { path: string },
    signal?: AbortSignal
  ): Promise<HttpAnswer> {
    const url = new URL(`/api/v2/storage/${path}`, this.#init.url ?? IAGON_URL)
    const all = { accept: 'application/json, application/octet-stream', ...headers, 'x-api-key': this.#init.apiKey }
    return callHttp({ ...request, url, headers: all }, this.#init, signal)
  }

  #retried<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withRetries(attempt, this.#init, signal)
  }
}
