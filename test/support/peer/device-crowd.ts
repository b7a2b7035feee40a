/**
 * Two people with several devices each, over a network that loses, copies and delays, and devices that restart, join and have
 * wrong clocks. At the end every device shows every message once.
 */
import { FakeNetwork } from '../network/fake/fake-network.ts'
import { SeededRandom } from '../seeded-random.ts'
import { linkedDevice } from './linked-device.ts'
import { TestPeer } from './test-peer.ts'
import { eventually } from '../wait-for.ts'

const HOUR_MS = 60 * 60_000
/** Without a loss, a device has everything in a fraction of it. */
const SETTLE_MS = 90_000

export interface CrowdInit {
  seed: number
  /** Texts that are sent, by any device to the other person. */
  messages: number
  /** Devices of each person. */
  devices: number
  /** Whether the last device of each person joins in the middle; otherwise all have joined before. */
  joinsInTheMiddle: boolean
  /** Milliseconds after which nothing new is sent. */
  budgetMs: number
  /** Hours by which clocks of devices that join are wrong, picked at random. */
  clockHours: readonly number[]
}

/** What went wrong, and how much was tried. */
export interface CrowdReport {
  sent: number
  restarts: number
  lost: number
  twice: number
  disordered: number
  /** Lines of missing or unreadable messages that stayed. */
  unreadable: number
  examples: string[]
}

interface Person {
  name: string
  devices: TestPeer[]
}

/** Runs one crowd. @throws Error if it does not come to rest. */
export async function runDeviceCrowd(init: CrowdInit): Promise<CrowdReport> {
  const crowd = await DeviceCrowd.start(init)
  try {
    return await crowd.run()
  } finally {
    await crowd.stop()
  }
}

class DeviceCrowd {
  readonly #init: CrowdInit
  readonly #network: FakeNetwork
  readonly #random: SeededRandom
  readonly #people: [Person, Person]
  readonly #sent = new Map<string, string[]>()
  #restarts = 0

  private constructor(init: CrowdInit, network: FakeNetwork, people: [Person, Person]) {
    this.#init = init
    this.#network = network
    this.#random = new SeededRandom(init.seed)
    this.#people = people
  }

