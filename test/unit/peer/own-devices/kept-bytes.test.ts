/** What can be read, of the bytes that nodes keep, with all that one device has. */
import { afterEach, describe, expect, test } from 'vitest'
import { equalBytes, fromHex } from '../../../../protocol/bytes.ts'
import { decodePacket } from '../../../../protocol/session/packet.ts'
import { PADDING_BUCKETS } from '../../../../protocol/session/padding.ts'
import { decodeEnvelope } from '../../../../protocol/wire/envelope.ts'
import { StateStore } from '../../../../peer/store/state-store.ts'
import { outboxEntry, slots } from '../../../../peer/store/store-layout.ts'
import { FakeNetwork } from '../../../support/network/fake/fake-network.ts'
import { linkedDevice } from '../../../support/peer/linked-device.ts'
import { TestPeer } from '../../../support/peer/test-peer.ts'
import { Thief } from '../../../support/peer/thief.ts'
import { eventually } from '../../../support/wait-for.ts'

const DAY_MS = 24 * 3_600_000
const running: TestPeer[] = []
let network: FakeNetwork
let ada: TestPeer
let bob: TestPeer

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

async function meet(): Promise<void> {
  network = await FakeNetwork.create()
  ada = new TestPeer(network)
  bob = new TestPeer(network)
  running.push(ada, bob)
  await ada.register('ada')
  await bob.register('bob')
  await ada.send(bob, 'hello')
  await bob.send(ada, 'hello yourself')
  await eventually(
    async () => (await bob.received(ada)).length + (await ada.received(bob)).length === 2,
    'they have met'
  )
}

async function linked(): Promise<TestPeer> {
  const device = await linkedDevice(network, ada)
  running.push(device)
  await eventually(async () => (await device.engine.history.status()).state === 'done', 'the history is there')
  await bob.engine.people.refresh(ada.me.accountId)
  return device
}

/** Says something from each side, and waits until all that are named show it. */
async function talk(word: string, ...devices: TestPeer[]): Promise<void> {
  await bob.send(ada, `${word} of bob`)
  await ada.send(bob, `${word} of ada`)
  const shows = async (device: TestPeer): Promise<boolean> => {
    const texts = (await device.messages(device === bob ? ada : bob)).map(({ text }) => text)
    return texts.includes(`${word} of bob`) && texts.includes(`${word} of ada`)
  }
  for (const device of [ada, bob, ...devices]) await eventually(() => shows(device), `everybody shows ${word}`)
}

const mark = (): number => network.submitted.length
const since = (from: number, to?: number): Uint8Array[] => network.submitted.slice(from, to)

describe('of the bytes that nodes keep', () => {
  test('a new device reads nothing that was sent before it joined', async () => {
    await meet()
    await talk('before')
    const joined = mark()
    const tablet = await linked()
    const thief = await Thief.of(network, tablet)
    expect(await thief.read(since(0, joined))).toEqual({ opens: 0, messages: 0, packets: 0 })
    // The same look reads what comes to it from now on.
    const after = mark()
    await talk('after', tablet)
    expect((await thief.read(since(after))).messages).toBeGreaterThanOrEqual(2)
  })

  test('a removed device reads nothing that is sent after its removal', async () => {
    await meet()
    const tablet = await linked()
    const before = mark()
    await talk('before', tablet)
    const thief = await Thief.of(network, tablet)
    await tablet.engine.stop()
    await ada.engine.devices.revoke(tablet.me.deviceId)
    await bob.engine.people.refresh(ada.me.accountId)
    const removed = mark()
    await talk('after')
    const mailbox = fromHex(tablet.me.deviceId, 16)
    const names = since(removed).flatMap(bytes => decodeEnvelope(bytes).recipients)
    expect(names.some(recipient => equalBytes(recipient.mailbox, mailbox))).toBe(false)
    expect(await thief.read(since(removed))).toMatchObject({ opens: 0, messages: 0 })
    expect(since(before, removed).length).toBeGreaterThan(0)
  })

  test('history is read by the new device alone, renews no session, and is gone where it came from', async () => {
    await meet()
    const laptop = await linked()
    for (let i = 0; i < 40; i++) await ada.send(bob, `${i} ${'x'.repeat(4_000)}`)
    await eventually(async () => (await laptop.messages(bob)).length === 42, 'all have it')
    const states = new StateStore(await ada.openStore())
    const { id } = await ada.engine.conversations.open(bob.me.accountId)
    const sessionOf = async (): Promise<unknown> =>
      (await states.range('outbound', id, slots.outbound('').codec))[0]!.value.session
    const begun = mark()
    const tablet = await linked()
    expect((await tablet.messages(bob)).length).toBe(42)
    const pieces = since(begun).filter(bytes => {
      const { payload, recipients } = decodeEnvelope(bytes)
      const isToTablet = recipients.length === 1 && equalBytes(recipients[0]!.mailbox, fromHex(tablet.me.deviceId, 16))
      return isToTablet && payload.length > PADDING_BUCKETS[3]
    })
    expect(pieces.length).toBeGreaterThanOrEqual(4)
    for (const other of [laptop, bob]) {
      expect(await (await Thief.of(network, other)).read(pieces)).toEqual({ opens: 0, messages: 0, packets: 0 })
    }
    expect((await (await Thief.of(network, tablet)).read(pieces)).packets).toBe(pieces.length)
    // A node sees sizes of packets, and those are padded.
    const lengths = pieces.map(bytes => {
      const packet = decodePacket(decodeEnvelope(bytes).payload)
      return packet.kind === 'pair' ? packet.ciphertext.length - 16 : 0
    })
    expect(lengths.every(length => PADDING_BUCKETS.some(bucket => bucket === length))).toBe(true)
    const before = await sessionOf()
    await eventually(async () => (await states.range('outbox', undefined, outboxEntry)).length === 0, 'nothing waits')
    expect(await sessionOf()).toEqual(before)
    const kept = [...ada.store.entries].filter(([key]) => key.startsWith('history') || key.startsWith('late'))
    expect(kept.reduce((sum, [, value]) => sum + value.length, 0)).toBeLessThan(6_000)
  })

  test('a stolen copy of all that a device has is locked out by the next renewal of both sides, also of one that only listens', async () => {
    await meet()
    const tablet = await linked()
    await talk('before', tablet)
    const thief = await Thief.of(network, tablet)
    const everybody = [ada, bob, tablet]
    const renewed = async (word: string, days: number): Promise<Uint8Array[]> => {
      for (const peer of everybody) {
        await peer.engine.stop()
        peer.slept = days * DAY_MS
        await peer.start()
        await peer.engine.online(5_000)
      }
      const from = mark()
      await talk(word, tablet)
      return since(from)
    }
    const stolen = mark()
    await talk('still', tablet)
    expect((await thief.read(since(stolen))).messages).toBeGreaterThanOrEqual(2)
    // Sessions are a week old. The next ones may be sealed to a key of the tablet that the thief has: it hands over a new one then.
    await thief.read(await renewed('first', 8))
    await eventually(() => network.pending === 0, 'the tablet has said all that it had to')
    expect(await thief.read(await renewed('second', 16))).toMatchObject({ opens: 0, messages: 0 })
  })
})
