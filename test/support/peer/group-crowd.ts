/**
 * A group of people with one to three devices each, over a network that loses, copies and delays, while people are added and
 * removed, devices restart and join, clocks are hours apart, and a node goes for good. Then every device of a member shows every
 * message of the time in which its person was a member once, each device's messages in order, and all see the same members.
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
const REDELIVER_EVERY = 25
const NODES = 3

export interface GroupCrowdInit {
  seed: number
  /** Texts that are written in the group. */
  messages: number
  people: number
  /** Of each person at the start: one up to so many. */
  maxDevices: number
  /** Times that a person is removed or added again, or gets a device, while people write. */
  changes: number
  budgetMs: number
  /** Milliseconds of the devices' time that they may take to come to rest: what was lost is sealed again after minutes, then hours. */
  settleMs: number
  clockHours: readonly number[]
  speed: number
  /** Of a delivery to be lost. What was lost is sent again after minutes. */
  loss: number
}

export interface GroupCrowdReport extends CrowdReport {
  /** Devices whose members are not those that all others see. */
  otherMembers: number
  nodesKilled: number
}

interface Person {
  name: string
  devices: TestPeer[]
  /** Messages, by their place, from which on the person was a member, up to where they were no more. */
  stays: { from: number; to: number }[]
}

/** Runs one group. */
export async function runGroupCrowd(init: GroupCrowdInit): Promise<GroupCrowdReport> {
  const crowd = await GroupCrowd.start(init)
  try {
    return await crowd.run()
  } finally {
    await crowd.stop()
  }
}

class GroupCrowd {
  readonly #init: GroupCrowdInit
  readonly #network: FakeNetwork
  readonly #random: SeededRandom
  readonly #people: Person[] = []
  readonly #sent: { device: string; text: string }[] = []
  readonly #report: GroupCrowdReport = { ...emptyReport(), otherMembers: 0, nodesKilled: 0 }
  #group = ''
  #fate: () => Fate = () => 'deliver'

  private constructor(init: GroupCrowdInit, network: FakeNetwork) {
    this.#init = init
    this.#network = network
    this.#random = new SeededRandom(init.seed)
    network.fate = () => this.#fate()
  }

  static async start(init: GroupCrowdInit): Promise<GroupCrowd> {
    const network = await FakeNetwork.create(NODES)
    const clock = new FastTimers(init.speed)
    network.now = () => clock.now()
    const crowd = new GroupCrowd(init, network)
    await crowd.#gather(clock)
    return crowd
  }

