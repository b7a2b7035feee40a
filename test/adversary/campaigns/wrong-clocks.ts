/**
 * Two people talk while the clocks of their devices and of the nodes jump by minutes to years, with restarts in between. Whatever the
 * clocks said: once they are right, every message is there, once and in its order, and no screen blames anything any more.
 */
import { CLOCK_TOLERANCE_MS } from '../../../protocol/limits.ts'
import { OLDEST_SHOWN_MS } from '../../../peer/receiving/shown-date.ts'
import { FakeNetwork } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { comesTrue } from '../../support/wait-for.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** How far a clock is off; a wrong one is ahead or behind. */
const OFFSETS = [
  0,
  3 * MINUTE_MS,
  9 * MINUTE_MS,
  11 * MINUTE_MS,
  HOUR_MS,
  13 * HOUR_MS,
  3 * DAY_MS,
  40 * DAY_MS,
  8 * 365 * DAY_MS
]
const STEPS = 8
/** For a device to hear or say what it has to. */
const PATIENCE_MS = 60_000
/** How much later a message may come than it was sent, beside the tolerance. */
const RUN_MS = 5 * MINUTE_MS

export interface WrongClocksInit {
  /** Decides everything that is random. */
  seed: number
  runs: number
  budgetMs?: number
}

export interface WrongClocksReport {
  runs: number
  /** Messages that were written while a clock was off by more than the tolerance. */
  writtenWrong: number
  /** How often a device was told that its clock is wrong. */
  told: number
  failures: string[]
}

export async function runWrongClocks({ seed, runs, budgetMs = Infinity }: WrongClocksInit): Promise<WrongClocksReport> {
  const deadline = performance.now() + budgetMs
  const report: WrongClocksReport = { runs: 0, writtenWrong: 0, told: 0, failures: [] }
  for (; report.runs < runs && performance.now() < deadline; report.runs++) {
    await new ClockRun(seed + report.runs, report).run()
  }
  return report
}

class ClockRun {
  readonly #seed: number
  readonly #random: SeededRandom
  readonly #report: WrongClocksReport
  readonly #sent = { ada: [] as string[], bob: [] as string[] }
  /** Whether bob's clock was right all the time: then he can defend every date. */
  #isBobRight = true
  /** The least that ada's clock was ahead. */
  #furthestBack = 0

  constructor(seed: number, report: WrongClocksReport) {
    this.#seed = seed
    this.#random = new SeededRandom(seed)
    this.#report = report
  }

  async run(): Promise<void> {
    const network = await FakeNetwork.create(1)
    // Real nodes refuse a wrong clock. Others may not, and then what a device dates wrong gets through.
    network.checksClocks = this.#random.chance(0.6)
    const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
    const start = Date.now()
    try {
      await ada.register('ada')
      await bob.register('bob')
      await this.#write(ada, bob, 'ada')
      await this.#write(bob, ada, 'bob')
      await this.#all(ada, bob)
      for (let step = 0; step < STEPS; step++) await this.#step(network, ada, bob)
      await this.#setRight(network, [ada, bob])
      await this.#write(ada, bob, 'ada')
      await this.#write(bob, ada, 'bob')
      await this.#all(ada, bob)
      await this.#check(ada, bob, start)
    } catch (error) {
      this.#fail(String((error as Error).message))
    } finally {
      await Promise.all([ada.engine.stop(), bob.engine.stop()])
    }
  }

