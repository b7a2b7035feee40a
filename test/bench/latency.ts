import { LocalNetwork } from '../support/network/real-processes/local-network.ts'
import { NO_LIMITS } from './durable.ts'
import type { LatencyRequest } from './latency-peer.ts'
import type { Pace, PacedRequest, Times } from './paced.ts'
import { peersFolder } from './peers.ts'
import type { RelayRequest } from './relay-peer.ts'
import { percentile, reportRounds, type Round, type Target } from './report.ts'
import { Worker } from './worker.ts'

const ROUNDS = 6
const PACE: Pace = { count: 50, perSecond: 40 }
/** A node and its clients run for days, and so would a relay: what either does cold does not count. */
const WARM_UP: Pace = { count: 3_000, perSecond: 200 }
const ARRIVAL_TIMEOUT_MS = 30_000
const PEER = 'raw ws relay 8.23.0'
/** Through two nodes a message may take this many times as long as through two relays that do nothing. */
const TWO_NODES: Target = { atMost: 10 }

/** A network, and as many relays as a message passes nodes of it. */
interface LineInit {
  metric: string
  nodes: number
  relays: number
  target?: Target
}

/** Sender and receiver are on the first and the last node. A third keeps a copy, on the same processors as the others here. */
const LINES: LineInit[] = [
  { metric: 'latency-1-node', nodes: 1, relays: 1 },
  { metric: 'latency-2-nodes', nodes: 2, relays: 2, target: TWO_NODES },
  { metric: 'latency-2-of-3-nodes', nodes: 3, relays: 2, target: TWO_NODES }
]

/** Two ends of a line that is measured, each a process of its own. */
interface Line {
  sender: Worker<PacedRequest>
  receiver: Worker<PacedRequest>
}

/** Milliseconds of every message that came, and how many did not. */
interface Sample {
  latencies: number[]
  lost: number
}

interface SampleRound {
  ours: Sample
  peer: Sample | undefined
}

/**
 * From the call that takes a text to the event that shows it at the other end: encryption, the sender's fsynced store, two
 * nodes, decryption. What else a message causes (the nodes' stores and receipts, the receiver's store and acknowledgement)
 * takes the same processors at the same time. Beside it a relay that does nothing but pass frames on. Both have processes that live as
 * long, the same warm-up, the same pace, and short rounds that take turns: a processor that was busy until just now, or is
 * busy with something else, answers to both.
 */
export async function benchLatency(): Promise<void> {
  const relay = await peersFolder('ws')
  for (const line of LINES) {
    const rounds = await measureLine(line, relay.path)
    reportLatency(line, rounds, relay.problem && `peer not run: ${relay.problem}`)
  }
}

/** Alone on the machine: nodes that only wait for another line's turn would take some of its time. */
async function measureLine({ nodes, relays }: LineInit, folder: string | undefined): Promise<SampleRound[]> {
  await using stage = new Stage()
  const ours = await stage.people(nodes)
  const peer = folder === undefined ? undefined : await stage.relayed(folder, relays)
  for (const line of [ours, peer]) if (line) await measure(line, WARM_UP)
  const rounds: SampleRound[] = []
  for (let round = 0; round < ROUNDS; round++) {
    // Who comes first takes turns, too.
    const early = peer && round % 2 === 0 ? await measure(peer, PACE) : undefined
    const sample = await measure(ours, PACE)
    rounds.push({ ours: sample, peer: early ?? (peer && (await measure(peer, PACE))) })
  }
  return rounds
}

function reportLatency({ metric, target }: LineInit, rounds: SampleRound[], note: string | undefined): void {
  const lost = rounds.reduce((sum, { ours }) => sum + ours.lost, 0)
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99]
  ] as const) {
    const pairs = rounds.map(({ ours, peer }): Round => [
      percentile(ours.latencies, share),
      peer ? percentile(peer.latencies, share) : null
    ])
    reportRounds(`${metric}-${name}`, 'ms', pairs, {
      peer: PEER,
      target: name === 'p50' ? target : undefined,
      note: note ?? (lost > 0 ? `${lost} messages did not come in time` : undefined)
    })
  }
}

async function measure({ sender, receiver }: Line, pace: Pace): Promise<Sample> {
  const { count } = pace
  const sent = await sender.ask<Times>({ ask: 'send', ...pace })
  const received = new Map(await receiver.ask<Times>({ ask: 'received', count, timeoutMs: ARRIVAL_TIMEOUT_MS }))
  const latencies = sent.flatMap(([number, at]) => {
    const shown = received.get(number)
    return shown === undefined ? [] : (shown - at) / 1000
  })
  return { latencies, lost: count - latencies.length }
}

/** Networks, relays and people of the measurement, ended together. */
class Stage implements AsyncDisposable {
  readonly #networks: LocalNetwork[] = []
  readonly #workers: Worker<LatencyRequest | RelayRequest>[] = []

  /** Two people who know each other, on the first and the last of so many nodes. */
  async people(nodes: number): Promise<Line> {
    const network = await LocalNetwork.start({ nodes, env: NO_LIMITS })
    this.#networks.push(network)
    const sender = await this.#person(network.urls[0]!, `sender_${nodes}`)
    const receiver = await this.#person(network.urls.at(-1)!, `receiver_${nodes}`)
    if (nodes > 1 && sender.node === receiver.node) throw new Error('both people are on one node')
    await sender.worker.ask({ ask: 'converse', name: receiver.name })
    return { sender: sender.worker, receiver: receiver.worker }
  }

  /** Two ends with so many relays between them. */
  async relayed(folder: string, hops: number): Promise<Line> {
    let url: string | null = null
    const urls: string[] = []
    for (let hop = 0; hop < hops; hop++) {
      url = await this.#worker<RelayRequest>('relay-peer').ask<string>({ ask: 'serve', folder, onward: url })
      urls.push(url)
    }
    const [sender, receiver] = [this.#worker<RelayRequest>('relay-peer'), this.#worker<RelayRequest>('relay-peer')]
    await receiver.ask({ ask: 'join', folder, url: urls[0]! })
    await sender.ask({ ask: 'join', folder, url: urls.at(-1)! })
    return { sender, receiver }
  }

  async #person(url: string, name: string) {
    const worker = this.#worker<LatencyRequest>('latency-peer')
    const node = await worker.ask<string>({ ask: 'register', url, name })
    return { worker, name, node }
  }

  #worker<Request>(name: string): Worker<Request> {
    const worker = new Worker<Request>(`test/bench/${name}.ts`)
    this.#workers.push(worker as Worker<unknown>)
    return worker
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.ask({ ask: 'stop' }).catch(() => undefined)))
    await Promise.all(this.#workers.map(worker => worker.stop()))
    await Promise.all(this.#networks.map(network => network.stop()))
  }
}
