/**
 * Two people with several devices each, over a network that loses, copies and delays, and devices that restart, join, leave and
 * have wrong clocks, also at the end. Then every device shows every message once, each device's messages in order.
 */
import { FastTimers } from '../clock/fast-timers.ts'
import { FakeNetwork, type Fate } from '../network/fake/fake-network.ts'
import { SeededRandom } from '../seeded-random.ts'
import { comesTrue } from '../wait-for.ts'
import { emptyReport, judge, type CrowdReport } from './crowd-report.ts'
import { linkedDevice } from './linked-device.ts'
import { TestPeer } from './test-peer.ts'

const HOUR_MS = 60 * 60_000
const PAGE = 500
/** Of the devices' time. */
const PATIENCE_MS = 10 * 60_000
/** A device is looked at this often, and less often where a look reads thousands of messages. */
const MIN_LOOK_MS = 200
/** Messages after which a device that was cut off for a moment gets what waits for it. */
const REDELIVER_EVERY = 25

export interface CrowdInit {
  seed: number
  /** Texts that are sent, by any device to the other person. */
  messages: number
  /** Devices of each person at a time. */
  devices: number
  /** Times that a device joins and another leaves while people write. */
  changes: number
  /** Milliseconds after which nothing new is sent. */
  budgetMs: number
  /** Milliseconds of the devices' time that they may take to come to rest: what was lost is sealed again after minutes, then hours. */
  settleMs: number
  /** Hours by which clocks are wrong, picked at random, again and again. */
  clockHours: readonly number[]
  /** How much faster than the machine's time the devices' passes. */
  speed: number
}

interface Person {
  name: string
  devices: TestPeer[]
}

