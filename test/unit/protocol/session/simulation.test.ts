/** Whole conversations over a network that loses, repeats and reorders, between devices that restart at every step. */
import { describe, expect, it } from 'vitest'
import { equalBytes, toHex } from '../../../../protocol/bytes.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import {
  createAccount,
  directoryOf,
  rosterOf,
  testEnvironment,
  type TestAccount,
  type TestEnvironment
} from './fixtures.ts'
import { SimulatedPeer } from './simulated-peer.ts'

interface InFlight {
  at: number
  to: DeviceId
  payload: Uint8Array
  part: Uint8Array
}

class SimulatedNetwork {
  readonly env: TestEnvironment
  readonly peers: SimulatedPeer[]
  readonly accounts: TestAccount[]
  #flight: InFlight[] = []
  lost = 0
  repeated = 0
  lossRate: number

  constructor(env: TestEnvironment, accounts: TestAccount[], lossRate: number, maxMessages: number) {
    this.env = env
    this.accounts = accounts
    this.lossRate = lossRate
    const devices = accounts.flatMap(account => account.devices)
    const bundleOf = (deviceId: DeviceId) => devices.find(device => equalBytes(device.deviceId, deviceId))!.bundle
    this.peers = devices.map(
      device =>
        new SimulatedPeer(env, device, directoryOf(...accounts), () => rosterOf(env, ...accounts), bundleOf, {
          maxMessages,
          maxAgeMs: 7 * 86_400_000
        })
    )
  }

  #chance(): number {
    const [a, b] = this.env.random(2)
    return (a! * 256 + b!) / 65_536
  }

  #collect(): void {
    for (const peer of this.peers) {
      for (const { payload, to } of peer.outbox.splice(0)) {
        for (const { deviceId, part } of to) {
          if (this.#chance() < this.lossRate) this.lost++
          else this.#post(deviceId, payload, part)
          if (this.#chance() < this.lossRate) {
            this.repeated++
            this.#post(deviceId, payload, part)
          }
        }
      }
    }
  }

  #post(to: DeviceId, payload: Uint8Array, part: Uint8Array): void {
    // Up to 30 s: longer than a message is held for its predecessors.
    this.#flight.push({ at: this.env.now() + this.#chance() * 30_000, to, payload, part })
  }

  async step(milliseconds: number): Promise<void> {
    this.#collect()
    this.env.clock.advance(milliseconds)
    const due = this.#flight.filter(({ at }) => at <= this.env.now()).sort((a, b) => a.at - b.at)
    this.#flight = this.#flight.filter(entry => !due.includes(entry))
    for (const { to, payload, part } of due) {
      const peer = this.peers.find(({ device }) => equalBytes(device.deviceId, to))
      await peer?.receive(payload, part)
    }
    for (const peer of this.peers) await peer.tick()
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 400; i++) await this.step(i < 100 ? 5_000 : 600_000)
  }
}

/** Says one thing more on a good network: what was lost at the end shows once something comes after it. */
async function sayGoodbye(network: SimulatedNetwork, sent: Map<string, string[]>): Promise<void> {
  network.lossRate = 0
  for (const peer of network.peers) {
    await peer.send({ kind: 'text', text: 'goodbye' })
    const id = toHex(peer.device.deviceId)
    sent.set(id, [...(sent.get(id) ?? []), 'goodbye'])
  }
  await network.settle()
}

/** Every device shows every text of every other device: once, in order, linked, with nothing refused. */
function expectComplete(network: SimulatedNetwork, sent: Map<string, string[]>): void {
  for (const peer of network.peers) {
    expect(peer.refusals).toEqual([])
    for (const other of network.peers) {
      if (other === peer) continue
      expect(peer.texts(other.device.deviceId)).toEqual(sent.get(toHex(other.device.deviceId)) ?? [])
      expect(peer.shown.get(toHex(other.device.deviceId))?.every(({ linked }) => linked) ?? true).toBe(true)
    }
  }
}

async function talk(network: SimulatedNetwork, rounds: number): Promise<Map<string, string[]>> {
  const sent = new Map<string, string[]>()
  for (let round = 0; round < rounds; round++) {
    for (const [index, peer] of network.peers.entries()) {
      if ((round + index) % 3 === 0) continue
      const text = `${index}/${round}`
      await peer.send({ kind: 'text', text })
      const id = toHex(peer.device.deviceId)
      sent.set(id, [...(sent.get(id) ?? []), text])
    }
    await network.step(2_000)
  }
  return sent
}

