/** What the local storage servers share: an HTTP server whose next answers can be made to fail. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How a storage fails. */
export type FaultKind =
  | 'one 500'
  | 'always 500'
  | 'slow'
  | 'broken off'
  | 'short'
  | 'success that is none'
  | 'quota'
  | 'revoked key'
  | 'vanished object'

export abstract class FaultServer {
  readonly #server: Server
  protected fault: FaultKind | undefined
  /** Requests that arrived. */
  requests = 0

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async start(): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  /** From now on the server fails so; undefined mends it. */
  setFault(fault: FaultKind | undefined): void {
    this.fault = fault
    if (fault === 'vanished object') this.forgetObjects()
  }

  protected abstract handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  protected abstract forgetObjects(): void
  protected abstract refuse(response: ServerResponse, status: number, message: string): void

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++
    if (this.fault === 'slow') return
    if (this.fault === 'one 500' || this.fault === 'always 500') {
      if (this.fault === 'one 500') this.fault = undefined
      request.resume()
      return this.refuse(response, 500, 'Internal error')
    }
    try {
      await this.handle(request, response)
    } catch {
      // A client that went away in the middle: nothing was stored, nobody listens.
      response.destroy()
    }
  }

  /** Sends an object, or less of it where the fault says so. */
  protected sendObject(response: ServerResponse, status: number, bytes: Uint8Array, headers = {}): void {
    const sent = this.fault === 'short' ? bytes.subarray(0, bytes.length >> 1) : bytes
    response.writeHead(status, {
      'content-type': 'application/octet-stream',
      'content-length': sent.length,
      ...headers
    })
    if (this.fault !== 'broken off') return void response.end(sent)
    response.write(sent.subarray(0, sent.length >> 1), () => response.destroy())
  }
}

/** The whole body; rejects when the client breaks off. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  if (!request.complete) throw new Error('the client broke off')
  return Buffer.concat(parts)
}
