import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { LocalNetwork } from '../support/local-network.ts'
import type { LatencyRequest, Times } from './latency-peer.ts'
import { peersFolder, peerScript } from './peers.ts'
import { percentile, reportRounds, type Round, type Target } from './report.ts'
import { Worker } from './worker.ts'

const ROUNDS = 3
/** How many messages, and how fast. */
interface Pace {
  count: number
  perSecond: number
}
const PACE: Pace = { count: 80, perSecond: 40 }
/** A node and its clients run for days: what they do cold does not count. */
const WARM_UP: Pace = { count: 1_500, perSecond: 200 }
const ARRIVAL_TIMEOUT_MS = 30_000
const PEER = 'raw ws relay 8.23.0'
/** Two nodes may take this many times as long as a relay that does nothing. */
const TWO_NODES_AT_MOST = 10

type Person = Worker<LatencyRequest>

/** Two people on nodes of one network. */
interface Pair {
  sender: Person
  receiver: Person
}

/** Milliseconds of every message that came, and how many did not. */
interface Sample {
  latencies: number[]
  lost: number
}

/**
 * From the call that takes a text to the event that shows it at the other end: encryption, fsynced stores at both ends and
 * at the nodes, receipts and all. Beside it a relay that does nothing but pass frames on.
 */
export async function benchLatency(): Promise<void> {
  const relay = await peersFolder('ws')
  const note = relay.problem && `peer not run: ${relay.problem}`
  await using stage = new Stage()
  const one = await stage.pair(1)
  const two = await stage.pair(3)
  const rounds: { one: SampleRound[]; two: SampleRound[] } = { one: [], two: [] }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, pair, hops] of [
      ['one', one, 1],
      ['two', two, 2]
    ] as const) {
      const peer = relay.path === undefined ? undefined : await measureRelay(relay.path, hops)
      rounds[name].push({ ours: await measurePair(pair, PACE), peer })
    }
  }
  reportLatency('latency-1-node', rounds.one, note)
  reportLatency('latency-2-nodes', rounds.two, note, { atMost: TWO_NODES_AT_MOST })
}

interface SampleRound {
  ours: Sample
  peer: number[] | undefined
}

function reportLatency(metric: string, rounds: SampleRound[], note: string | undefined, target?: Target): void {
  const lost = rounds.reduce((sum, { ours }) => sum + ours.lost, 0)
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99]
  ] as const) {
    const pairs = rounds.map(({ ours, peer }): Round => [
      percentile(ours.latencies, share),
      peer ? percentile(peer, share) : null
    ])
    reportRounds(`${metric}-${name}`, 'ms', pairs, {
      peer: PEER,
      target: name === 'p50' ? target : undefined,
      note: note ?? (lost > 0 ? `${lost} messages did not come in time` : undefined)
    })
  }
}

async function measurePair({ sender, receiver }: Pair, { count, perSecond }: Pace): Promise<Sample> {
  const sent = await sender.ask<Times>({ ask: 'send', count, perSecond })
  const received = new Map(await receiver.ask<Times>({ ask: 'received', count, timeoutMs: ARRIVAL_TIMEOUT_MS }))
  const latencies = sent.flatMap(([number, at]) => {
    const shown = received.get(number)
    return shown === undefined ? [] : (shown - at) / 1000
  })
  return { latencies, lost: count - latencies.length }
}

async function measureRelay(folder: string, hops: number): Promise<number[]> {
  const args = [peerScript('ws-relay.js'), folder, PACE.count, PACE.perSecond, hops].map(String)
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return (JSON.parse(stdout) as { latencies: number[] }).latencies
}

/** Networks and people of the measurement, ended together. */
class Stage implements AsyncDisposable {
  readonly #networks: LocalNetwork[] = []
  readonly #people: Person[] = []

  /** Two people who know each other, on one node or, where there are several, on different ones. */
  async pair(nodes: number): Promise<Pair> {
    const network = await LocalNetwork.start({ nodes })
    this.#networks.push(network)
    const sender = await this.#person(network, 0, `sender_${nodes}`)
    const receiver = await this.#person(network, nodes - 1, `receiver_${nodes}`)
    if (nodes > 1 && sender.node === receiver.node) throw new Error('both people are on one node')
    await sender.person.ask({ ask: 'converse', name: receiver.name })
    const pair = { sender: sender.person, receiver: receiver.person }
    await measurePair(pair, WARM_UP)
    return pair
  }

  async #person(network: LocalNetwork, index: number, name: string) {
    const person: Person = new Worker('test/bench/latency-peer.ts')
    this.#people.push(person)
    const node = await person.ask<string>({ ask: 'register', url: network.urls[index]!, name })
    return { person, name, node }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#people.map(person => person.ask({ ask: 'stop' }).catch(() => undefined)))
    await Promise.all(this.#people.map(person => person.stop()))
    await Promise.all(this.#networks.map(network => network.stop()))
  }
}