describe('a simulated conversation', () => {
  it('two people on a good network show everything, and open one session each', async () => {
    const env = testEnvironment('two, good')
    const accounts = [await createAccount(env, 1), await createAccount(env, 1)]
    const network = new SimulatedNetwork(env, accounts, 0, 100)
    const sent = await talk(network, 30)
    await network.settle()
    expectComplete(network, sent)
    expect(network.peers.map(peer => peer.opens)).toEqual([1, 1])
    expect(network.peers.map(peer => peer.deliveries.length)).toEqual([0, 0])
  })

  it.each([0.1, 0.3, 0.5])('two people show everything on a network that loses and repeats %d', async loss => {
    const env = testEnvironment(`two, ${loss}`)
    const accounts = [await createAccount(env, 1), await createAccount(env, 1)]
    const network = new SimulatedNetwork(env, accounts, loss, 10)
    const sent = await talk(network, 60)
    await network.settle()
    await sayGoodbye(network, sent)
    expect(network.lost).toBeGreaterThan(5)
    expectComplete(network, sent)
  })

  it('five devices of two people show everything on a bad network, with sessions of seven messages', async () => {
    const env = testEnvironment('five')
    const accounts = [await createAccount(env, 2), await createAccount(env, 3)]
    const network = new SimulatedNetwork(env, accounts, 0.2, 7)
    const sent = await talk(network, 40)
    await network.settle()
    await sayGoodbye(network, sent)
    expect(network.lost).toBeGreaterThan(100)
    expect(network.repeated).toBeGreaterThan(100)
    expect(Math.min(...network.peers.map(peer => peer.opens))).toBeGreaterThan(3)
    expectComplete(network, sent)
    for (const peer of network.peers) {
      // Every Open was acknowledged, so no session secret is left; old keys and old sessions are erased.
      expect(peer.deliveries).toEqual([])
      expect(peer.inbounds.length).toBeLessThanOrEqual(8)
      expect(peer.ownKeys.keys.length).toBeLessThan(peer.opens)
    }
  })

  it('a device that was off meanwhile shows all that was sent to it once it is back', async () => {
    const env = testEnvironment('off')
    const accounts = [await createAccount(env, 1), await createAccount(env, 2)]
    const network = new SimulatedNetwork(env, accounts, 0.1, 10)
    const [ada, bob, away] = network.peers as [SimulatedPeer, SimulatedPeer, SimulatedPeer]
    const kept: [Uint8Array, Uint8Array][] = []
    const receive = away.receive.bind(away)
    away.receive = async (payload, part) => void kept.push([payload, part])
    const sent = new Map<string, string[]>()
    for (let round = 0; round < 25; round++) {
      for (const peer of [ada, bob]) {
        const id = toHex(peer.device.deviceId)
        await peer.send({ kind: 'text', text: `${round}` })
        sent.set(id, [...(sent.get(id) ?? []), `${round}`])
      }
      await network.step(60_000)
    }
    env.clock.advance(20 * 86_400_000)
    // Its weekly key has expired: until its acknowledgement has come, nobody has a key to seal to.
    network.lossRate = 0
    away.receive = receive
    for (const [payload, part] of kept) await away.receive(payload, part)
    await network.settle()
    await sayGoodbye(network, sent)
    expectComplete(network, sent)
  })

  it('a device that joins later gets what comes after, and no gap for what was before', async () => {
    const env = testEnvironment('joins')
    const accounts = [await createAccount(env, 1), await createAccount(env, 1)]
    const network = new SimulatedNetwork(env, accounts, 0, 100)
    await talk(network, 6)
    await network.settle()
    await accounts[1]!.addDevice()
    const newcomer = new SimulatedNetwork(env, accounts, 0, 100).peers[2]!
    Object.assign(newcomer, { bundleOf: network.peers[0]!.bundleOf })
    network.peers.push(newcomer)
    const devices = accounts.flatMap(account => account.devices)
    for (const peer of network.peers) {
      Object.assign(peer, {
        bundleOf: (id: DeviceId) => devices.find(device => equalBytes(device.deviceId, id))!.bundle
      })
    }
    await network.peers[0]!.send({ kind: 'text', text: 'welcome' })
    await network.settle()
    expect(newcomer.refusals).toEqual([])
    expect(newcomer.texts(network.peers[0]!.device.deviceId)).toEqual(['welcome'])
    expect(newcomer.emissions.filter(({ kind }) => kind === 'gap')).toEqual([])
  })

  it('a revoked device gets nothing from the next message on', async () => {
    const env = testEnvironment('revoked')
    const accounts = [await createAccount(env, 1), await createAccount(env, 2)]
    const network = new SimulatedNetwork(env, accounts, 0, 100)
    const [ada, , thief] = network.peers as [SimulatedPeer, SimulatedPeer, SimulatedPeer]
    await ada.send({ kind: 'text', text: 'before' })
    await network.settle()
    accounts[1]!.revoke(accounts[1]!.devices[1]!)
    await ada.send({ kind: 'text', text: 'after' })
    expect(ada.outbox.flatMap(({ to }) => to.map(({ deviceId }) => toHex(deviceId)))).toEqual([
      toHex(network.peers[1]!.device.deviceId)
    ])
    // Even with the payload in hand, it has no part, and its old session does not open it.
    const { payload } = ada.outbox[0]!
    await thief.receive(payload, ada.outbox[0]!.to[0]!.part)
    expect(thief.refusals).toEqual(['NOT_FOR_US'])
    expect(thief.texts(ada.device.deviceId)).toEqual(['before'])
  })

  it('notes to self on one device need nobody', async () => {
    const env = testEnvironment('self')
    const accounts = [await createAccount(env, 1)]
    const network = new SimulatedNetwork(env, accounts, 0, 100)
    await network.peers[0]!.send({ kind: 'text', text: 'milk' })
    expect(network.peers[0]!.outbox.flatMap(({ to }) => to)).toEqual([])
  })
})
