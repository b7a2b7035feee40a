/**
 * All that a person does and all that the network brings, at once, with random waits at each access of the disk: what was called last
 * counts, no message is lost, doubled or moved, and the next process finds what this one showed.
 */
import type { PersonMarks } from '../../../peer/peer-api.ts'
import { FakeNetwork } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { comesTrue } from '../../support/wait-for.ts'

const CALLS = 40
const MAX_TURNS = 6
const PATIENCE_MS = 60_000

export interface CallRacesInit {
  /** Decides what is called, and the waits at the disk. */
  seed: number
  runs: number
  budgetMs?: number
}

export interface CallRacesReport {
  runs: number
  calls: number
  failures: string[]
}

export async function runCallRaces({ seed, runs, budgetMs = Infinity }: CallRacesInit): Promise<CallRacesReport> {
  const deadline = performance.now() + budgetMs
  const report: CallRacesReport = { runs: 0, calls: 0, failures: [] }
  for (; report.runs < runs && performance.now() < deadline; report.runs++) {
    await race(new SeededRandom(seed + report.runs), report, `seed ${seed + report.runs}`)
  }
  return report
}

/** One of the two, and what its user did last. */
class Side {
  readonly peer: TestPeer
  readonly name: string
  other!: Side
  readonly sent: string[] = []
  draft = ''
  displayName: string
  readonly marks: Partial<PersonMarks> = {}
  #conversation = ''

  constructor(network: FakeNetwork, name: string) {
    this.peer = new TestPeer(network)
    this.name = name
    this.displayName = name
  }

  async begin(): Promise<void> {
    this.#conversation = (await this.peer.engine.conversations.open(this.other.peer.me.accountId)).id
  }

  /** Something to do. What is chosen follows from the seed; when it takes effect does not. */
  call(random: SeededRandom): Promise<unknown> {
    const { engine } = this.peer
    const { accountId } = this.other.peer.me
    const value = random.below(1_000)
    const mark = (marks: Partial<PersonMarks>) => {
      Object.assign(this.marks, marks)
      return engine.people.mark(accountId, marks)
    }
    const calls: (() => Promise<unknown>)[] = [
      () => engine.messages.sendText(this.#conversation, this.#note(`${this.name} ${this.sent.length}`)),
      () => engine.conversations.saveDraft(this.#conversation, (this.draft = `draft ${value}`)),
      () => mark({ nickname: `nick ${value}` }),
      () => mark({ muted: value % 2 === 0 }),
      () => mark({ pinned: value % 2 === 0 }),
      () => engine.account.changeProfile({ displayName: (this.displayName = `Name ${value}`) }),
      () => engine.conversations.markRead(this.#conversation),
      () => engine.people.refresh(accountId),
      () => engine.messages.page(this.#conversation),
      () => engine.network.reconnect()
    ]
    // Half of all calls send.
    return random.chance(0.5) ? calls[0]!() : random.pick(calls)()
  }

  #note(text: string): string {
    this.draft = ''
    this.sent.push(text)
    return text
  }

  /** What screens show, without times. */
  async shown(): Promise<string> {
    const { engine } = this.peer
    const { me, conversations } = await engine.snapshot()
    const found = conversations.find(({ id }) => id === this.#conversation)
    const rows = await engine.messages.page(this.#conversation, { limit: 500 })
    return JSON.stringify([
      me?.displayName,
      found?.draft,
      found?.unread,
      found?.person.marks.nickname,
      found?.person.marks.muted,
      found?.person.marks.pinned,
      rows.map(({ id, text, kind, mine }) => [id, text, kind, mine])
    ])
  }

  /** What is not as it was called last. */
  async faults(): Promise<string[]> {
    const { me, conversations } = await this.peer.engine.snapshot()
    const found = conversations.find(({ id }) => id === this.#conversation)
    const faults: string[] = []
    const expect = (what: string, is: unknown, should: unknown) => {
      if (is !== should) faults.push(`${this.name}: ${what} is ${String(is)}, was called ${String(should)}`)
    }
    expect('the draft', found?.draft, this.draft)
    expect('the name', me?.displayName, this.displayName)
    for (const [mark, value] of Object.entries(this.marks)) expect(mark, found?.person.marks[mark as 'nickname'], value)
    const received = await this.other.peer.received(this.peer)
    expect('what arrived', received.join(), this.sent.join())
    const own = (await this.peer.messages(this.other.peer)).filter(({ mine, kind }) => mine && kind === 'text')
    expect('what was written', own.map(({ text }) => text).join(), this.sent.join())
    return faults
  }

  async hasHeardAll(): Promise<boolean> {
    return (await this.peer.received(this.other.peer)).length >= this.other.sent.length
  }
}

async function race(random: SeededRandom, report: CallRacesReport, label: string): Promise<void> {
  const network = await FakeNetwork.create(1)
  const sides = [new Side(network, 'ada'), new Side(network, 'bob')] as const
  ;[sides[0].other, sides[1].other] = [sides[1], sides[0]]
  const waits = new SeededRandom(random.below(1_000_000_000))
  try {
    for (const { peer, name } of sides) await peer.register(name)
    for (const side of sides) {
      await side.peer.accept(side.other.peer)
      await side.begin()
      side.peer.store.pause = () => pause(waits)
    }
    const running: Promise<unknown>[] = []
    for (let i = 0; i < CALLS; i++) {
      running.push(random.pick([...sides]).call(random))
      report.calls++
      if (random.chance(0.7)) await pause(waits)
    }
    await Promise.all(running)
    await settle(sides)
    for (const side of sides) report.failures.push(...(await side.faults()).map(fault => `${fault}: ${label}`))
    await expectSameAfterRestart(sides, report, label)
  } catch (error) {
    report.failures.push(`${(error as Error).message}: ${label}`)
  } finally {
    for (const { peer } of sides) await peer.engine.stop()
  }
}

async function settle(sides: readonly Side[]): Promise<void> {
  const all = async () => (await Promise.all(sides.map(side => side.hasHeardAll()))).every(Boolean)
  if (!(await comesTrue(all, { timeoutMs: PATIENCE_MS }))) throw new Error('messages did not come')
}

/** Memory and disk are the same. */
async function expectSameAfterRestart(sides: readonly Side[], report: CallRacesReport, label: string): Promise<void> {
  for (const side of sides) {
    const before = await side.shown()
    await side.peer.restart()
    const after = await side.shown()
    if (before !== after) report.failures.push(`${side.name} finds ${after}, showed ${before}: ${label}`)
  }
}

/** Some turns of the event loop, more or fewer. */
async function pause(random: SeededRandom): Promise<void> {
  for (let turns = random.below(MAX_TURNS); turns > 0; turns--) {
    if (random.chance(0.3)) await new Promise(resolve => setImmediate(resolve))
    else await Promise.resolve()
  }
}
