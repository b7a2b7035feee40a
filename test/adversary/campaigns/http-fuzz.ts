/**
 * Raw bytes on a node's public and administration ports: requests and upgrades that are nearly right, many in one
 * connection, from many connections at once. The node is a process of its own, as operators run it, so that whatever ends
 * it is seen, and so are the descriptors it keeps.
 */
import { readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { NodeProcess } from '../../support/network/real-processes/node-process.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { comesTrue } from '../../support/wait-for.ts'
import { mutateBytes } from './fuzz/mutation.ts'
import { requestText } from './http-requests.ts'

export interface HttpFuzzInit {
  seed: number
  requests: number
  budgetMs?: number
}

export interface HttpFuzzResult {
  requests: number
  connections: number
  /** Answers by status. */
  statuses: Record<string, number>
  failures: string[]
  descriptors: { before: number; after: number }
}

const LANES = 24
/** What follows a request without form is not read, so a batch is short. */
const MAX_PIPELINED = 6
/** A part of all requests loses its form altogether. */
const SPOILT = 0.1
/** An answer to a whole batch that takes longer counts as a connection that the node holds. */
const DEADLINE_MS = 60_000
/** Descriptors that may be open for other reasons: files of stores, a timer's look at the disk. */
const SPARE_DESCRIPTORS = 16
const SETTLE_MS = 30_000
const MAX_FAILURES = 20
const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) /gm
/** Limits are not the subject: one address sends all. */
const ENV = {
  VOLO_HTTP_REQUESTS_PER_MINUTE: '1000000000',
  VOLO_CONNECTIONS_PER_SECOND: '1000000',
  VOLO_MAX_CLIENTS_PER_ADDRESS: '1000000'
}

/** Sends spoilt requests until so many are sent or the time is over. */
export async function runHttpFuzz({ seed, requests, budgetMs = Infinity }: HttpFuzzInit): Promise<HttpFuzzResult> {
  const node = await NodeProcess.start({ env: ENV })
  try {
    return await new HttpFuzz(node, seed, requests, performance.now() + budgetMs).run()
  } finally {
    await node.stop('SIGKILL')
    rmSync(node.dataDir, { recursive: true, force: true })
  }
}

class HttpFuzz {
  readonly #node: NodeProcess
  readonly #random: SeededRandom
  readonly #requests: number
  readonly #deadline: number
  readonly #ports: number[]
  readonly #statuses = new Map<string, number>()
  readonly #failures: string[] = []
  #sent = 0
  #connections = 0

  constructor(node: NodeProcess, seed: number, requests: number, deadline: number) {
    this.#node = node
    this.#random = new SeededRandom(seed)
    this.#requests = requests
    this.#deadline = deadline
    const publicPort = Number(new URL(node.url).port)
    this.#ports = [publicPort, publicPort, publicPort, Number(new URL(node.adminUrl).port)]
  }

  async run(): Promise<HttpFuzzResult> {
    const before = this.#descriptors()
    await Promise.all(Array.from({ length: LANES }, () => this.#lane()))
    await this.#requireAlive()
    const isFlat = await comesTrue(() => Promise.resolve(this.#descriptors() <= before + SPARE_DESCRIPTORS), {
      timeoutMs: SETTLE_MS,
      lookMs: 100
    })
    const after = this.#descriptors()
    if (!isFlat) this.#failures.push(`${before} descriptors became ${after}`)
    return {
      requests: this.#sent,
      connections: this.#connections,
      statuses: Object.fromEntries([...this.#statuses].sort()),
      failures: this.#failures.slice(0, MAX_FAILURES),
      descriptors: { before, after }
    }
  }

  async #lane(): Promise<void> {
    while (this.#sent < this.#requests && performance.now() < this.#deadline && this.#failures.length < MAX_FAILURES) {
      const count = Math.min(1 + this.#random.below(MAX_PIPELINED), this.#requests - this.#sent)
      this.#sent += count
      this.#connections += 1
      const port = this.#random.pick(this.#ports)
      await this.#send(
        port,
        Array.from({ length: count }, () => this.#request(port))
      )
    }
  }

  #request(port: number): Uint8Array {
    const bytes = Buffer.from(requestText(this.#random, port), 'latin1')
    return this.#random.chance(SPOILT) ? mutateBytes(this.#random, bytes) : bytes
  }

  /** Sends all, closes this side, and reads until the node has closed its own. */
  async #send(port: number, requests: Uint8Array[]): Promise<void> {
    // Several addresses, so that the machine does not run out of ports.
    const localAddress = `127.0.0.${2 + this.#random.below(250)}`
    const answer = await new Promise<string | undefined>(resolve => {
      let text = ''
      const socket = connect({ port, host: '127.0.0.1', localAddress })
      socket.setTimeout(DEADLINE_MS, () => {
        socket.destroy()
        resolve(undefined)
      })
      socket.setEncoding('latin1').on('data', chunk => (text += chunk))
      socket.on('error', () => undefined).on('close', () => resolve(text))
      socket.end(Buffer.concat(requests))
    })
    if (answer === undefined) return this.#fail('the node held the connection open', requests)
    for (const [, status] of answer.matchAll(STATUS_LINE)) {
      this.#statuses.set(status!, (this.#statuses.get(status!) ?? 0) + 1)
      // 503 is a limit; any other fault of the node's is one that a request made.
      if (status!.startsWith('5') && status !== '503') this.#fail(`the node answered ${status}`, requests)
    }
  }

  async #requireAlive(): Promise<void> {
    const answer = await fetch(`${this.#node.url}/readyz`).catch((error: Error) => error)
    if (answer instanceof Error || answer.status !== 200)
      this.#failures.push(`the node is not ready: ${this.#node.stderr}`)
    if (/"level":"?(50|60|error)|nobody handled/.test(this.#node.stderr)) {
      this.#failures.push(`the node logged an error: ${this.#node.stderr.slice(0, 500)}`)
    }
  }

  #descriptors(): number {
    try {
      return readdirSync(`/proc/${this.#node.child.pid}/fd`).length
    } catch {
      // The process has ended, which is reported elsewhere, or the system has no such folder.
      return 0
    }
  }

  #fail(problem: string, requests: Uint8Array[]): void {
    const shown = requests.map(bytes => JSON.stringify(Buffer.from(bytes).toString('latin1').slice(0, 300)))
    this.#failures.push(`${problem}: ${shown.slice(0, 3).join(' then ')}`)
  }
}