  async #gather(clock: FastTimers): Promise<void> {
    const { people, maxDevices } = this.#init
    for (let i = 0; i < people; i++) {
      const first = new TestPeer(this.#network, i % NODES)
      first.clock = clock
      await first.register(`person_${i}`)
      this.#people.push({ name: `person_${i}`, devices: [first], stays: [] })
    }
    const firsts = this.#people.map(({ devices }) => devices[0]!)
    for (const one of firsts) for (const other of firsts) if (one !== other) await one.accept(other)
    const others = firsts.slice(1).map(({ me }) => me.accountId)
    this.#group = (await firsts[0]!.engine.groups.create('Crowd', others)).group.id
    for (const person of this.#people) person.stays.push({ from: 0, to: Infinity })
    for (const person of this.#people) await this.#untilMember(person)
    for (const person of this.#people) {
      const wanted = 1 + this.#random.below(maxDevices)
      while (person.devices.length < wanted) await this.#joinDevice(person)
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#people.flatMap(({ devices }) => devices).map(device => device.engine.stop()))
  }

  get #members(): Person[] {
    return this.#people.filter(({ stays }) => stays.at(-1)!.to === Infinity)
  }

  get #active(): TestPeer[] {
    return this.#members.flatMap(({ devices }) => devices)
  }

  async run(): Promise<GroupCrowdReport> {
    const { messages, budgetMs, changes } = this.#init
    const deadline = performance.now() + budgetMs
    const changeEvery = changes > 0 ? Math.max(1, Math.floor(messages / (changes + 1))) : Infinity
    const killAt = Math.floor(messages / 2)
    this.#fate = () => this.#lossy()
    for (let sent = 1; sent <= messages && performance.now() < deadline; sent++) {
      if (sent % changeEvery === 0) await this.#change(sent / changeEvery)
      if (sent === killAt) this.#kill()
      await this.#say(this.#random.pick(this.#active))
      if (this.#random.chance(0.02)) await this.#restart()
      if (this.#random.chance(0.02)) this.#setClock(this.#random.pick(this.#active))
      if (sent % REDELIVER_EVERY === 0) this.#network.redeliver()
    }
    this.#fate = () => 'deliver'
    return this.#judged()
  }

  #lossy(): Fate {
    if (this.#random.chance(this.#init.loss)) return 'drop'
    if (this.#random.chance(0.1)) return 'twice'
    return this.#random.chance(0.1) ? 'later' : 'deliver'
  }

  /** A node ends for good: who was connected to it goes to another. */
  #kill(): void {
    this.#network.down.add(NODES - 1)
    this.#network.hangUp(NODES - 1)
    this.#report.nodesKilled++
  }

  /** In turns: a person is removed, added again, gets a device. All that was written is everywhere before, so that it is known who has to have what. */
  async #change(turn: number): Promise<void> {
    await this.#settled()
    const admin = this.#people[0]!.devices[0]!
    const away = this.#people.filter(person => !this.#members.includes(person))
    if (turn % 3 === 0) return this.#joinDevice(this.#random.pick(this.#members))
    if (turn % 3 === 2 && away.length > 0) {
      const person = this.#random.pick(away)
      await admin.engine.groups.add(this.#group, [person.devices[0]!.me.accountId])
      await this.#untilMember(person)
      person.stays.push({ from: this.#sent.length, to: Infinity })
      this.#report.joined++
    } else {
      const person = this.#random.pick(this.#members.slice(1))
      await admin.engine.groups.remove(this.#group, [person.devices[0]!.me.accountId])
      person.stays.at(-1)!.to = this.#sent.length
      this.#report.left++
    }
    await this.#allSeeMembers()
  }

  async #joinDevice(person: Person): Promise<void> {
    const device = await linkedDevice(this.#network, person.devices[0]!)
    this.#setClock(device)
    person.devices.push(device)
    const { accountId } = device.me
    // Found out by each device before long; here at once, so that the run does not wait for it.
    for (const other of this.#active) {
      const { account, people } = other.engine
      const told = other.me.accountId === accountId ? account.refresh(HOUR_MS) : people.refresh(accountId)
      await Promise.resolve(told).catch(() => undefined)
    }
    await this.#comesTrue(async () => (await device.engine.groups.list()).some(({ id }) => id === this.#group))
  }

  async #untilMember({ devices }: Person): Promise<void> {
    for (const device of devices) {
      await this.#comesTrue(async () =>
        (await device.engine.groups.list()).some(({ id, role }) => id === this.#group && role !== null)
      )
    }
  }

  async #membersAt(device: TestPeer): Promise<string> {
    const members = await device.engine.groups.members(this.#group)
    return members
      .map(({ person, role }) => `${person.accountId} ${role}`)
      .sort()
      .join()
  }

  async #allSeeMembers(): Promise<void> {
    const count = this.#members.length
    for (const device of this.#active) {
      await this.#comesTrue(async () => (await this.#membersAt(device)).split(',').length === count)
    }
  }

  async #say(device: TestPeer): Promise<void> {
    const { deviceId } = device.me
    const text = `${deviceId.slice(0, 8)} ${this.#sent.length}`
    await device.engine.messages.sendText(this.#group, text)
    this.#sent.push({ device: deviceId, text })
    this.#report.sent++
  }

  #setClock(device: TestPeer): void {
    device.clockOffset = this.#random.pick(this.#init.clockHours) * HOUR_MS
  }

  async #restart(): Promise<void> {
    const device = this.#random.pick(this.#active)
    this.#report.restarts++
    if (this.#random.chance(0.5)) await device.crash()
    else await device.restart()
  }

  #comesTrue(claim: () => Promise<boolean>): Promise<boolean> {
    const look = (): Promise<boolean> => {
      this.#network.redeliver()
      return claim()
    }
    return comesTrue(look, { timeoutMs: this.#init.settleMs, now: () => this.#network.now(), lookMs: 100 })
  }

  /** What a device shows; lines about changes of the group are no messages, every other line of Volo is a fault. */
  async #textsOn(device: TestPeer): Promise<string[]> {
    const pages: string[][] = []
    for (let before: string | undefined; ;) {
      const page = await device.engine.messages.page(this.#group, {
        limit: PAGE,
        ...(before !== undefined && { before })
      })
      const shown = page.filter(({ line }) => line?.kind !== 'group')
      pages.unshift(shown.map(({ kind, text, line }) => (kind === 'text' ? text : `(${line?.kind ?? kind})`)))
      if (page.length < PAGE) return pages.flat()
      before = page[0]!.id
    }
  }

  #expectedFor({ stays }: Person): { device: string; text: string }[] {
    return this.#sent.filter((_, place) => stays.some(({ from, to }) => from <= place && place < to))
  }

  async #settled(): Promise<void> {
    for (const person of this.#members) {
      const expected = this.#expectedFor(person).length
      for (const device of person.devices) {
        await this.#comesTrue(async () => {
          const texts = await this.#textsOn(device)
          return texts.length >= expected && !texts.some(text => text.startsWith('('))
        })
      }
    }
  }

  async #judged(): Promise<GroupCrowdReport> {
    await this.#settled()
    await this.#allSeeMembers()
    const members = await this.#membersAt(this.#people[0]!.devices[0]!)
    for (const person of this.#people) {
      const expected = Map.groupBy(this.#expectedFor(person), ({ device }) => device)
      const sent = new Map([...expected].map(([device, spoken]) => [device, spoken.map(({ text }) => text)]))
      for (const device of person.devices) {
        const who = `${person.name} ${device.me.deviceId.slice(0, 8)}`
        judge(this.#report, who, await this.#textsOn(device), sent)
        if (this.#members.includes(person) && (await this.#membersAt(device)) !== members) this.#report.otherMembers++
      }
    }
    return this.#report
  }
}