/** Runs one crowd. */
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
  /** What each device has written, by its id. */
  readonly #sent = new Map<string, string[]>()
  readonly #report = emptyReport()
  #fate: () => Fate = () => 'deliver'

  private constructor(init: CrowdInit, network: FakeNetwork, people: [Person, Person]) {
    this.#init = init
    this.#network = network
    this.#random = new SeededRandom(init.seed)
    this.#people = people
    network.fate = () => this.#fate()
  }

  static async start(init: CrowdInit): Promise<DeviceCrowd> {
    const network = await FakeNetwork.create()
    const clock = new FastTimers(init.speed)
    network.now = () => clock.now()
    const people: Person[] = []
    for (const name of ['ada', 'bob']) {
      const first = new TestPeer(network)
      first.clock = clock
      await first.register(name)
      people.push({ name, devices: [first] })
    }
    const crowd = new DeviceCrowd(init, network, people as [Person, Person])
    await crowd.#say(people[0]!.devices[0]!, people[0]!)
    for (const person of people) while (person.devices.length < init.devices) await crowd.#join(person)
    return crowd
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(device => device.engine.stop()))
  }

  get #all(): TestPeer[] {
    return this.#people.flatMap(({ devices }) => devices)
  }

  #other(person: Person): Person {
    return this.#people.find(other => other !== person)!
  }

  async run(): Promise<CrowdReport> {
    const { messages, budgetMs, changes } = this.#init
    const deadline = performance.now() + budgetMs
    const changeEvery = changes > 0 ? Math.floor(messages / (changes + 1)) : Infinity
    this.#fate = () => this.#lossy()
    for (let sent = 1; sent < messages && performance.now() < deadline; sent++) {
      if (sent % changeEvery === 0) await this.#change(sent / changeEvery)
      const person = this.#random.pick(this.#people)
      await this.#say(this.#random.pick(person.devices), person)
      if (this.#random.chance(0.03)) await this.#restart()
      if (this.#random.chance(0.03)) this.#setClock(this.#random.pick(this.#all))
      if (sent % REDELIVER_EVERY === 0) this.#network.redeliver()
    }
    this.#fate = () => 'deliver'
    return this.#judged()
  }

  #lossy(): Fate {
    if (this.#random.chance(0.05)) return 'drop'
    if (this.#random.chance(0.1)) return 'twice'
    return this.#random.chance(0.1) ? 'later' : 'deliver'
  }

  /** One person gets a device and loses another, in turns. */
  async #change(turn: number): Promise<void> {
    const person = this.#people[turn % 2]!
    await this.#join(person)
    if (person.devices.length > this.#init.devices) await this.#leave(person)
  }

  async #join(person: Person): Promise<void> {
    const device = await linkedDevice(this.#network, this.#random.pick(person.devices))
    this.#report.joined++
    this.#setClock(device)
    person.devices.push(device)
    await this.#tellAll(device)
  }

  /** All that was written has to be everywhere: a device that is gone sends nothing again, and ships no history. */
  async #leave(person: Person): Promise<void> {
    await this.#settled()
    const leaving = this.#random.pick(person.devices.slice(0, -1))
    person.devices = person.devices.filter(device => device !== leaving)
    const { deviceId } = leaving.me
    await leaving.engine.stop()
    const remover = this.#random.pick(person.devices)
    await this.#comesTrue(() => isDone(remover.engine.devices.revoke(deviceId)))
    this.#report.left++
    await this.#tellAll(person.devices[0]!)
  }

  /** Found out by each device before long; here at once, so that the run does not wait for it. */
  async #tellAll({ me: { accountId } }: TestPeer): Promise<void> {
    for (const other of this.#all) {
      const { account, people } = other.engine
      await isDone(other.me.accountId === accountId ? account.refresh(PATIENCE_MS) : people.refresh(accountId))
    }
  }

  async #say(device: TestPeer, person: Person): Promise<void> {
    const spoken = this.#sent.get(device.me.deviceId) ?? []
    const text = `${device.me.deviceId.slice(0, 8)} ${spoken.length}`
    await device.send(this.#other(person).devices[0]!, text)
    this.#sent.set(device.me.deviceId, [...spoken, text])
    this.#report.sent++
  }

  #setClock(device: TestPeer): void {
    device.clockOffset = this.#random.pick(this.#init.clockHours) * HOUR_MS
  }

  async #restart(): Promise<void> {
    const device = this.#random.pick(this.#all)
    this.#report.restarts++
    if (this.#random.chance(0.5)) await device.crash()
    else await device.restart()
  }

  #comesTrue(claim: () => Promise<boolean>): Promise<boolean> {
    const look = (): Promise<boolean> => {
      this.#network.redeliver()
      return claim()
    }
    return comesTrue(look, {
      timeoutMs: this.#init.settleMs,
      now: () => this.#network.now(),
      lookMs: Math.max(MIN_LOOK_MS, this.#report.sent)
    })
  }

  async #textsOn(device: TestPeer, person: Person): Promise<string[]> {
    const other = this.#other(person).devices[0]!
    const { id } = await device.engine.conversations.open(other.me.accountId)
    const pages: string[][] = []
    for (let before: string | undefined; ;) {
      const page = await device.engine.messages.page(id, { limit: PAGE, ...(before !== undefined && { before }) })
      pages.unshift(page.map(({ kind, text }) => (kind === 'text' ? text : `(${kind})`)))
      if (page.length < PAGE) return pages.flat()
      before = page[0]!.id
    }
  }

  /** Waits until every device shows all that was written. */
  async #settled(): Promise<void> {
    const expected = [...this.#sent.values()].flat().length
    for (const person of this.#people) {
      for (const device of person.devices) {
        await this.#comesTrue(async () => {
          const texts = await this.#textsOn(device, person)
          return texts.length >= expected && !texts.some(text => text.startsWith('('))
        })
      }
    }
  }

  async #judged(): Promise<CrowdReport> {
    await this.#settled()
    for (const person of this.#people) {
      for (const device of person.devices) {
        const who = `${person.name} ${device.me.deviceId.slice(0, 8)}`
        judge(this.#report, who, await this.#textsOn(device, person), this.#sent)
      }
    }
    return this.#report
  }
}

/** Whether a call came to its end: on a busy machine the devices' time runs away from a node. */
const isDone = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => true,
    () => false
  )