  #fail(what: string): void {
    this.#report.failures.push(`${what}: seed ${this.#seed}`)
  }

  async #step(network: FakeNetwork, ada: TestPeer, bob: TestPeer): Promise<void> {
    const [writer, reader, name] = this.#random.chance(0.5)
      ? ([ada, bob, 'ada'] as const)
      : ([bob, ada, 'bob'] as const)
    if (this.#random.chance(0.5)) {
      const offset = this.#random.pick(OFFSETS) * (this.#random.chance(0.5) ? 1 : -1)
      await this.#setClock(network, this.#random.chance(0.2) ? 'nodes' : writer, offset)
      if (writer === bob && Math.abs(offset) > CLOCK_TOLERANCE_MS) this.#isBobRight = false
    }
    if (Math.abs(writer.clockOffset) > CLOCK_TOLERANCE_MS) this.#report.writtenWrong++
    await this.#write(writer, reader, name)
  }

  /** A clock jumps under a device that runs, or while it is off. */
  async #setClock(network: FakeNetwork, of: TestPeer | 'nodes', offset: number): Promise<void> {
    if (of === 'nodes') {
      network.clockOffset = offset
      this.#isBobRight &&= Math.abs(offset) <= CLOCK_TOLERANCE_MS
      return
    }
    of.clockOffset = offset
    this.#furthestBack = Math.max(Math.min(this.#furthestBack, offset), -OLDEST_SHOWN_MS)
    if (this.#random.chance(0.5)) return
    await of.restart()
    const apart = Math.abs(offset - network.clockOffset)
    // Well beyond: the device's timers run faster than the nodes' clock.
    if (!network.checksClocks || apart < CLOCK_TOLERANCE_MS + MINUTE_MS) return
    const isTold = async () => (await of.engine.snapshot()).status.problem?.code === 'clock-wrong'
    if (await comesTrue(isTold, { timeoutMs: PATIENCE_MS })) this.#report.told++
    else this.#fail(`a device whose clock is ${offset} ms ahead does not say so`)
  }

  async #setRight(network: FakeNetwork, peers: TestPeer[]): Promise<void> {
    network.clockOffset = 0
    for (const peer of peers) {
      peer.clockOffset = 0
      if (this.#random.chance(0.5)) await peer.restart()
      else await peer.engine.network.reconnect()
    }
    for (const { engine } of peers) {
      const problem = async () => (await engine.snapshot()).status.problem
      if (await comesTrue(async () => (await problem()) === null, { timeoutMs: PATIENCE_MS })) continue
      throw new Error(`a device whose clock is right blames ${JSON.stringify(await problem())}`)
    }
  }

  async #write(from: TestPeer, to: TestPeer, name: 'ada' | 'bob'): Promise<void> {
    const text = `${name} ${this.#sent[name].length}`
    await from.send(to, text)
    this.#sent[name].push(text)
  }

  async #all(ada: TestPeer, bob: TestPeer): Promise<void> {
    const isThere = async (from: TestPeer, at: TestPeer, name: 'ada' | 'bob') =>
      new Set(await at.received(from)).size >= this.#sent[name].length
    const both = async () => (await isThere(ada, bob, 'ada')) && (await isThere(bob, ada, 'bob'))
    if (await comesTrue(both, { timeoutMs: PATIENCE_MS })) return
    const missing = async (from: TestPeer, at: TestPeer, name: 'ada' | 'bob') => {
      const there = await at.received(from)
      const { status } = await from.engine.snapshot()
      return (await from.messages(at))
        .filter(({ mine, text }) => mine && this.#sent[name].includes(text) && !there.includes(text))
        .map(({ text, state, problem }) => `${text} (${state}, ${problem}, sender ${status.connection})`)
    }
    const lost = [...(await missing(ada, bob, 'ada')), ...(await missing(bob, ada, 'bob'))]
    throw new Error(`messages did not come: ${lost.join(', ')}`)
  }

  async #check(ada: TestPeer, bob: TestPeer, start: number): Promise<void> {
    for (const [from, at, name] of [
      [ada, bob, 'ada'],
      [bob, ada, 'bob']
    ] as const) {
      const received = await at.received(from)
      if (received.join() !== this.#sent[name].join()) this.#fail(`another order, or twice: ${received.join(', ')}`)
      const rows = await at.messages(from)
      const told = rows.filter(({ kind }) => kind !== 'text').map(({ kind }) => kind)
      if (told.length > 0) this.#fail(`lines that nobody wrote: ${told.join()}`)
    }
    if (!this.#isBobRight) return
    const slack = CLOCK_TOLERANCE_MS + RUN_MS
    // A message that fills a gap keeps what its sender's clock said, as far back as honest messages go.
    const earliest = Math.min(0, this.#furthestBack)
    for (const { mine, sentAt, text } of await bob.messages(ada)) {
      if (mine || (sentAt > start + earliest - slack && sentAt < Date.now() + slack)) continue
      this.#fail(`"${text}" has the date ${new Date(sentAt).toISOString()} at a device whose clock is right`)
    }
  }
}