  static async start(init: CrowdInit): Promise<DeviceCrowd> {
    const network = await FakeNetwork.create()
    const people = await Promise.all(
      ['ada', 'bob'].map(async name => {
        const first = new TestPeer(network)
        await first.register(name)
        return { name, devices: [first] }
      })
    )
    const crowd = new DeviceCrowd(init, network, people as [Person, Person])
    await crowd.#say(people[0]!.devices[0]!, people[0]!)
    const atFirst = init.joinsInTheMiddle ? init.devices - 1 : init.devices
    for (const person of people) while (person.devices.length < atFirst) await crowd.#join(person)
    return crowd
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(device => device.engine.stop()))
  }

  get #all(): TestPeer[] {
    return this.#people.flatMap(({ devices }) => devices)
  }

  async #join(person: Person): Promise<void> {
    const device = await linkedDevice(this.#network, this.#random.pick(person.devices))
    device.clockOffset = this.#random.pick(this.#init.clockHours) * HOUR_MS
    person.devices.push(device)
    // Found out by each device before long; here at once, so that the test does not wait for it.
    const { accountId } = device.me
    for (const other of this.#all) {
      if (other.me.accountId === accountId) await other.engine.account.refresh(10_000)
      else await other.engine.people.refresh(accountId)
    }
  }

  #other(person: Person): Person {
    return this.#people.find(other => other !== person)!
  }

  async #say(device: TestPeer, person: Person): Promise<void> {
    const spoken = this.#sent.get(device.me.deviceId) ?? []
    const text = `${device.me.deviceId.slice(0, 8)} ${spoken.length}`
    await device.send(this.#other(person).devices[0]!, text)
    this.#sent.set(device.me.deviceId, [...spoken, text])
  }

  async run(): Promise<CrowdReport> {
    const { messages, budgetMs, devices } = this.#init
    const deadline = performance.now() + budgetMs
    this.#network.fate = () =>
      this.#random.chance(0.05)
        ? 'drop'
        : this.#random.chance(0.1)
          ? 'twice'
          : this.#random.chance(0.1)
            ? 'later'
            : 'deliver'
    let sent = 1
    for (; sent < messages && performance.now() < deadline; sent++) {
      const person = this.#random.pick(this.#people)
      if (sent === Math.floor(messages / 2)) {
        for (const joining of this.#people) if (joining.devices.length < devices) await this.#join(joining)
      }
      const device = this.#random.pick(person.devices)
      await this.#say(device, person)
      if (this.#random.chance(0.03)) await this.#restart()
    }
    this.#network.fate = () => 'deliver'
    await this.#setClocks()
    return this.#report(sent)
  }

  /** Sessions from the future are held, at a device whose clock is behind those of all others: see docs/sessions.md, "Reading an Open". */
  async #setClocks(): Promise<void> {
    for (const device of this.#all.filter(({ clockOffset }) => clockOffset !== 0)) {
      device.clockOffset = 0
      await device.restart()
    }
  }

  async #restart(): Promise<void> {
    const device = this.#random.pick(this.#all)
    this.#restarts++
    if (this.#random.chance(0.5)) await device.crash()
    else await device.restart()
  }

  async #textsOn(device: TestPeer, person: Person): Promise<string[]> {
    const other = this.#other(person).devices[0]!
    const { id } = await device.engine.conversations.open(other.me.accountId)
    const texts: string[] = []
    for (let before: string | undefined; ;) {
      const page = await device.engine.messages.page(id, { limit: 500, ...(before !== undefined && { before }) })
      texts.unshift(...page.map(({ kind, text }) => (kind === 'text' ? text : `(${kind})`)))
      if (page.length < 500) return texts
      before = page[0]!.id
    }
  }

  async #report(sent: number): Promise<CrowdReport> {
    const expected = [...this.#sent.values()].flat()
    const report: CrowdReport = {
      sent,
      restarts: this.#restarts,
      lost: 0,
      twice: 0,
      disordered: 0,
      unreadable: 0,
      examples: []
    }
    const isWhole = async (device: TestPeer, person: Person): Promise<boolean> => {
      this.#network.redeliver()
      const texts = await this.#textsOn(device, person)
      return texts.length >= expected.length && !texts.some(text => text.startsWith('('))
    }
    for (const person of this.#people) {
      for (const device of person.devices) {
        await eventually(() => isWhole(device, person), {
          what: 'a device has everything',
          timeoutMs: SETTLE_MS
        }).catch(() => undefined)
        this.#judge(
          await this.#textsOn(device, person),
          expected,
          report,
          `${person.name} ${device.me.deviceId.slice(0, 8)}`
        )
      }
    }
    return report
  }

  #judge(texts: string[], expected: string[], report: CrowdReport, who: string): void {
    const shown = new Set(texts)
    const lost = expected.filter(text => !shown.has(text))
    const unreadable = texts.filter(text => text.startsWith('('))
    const twice = texts.length - unreadable.length - [...shown].filter(text => !text.startsWith('(')).length
    const disordered = [...this.#sent.values()].filter(spoken => {
      const places = spoken.map(text => texts.indexOf(text)).filter(place => place >= 0)
      return places.some((place, i) => i > 0 && place < places[i - 1]!)
    }).length
    report.lost += lost.length
    report.unreadable += unreadable.length
    report.twice += twice
    report.disordered += disordered
    if (lost.length + unreadable.length + twice + disordered > 0 && report.examples.length < 20) {
      report.examples.push(
        `${who}: ${lost.length} lost (${lost[0] ?? ''}), ${twice} twice, ${disordered} out of order, ${unreadable[0] ?? ''}`
      )
    }
  }
}
