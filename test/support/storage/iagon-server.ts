/**
 * A local server of the shape of Iagon's storage API v2, as public clients of that API use it (docs/storage.md lists them). It shows
 * that our adapter agrees with those clients, not that Iagon itself behaves so.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyOf, FaultServer } from './fault-server.ts'

interface IagonFile {
  id: string
  name: string
  bytes: Buffer
}

/** How gateways differ. */
export interface IagonServerInit {
  /** Field of an id: newer gateways say `_id`. */
  idField?: '_id' | 'id'
  /** Body that a download must have. */
  downloadForm?: 'json' | 'multipart'
  /** Whether ranges are known. */
  ranges?: boolean
  maxBytes?: number
}

export class IagonServer extends FaultServer {
  readonly keys = new Set(['test.IAG-SN.key'])
  readonly #files = new Map<string, IagonFile>()
  readonly #init: IagonServerInit

  constructor(init: IagonServerInit = {}) {
    super()
    this.#init = init
  }

  protected forgetObjects(): void {
    this.#files.clear()
  }

  protected refuse(response: ServerResponse, status: number, message: string): void {
    json(response, status, { success: false, message })
  }

  protected async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://server')
    const body = await bodyOf(request)
    const isKnown = this.keys.has(String(request.headers['x-api-key']))
    if (!isKnown || this.fault === 'revoked key') return this.refuse(response, 401, 'Unauthorized')
    if (this.fault === 'success that is none') return this.refuse(response, 200, 'Something went wrong')
    const path = url.pathname.replace('/api/v2/storage', '')
    if (request.method === 'POST' && path === '/upload') return this.#upload(request, body, response)
    if (request.method === 'POST' && path === '/download') return this.#download(request, body, response)
    if (request.method === 'GET' && path === '/directory') return this.#list(response)
    const deleted = /^\/file\/(\w+)$/.exec(path)?.[1]
    if (request.method !== 'DELETE' || deleted === undefined) return this.refuse(response, 404, 'No such route')
    if (!this.#files.delete(deleted)) return this.refuse(response, 404, 'File not found')
    json(response, 200, { success: true, message: 'File deleted' })
  }

  async #upload(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    if (this.fault === 'quota') return this.refuse(response, 400, 'Storage limit reached')
    const form = await formOf(request, body)
    const file = form.get('file')
    if (!(file instanceof File)) return this.refuse(response, 400, 'file is required')
    if (file.size > (this.#init.maxBytes ?? Infinity)) return this.refuse(response, 413, 'File too large')
    const stored = { id: randomBytes(12).toString('hex'), name: String(form.get('filename') ?? file.name) }
    this.#files.set(stored.id, { ...stored, bytes: Buffer.from(await file.arrayBuffer()) })
    json(response, 200, { success: true, message: 'File uploaded', data: this.#view(this.#files.get(stored.id)!) })
  }

  async #download(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const isJson = String(request.headers['content-type']).includes('json')
    if (isJson === (this.#init.downloadForm === 'multipart')) return this.refuse(response, 415, 'Unsupported body')
    const id = isJson
      ? (JSON.parse(body.toString('utf8')) as { id: string }).id
      : String((await formOf(request, body)).get('id'))
    const file = this.#files.get(id)
    if (!file) return this.refuse(response, 404, 'File not found')
    const range = this.#init.ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') : null
    if (!range) return this.sendObject(response, 200, file.bytes)
    const [start, end] = [Number(range[1]), Number(range[2])]
    const headers = { 'content-range': `bytes ${start}-${end}/${file.bytes.length}` }
    this.sendObject(response, 206, file.bytes.subarray(start, end + 1), headers)
  }

  #list(response: ServerResponse): void {
    const files = [...this.#files.values()].map(file => this.#view(file))
    json(response, 200, { success: true, data: { directories: [], files: [{ unexpected: true }, ...files] } })
  }

  #view({ id, name, bytes }: IagonFile): Record<string, unknown> {
    return {
      [this.#init.idField ?? '_id']: id,
      client_id: 'c',
      parent_directory_id: null,
      availability: 'available',
      visibility: 'public',
      region: null,
      name,
      path: `/${name}`,
      unique_id: randomUUID(),
      file_size_byte_native: bytes.length,
      file_size_byte_encrypted: bytes.length + 24,
      index_listing: true,
      __v: 0
    }
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function formOf(request: IncomingMessage, body: Buffer): Promise<FormData> {
  const headers = { 'content-type': request.headers['content-type']! }
  return new Request('http://server', { method: 'POST', headers, body: Uint8Array.from(body) }).formData()
}
