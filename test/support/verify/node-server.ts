/**
 * What a node answers over HTTP about the directory, made from a replay of the chain. Honest by itself; given a lie, it is
 * the adversary that the tool is tried against.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ChainReplay } from '../../../chain/verify/sources/replay.ts'
import { fromHex, toHex } from '../../../protocol/bytes.ts'
import { encodeProof } from '../../../protocol/directory/proofs/proof.ts'
import { encodeReleaseProof, type ReleaseProof } from '../../../protocol/directory/proofs/release-proof.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { bytesOf, network } from '../directory/cast.ts'
import { genesisJson } from './published-world.ts'

/** An answer before it is sent. */
export interface NodeAnswer {
  status: number
  type: string
  body: Uint8Array | string
}

/** Changes, or replaces, an honest answer; may write to the connection itself and return nothing. */
export type Lie = (
  path: string,
  honest: NodeAnswer,
  response: ServerResponse
) => NodeAnswer | undefined | Promise<NodeAnswer | undefined>

export const cborAnswer = (body: Uint8Array): NodeAnswer => ({ status: 200, type: 'application/cbor', body })
export const jsonAnswer = (value: unknown, status = 200): NodeAnswer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value)
})
const NOT_FOUND = jsonAnswer({ error: 'not-found', message: 'This node knows of no such account.' }, 404)

export class NodeServer {
  /** The chain as this node describes it; replace it once the chain has moved. */
  replay: ChainReplay
  lie: Lie | undefined
  /** The web app, by path: `/` is `index.html`. */
  readonly files = new Map<string, Uint8Array>()
  readonly #label: string
  readonly #server: Server

  /** @param label - decides its key and operator. */
  constructor(label: string, replay: ChainReplay) {
    this.#label = label
    this.replay = replay
    this.#server = createServer((request, response) => void this.#serve(request.url ?? '/', response))
  }

  async start(): Promise<this> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async #serve(path: string, response: ServerResponse): Promise<void> {
    const honest = this.#answer(path)
    const answer = this.lie ? await this.lie(path, honest, response) : honest
    if (!answer) return
    response.writeHead(answer.status, { 'content-type': answer.type })
    response.end(answer.body)
  }

  #answer(path: string): NodeAnswer {
    if (path === '/v1/network') return jsonAnswer(this.describe())
    if (path === '/readyz') return jsonAnswer({ ready: true })
    if (path === '/v1/releases') return cborAnswer(encodeReleaseProof(this.#releases()))
    const file = this.files.get(path === '/' ? 'index.html' : path.slice(1))
    if (file) return { status: 200, type: 'application/octet-stream', body: file }
    const [, account] = /^\/v1\/accounts\/([0-9a-f]{64})\/proof$/.exec(path) ?? []
    if (account !== undefined) return this.#proof(fromHex(account) as AccountId)
    const [, prefix] = /^\/v1\/names\/([0-9a-f]{4,64})$/.exec(path) ?? []
    return prefix === undefined ? NOT_FOUND : jsonAnswer(this.#names(prefix))
  }

  #proof(accountId: AccountId): NodeAnswer {
    const proof = this.replay.proof(accountId)
    return proof ? cborAnswer(encodeProof(proof)) : NOT_FOUND
  }

  #releases(): ReleaseProof {
    const { directory, tip } = this.replay
    const transactions = directory.releases().map(({ order }) => {
      const { bytes: transaction, height, index, time, blockHash } = this.replay.transactionAt(order!)!
      const place = { blockHeight: height, blockHash: fromHex(blockHash), blockTime: time, txIndex: index }
      return { transaction, ...place, recordIndexes: [order!.recordIndex] }
    })
    return { version: 1, transactions, tip: { ...tip, hash: fromHex(tip.hash) } }
  }

  #names(prefix: string): object {
    const matches = [...this.replay.directory.names()]
      .map(({ nameTag, accountId }) => ({ tag: toHex(nameTag), accountId: toHex(accountId), state: 'recorded' }))
      .filter(({ tag }) => tag.startsWith(prefix))
    return { matches, complete: true }
  }

  /** Answer of `/v1/network`. */
  describe(): Record<string, unknown> {
    const key = toHex(bytesOf(`node ${this.#label}`))
    const operator = toHex(bytesOf(`operator ${this.#label}`))
    return {
      networkId: toHex(network),
      genesis: genesisJson(),
      epoch: { number: 0, seed: toHex(bytesOf('seed')), nodes: [{ key, operator, url: this.url, link: '' }] },
      node: key,
      chain: { label: 'local devnet (emulated ledger rules)', emulated: true },
      version: '0.1.0'
    }
  }
}
