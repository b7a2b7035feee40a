import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { temporaryFolder } from '../support/network/real-processes/node-process.ts'
import { makeDevices, nodeEndAt } from './bench-devices.ts'
import type { FloodResult, LoadRequest } from './load-client.ts'
import { nodeMetrics } from './node-metrics.ts'
import { processorTime } from './processor-time.ts'
import { median, reportRounds, type Round, type Target } from './report.ts'
import { Worker } from './worker.ts'

const ROUNDS = 5
const MESSAGES = 15_000
const PAYLOAD_BYTES = 512
/** Connections, and envelopes under way on each. */
const CLIENTS = 4
const IN_FLIGHT = 128
/** Messages go to so many mailboxes, spread over all shards. */
const MAILBOXES = 512
const MAILBOX_BYTES = 16
const LEVEL_BATCH = 64
const LEVEL_MS = 1_500
const AT_LEAST = 0.35
/** Microseconds of the one node's processor, all threads, for a message. */
const AT_MOST_CPU = 70
const PEER = `LevelDB, synced batches of ${LEVEL_BATCH}`

/** The benchmark is one device that sends as many do. */
export const NO_LIMITS = {
  VOLO_MAX_CLIENTS_PER_ADDRESS: '100000',
  VOLO_MAX_CLIENTS: '100000',
  VOLO_CONNECTIONS_PER_SECOND: '100000',
  VOLO_REQUESTS_PER_SECOND: '1000000',
  VOLO_REQUEST_BURST: '1000000',
  VOLO_STRANGERS_PER_DAY: '100000000',
  VOLO_HOURLY_BUDGET_ADA: '1000'
}

interface Flooded extends FloodResult {
  fsyncs: number
  /** Microseconds of processor time a message, of each node. */
  cpu: number[]
}

/** Messages that a client has receipts for, per second, beside what the store alone can do on the same disk. */
export async function benchDurable(): Promise<void> {
  await benchNodes('durable-messages-1-node', 1, { atLeast: AT_LEAST }, { atMost: AT_MOST_CPU })
  await benchNodes('durable-messages-3-nodes', 3)
}

/** Alone on the machine, and right beside each other, who comes first taking turns: what else goes on hits both. */
async function benchNodes(metric: string, nodes: number, target?: Target, cpuTarget?: Target): Promise<void> {
  await using network = await FloodedNetwork.start(nodes)
  const rounds: { level: LevelRate; flooded: Flooded }[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const bytes = await network.prepare(MESSAGES)
    const early = round % 2 === 0 ? await measureLevel(bytes) : undefined
    const flooded = await network.flood()
    const level = early ?? (await measureLevel(bytes))
    // The first round compiles.
    if (round > 0) rounds.push({ level, flooded })
  }
  const pairs = rounds.map(({ level, flooded }): Round => [rate(flooded), level.records])
  const lost = rounds.reduce((sum, { flooded }) => sum + flooded.others, 0)
  const fsyncs = median(rounds.map(({ flooded }) => flooded.fsyncs / flooded.seconds))!
  const bare = median(rounds.map(({ level }) => level.batches))!
  reportRounds(metric, 'messages/s', pairs, {
    peer: PEER,
    target,
    note:
      `${Math.round(fsyncs)} fdatasync/s at the entry node, ${Math.round(bare)} at bare LevelDB` +
      (lost > 0 ? `; ${lost} messages were not stored` : '')
  })
  reportCpu(
    metric,
    rounds.map(({ flooded }) => flooded),
    cpuTarget
  )
}

/** What each node's processor took, the entry node first; judged where there is one. */
function reportCpu(metric: string, rounds: Flooded[], target: Target | undefined): void {
  const nodes = rounds[0]!.cpu.map((_, node) => median(rounds.map(({ cpu }) => cpu[node]!))!)
  const pairs = rounds.map(({ cpu }): Round => [cpu.reduce((sum, each) => sum + each), null])
  const note = `each node: ${nodes.map(Math.round).join(', ')}; made with ${cpus().length} processors`
  reportRounds(`${metric}-cpu`, 'µs', pairs, { target, note })
}

const rate = ({ stored, seconds }: Flooded): number => stored / seconds

class FloodedNetwork implements AsyncDisposable {
  readonly #network: LocalNetwork
  readonly #client: Worker<LoadRequest>

  private constructor(network: LocalNetwork, client: Worker<LoadRequest>) {
    this.#network = network
    this.#client = client
  }

  static async start(nodes: number): Promise<FloodedNetwork> {
    const network = await LocalNetwork.start({ nodes, env: NO_LIMITS })
    const client = new Worker<LoadRequest>('test/bench/load-client.ts')
    const started = new FloodedNetwork(network, client)
    try {
      const url = network.urls[0]!
      const devices = await makeDevices(url, CLIENTS)
      await client.ask({ ask: 'connect', node: await nodeEndAt(url), devices, attach: false })
      return started
    } catch (error) {
      await started[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Makes envelopes for new mailboxes. @returns bytes of one. */
  prepare(count: number): Promise<number> {
    const mailboxes = Array.from({ length: MAILBOXES }, () => randomBytes(MAILBOX_BYTES).toString('hex'))
    return this.#client.ask<number>({ ask: 'prepare', count, payloadBytes: PAYLOAD_BYTES, mailboxes })
  }

  async flood(): Promise<Flooded> {
    const [commits, cpu] = [await this.#commits(), this.#cpu()]
    const result = await this.#client.ask<FloodResult>({ ask: 'flood', inFlight: IN_FLIGHT })
    const spent = this.#cpu().map((after, node) => (after - cpu[node]!) / MESSAGES)
    return { ...result, fsyncs: (await this.#commits()) - commits, cpu: spent }
  }

  /** Microseconds of processor time that each node has taken. */
  #cpu(): number[] {
    return this.#network.urls.map((_, node) => processorTime(this.#network.pidOf(node)))
  }

  async #commits(): Promise<number> {
    return (await nodeMetrics(this.#network.dataOf(0))).get('volo_group_commits_total') ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.stop()
    await this.#network.stop()
  }
}

interface LevelRate {
  records: number
  batches: number
}

/** Per second, on the disk that holds the nodes' folders. */
async function measureLevel(valueBytes: number): Promise<LevelRate> {
  const folder = temporaryFolder()
  const options = { keyEncoding: 'buffer', valueEncoding: 'buffer', compression: false } as const
  const level = new ClassicLevel<Buffer, Buffer>(join(folder, 'db'), options)
  try {
    await level.open()
    const value = randomBytes(valueBytes)
    let batches = 0
    const start = performance.now()
    while (performance.now() - start < LEVEL_MS) {
      const puts = Array.from({ length: LEVEL_BATCH }, () => ({ type: 'put' as const, key: randomBytes(48), value }))
      await level.batch(puts, { sync: true })
      batches++
    }
    const seconds = (performance.now() - start) / 1000
    return { records: (batches * LEVEL_BATCH) / seconds, batches: batches / seconds }
  } finally {
    await level.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
