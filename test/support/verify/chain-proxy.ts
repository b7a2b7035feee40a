/** A Blockfrost server that hands on what another one says, and can be made to lie about it. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Changes an answer's JSON, or writes to the connection itself and returns nothing. */
export type ChainLie = (path: string, json: unknown, response: ServerResponse) => unknown

export class ChainProxy {
  lie: ChainLie | undefined
  readonly #server: Server

  /** @param target - base URL of the server that answers. */
  constructor(target: string) {
    this.#server = createServer((request, response) => {
      void this.#serve(`${target}${request.url}`, request.url ?? '/', response)
    })
  }

  async start(): Promise<this> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(url: string, path: string, response: ServerResponse): Promise<void> {
    const answer = await fetch(url)
    const json: unknown = await answer.json()
    const told = this.lie && answer.ok ? this.lie(path, json, response) : json
    if (told === undefined) return
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(told))
  }
}
