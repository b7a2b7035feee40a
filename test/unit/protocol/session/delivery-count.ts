import { equalBytes, toHex } from '../../../../protocol/bytes.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import { createRoster, type ConversationId, type GroupHead, type Roster } from '../../../../protocol/roster/roster.ts'
import {
  createAccount,
  directoryOf,
  rosterOf,
  testEnvironment,
  type TestAccount,
  type TestEnvironment
} from './fixtures.ts'
import { SimulatedPeer } from './simulated-peer.ts'

const FURTHER_MESSAGES = 20
/** Devices of one account, at most. */
const DEVICES_OF_ONE = 32

export interface DeliveryCount {
  /** Deliveries caused by the first message: Open, acknowledgements, delivered and read receipts. */
  hello: number
  /** Deliveries caused by each further message, where read receipts come for all of them together. */
  further: number
  /** Bytes of the Open with its first message that the sender hands in: the payload, and a part for each device. */
  openUp: number
  /** Bytes of it that reach one device: the payload and the largest part. */
  openDown: number
  /** Sessions opened by all devices together. */
  opens: number
  /** Devices that show the first message. */
  shown: number
  /** Devices that the sender still waits for. */
  unacknowledged: number
  refusals: string[]
}

/** One of `devices` devices of two people says hello, then twenty words more, and everybody reads. */
export async function countDeliveries(devices: number): Promise<DeliveryCount> {
  const env = testEnvironment(`deliveries of ${devices}`)
  const own = Math.min(Math.floor(devices / 2), DEVICES_OF_ONE)
  const accounts = [await createAccount(env, own), await createAccount(env, devices - own)]
  return count(env, accounts, rosterOf(env, ...accounts))
}

/** The same in a group of people with two devices each; the changes of its log travel beside the Open and are not counted. */
export async function countGroupDeliveries(devices: number): Promise<DeliveryCount> {
  const env = testEnvironment(`group deliveries of ${devices}`)
  const accounts: TestAccount[] = []
  for (let left = devices; left > 0; left -= 2) accounts.push(await createAccount(env, Math.min(2, left)))
  const members = accounts.map(account => account.member())
  const roster = createRoster(env.random(32) as ConversationId, 1, members, [env.random(32) as GroupHead])
  return count(env, accounts, roster)
}

async function count(env: TestEnvironment, accounts: TestAccount[], roster: Roster): Promise<DeliveryCount> {
  const all = accounts.flatMap(account => account.devices)
  const directory = directoryOf(...accounts)
  const bundleOf = (deviceId: DeviceId) => all.find(device => equalBytes(device.deviceId, deviceId))!.bundle
  const limits = { maxMessages: 100, maxAgeMs: 7 * 86_400_000 }
  const peers = all.map(device => new SimulatedPeer(env, device, directory, () => roster, bundleOf, limits))
  const byId = new Map(peers.map(peer => [toHex(peer.device.deviceId), peer]))
  let deliveries = 0
  const deliver = async (): Promise<void> => {
    for (let moved = true; moved;) {
      moved = false
      for (const peer of peers) {
        for (const { payload, to } of peer.outbox.splice(0)) {
          for (const { deviceId, part } of to) {
            deliveries++
            moved = true
            await byId.get(toHex(deviceId))!.receive(payload, part)
          }
        }
      }
      env.clock.advance(250)
      for (const peer of peers) await peer.tick()
      moved ||= peers.some(peer => peer.outbox.length > 0)
    }
  }
  const [sender] = peers as [SimulatedPeer]
  const allRead = async (): Promise<void> => {
    for (const peer of peers) peer.markRead()
    await deliver()
  }
  await sender.send({ kind: 'text', text: 'hello' })
  const opening = sender.outbox.map(({ payload, to }) => ({ payload: payload.length, parts: to.map(partBytes) }))
  await deliver()
  await allRead()
  const hello = deliveries
  for (let i = 0; i < FURTHER_MESSAGES; i++) await sender.send({ kind: 'text', text: `word ${i}` })
  await deliver()
  await allRead()
  const { deviceId } = sender.device
  return {
    hello,
    openUp: sum(opening.map(({ payload, parts }) => payload + sum(parts))),
    openDown: sum(opening.map(({ payload, parts }) => payload + Math.max(...parts))),
    further: (deliveries - hello) / FURTHER_MESSAGES,
    opens: peers.reduce((sum, peer) => sum + peer.opens, 0),
    shown: peers.filter(peer => peer.texts(deviceId)[0] === 'hello').length,
    unacknowledged: sender.deliveries.reduce((sum, { waiting }) => sum + waiting.length, 0),
    refusals: peers.flatMap(peer => peer.refusals)
  }
}

const sum = (numbers: number[]): number => numbers.reduce((total, each) => total + each, 0)
const partBytes = ({ part }: { part: Uint8Array }): number => part.length
