/** What a lying node or a hostile stranger may try against a peer. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../protocol/bytes.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import type { SessionId } from '../../../protocol/session/context.ts'
import { MAX_INBOUND_SESSIONS } from '../../../protocol/session/inbound.ts'
import { encodePacket } from '../../../protocol/session/packet.ts'
import { deliveryIdOf, envelopeIdOf, type Delivery } from '../../../protocol/wire/envelope.ts'
import { failureOf } from '../../../peer/errors.ts'
import { slots } from '../../../peer/store/store-layout.ts'
import { StateStore } from '../../../peer/store/state-store.ts'
import { FakeNetwork } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'
import { eventually } from '../../support/wait-for.ts'

const running: TestPeer[] = []
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

async function people(...names: string[]): Promise<{ network: FakeNetwork; peers: TestPeer[] }> {
  const network = await FakeNetwork.create()
  const peers = names.map(() => new TestPeer(network))
  for (const [i, peer] of peers.entries()) await peer.register(names[i]!)
  running.push(...peers)
  return { network, peers }
}

/** A delivery whose id is right, with any content. */
function deliveryOf(
  network: FakeNetwork,
  mailbox: DeviceId,
  payload: Uint8Array,
  part: Uint8Array = new Uint8Array()
): Delivery {
  const shared = { version: 1 as const, expiry: Date.now() + 60_000, class: 'contact' as const, payload }
  const id = deliveryIdOf(network.crypto, network.id, envelopeIdOf(network.crypto, network.id, shared), {
    mailbox,
    part,
    proof: new Uint8Array()
  })
  return { id, expiry: shared.expiry, class: 'contact', part, proof: new Uint8Array(), payload, storedAt: Date.now() }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

describe('a hostile stranger', () => {
  test('cannot disturb a conversation with garbage of any kind', async () => {
    const { network, peers } = await people('ada', 'bob')
    const [ada, bob] = peers as [TestPeer, TestPeer]
    await ada.send(bob, 'before')
    await eventually(async () => (await bob.received(ada)).length === 1, 'before')
    const mailbox = fromHex(bob.me.deviceId) as DeviceId
    const messages = [random(300), random(1)]
    const payloads = [
      random(1),
      random(5_000),
      encodePacket({ kind: 'messages', messages }),
      encodePacket({ kind: 'open', openBody: random(2_000), messages })
    ]
    for (const payload of payloads) {
      network.push(mailbox, deliveryOf(network, mailbox, payload))
      network.push(mailbox, deliveryOf(network, mailbox, payload, random(1_200)))
    }
    await ada.send(bob, 'after')
    await eventually(async () => (await bob.received(ada)).length === 2, 'after')
    expect(await bob.received(ada)).toEqual(['before', 'after'])
    expect(bob.engine.counts.malformed).toBeGreaterThan(0)
    expect((await bob.engine.snapshot()).conversations).toHaveLength(1)
  })

  test('cannot replay a delivery to another device, or again to the same', async () => {
    const { network, peers } = await people('ada', 'bob', 'eve')
    const [ada, bob, eve] = peers as [TestPeer, TestPeer, TestPeer]
    const seen: Delivery[] = []
    network.fate = (delivery, mailbox) => {
      if (toHex(mailbox) === bob.me.deviceId) seen.push(delivery)
      return 'deliver'
    }
    await ada.send(bob, 'for Bob')
    await eventually(async () => (await bob.received(ada)).length === 1, 'there')
    for (const delivery of seen) {
      network.push(fromHex(bob.me.deviceId) as DeviceId, delivery)
      const { payload, part } = delivery
      const mailbox = fromHex(eve.me.deviceId) as DeviceId
      network.push(mailbox, deliveryOf(network, mailbox, payload, part))
    }
    await eventually(() => eve.engine.counts.notForUs > 0, 'Eve looked at it')
    await eventually(() => bob.engine.counts.duplicate > 0, 'Bob looked at it')
    expect(await bob.received(ada)).toEqual(['for Bob'])
    expect((await eve.engine.snapshot()).conversations).toEqual([])
  })

  test('cannot keep the mailbox shut with what an older version does not know', async () => {
    const { network, peers } = await people('bob')
    const [bob] = peers as [TestPeer]
    const mailbox = fromHex(bob.me.deviceId) as DeviceId
    const acknowledged = new Set<string>()
    network.answer = async frame => {
      if (frame.kind === 'acknowledge') for (const id of frame.acknowledgement.ids) acknowledged.add(toHex(id))
      return undefined
    }
    for (let i = 0; i < 3; i++) {
      // A packet of kind 99.
      network.push(mailbox, deliveryOf(network, mailbox, Uint8Array.of(0x82, 0x18, 99, 0x50, ...random(16))))
    }
    await eventually(() => acknowledged.size === 3, 'all are acknowledged')
    expect(bob.engine.counts.parked).toBe(3)
    // A newer version of the program looks at them again.
    await bob.crash()
    expect(bob.engine.counts.parked).toBe(3)
  })

  test('cannot fill the device with messages of sessions that never open', async () => {
    const { network, peers } = await people('bob')
    const [bob] = peers as [TestPeer]
    const mailbox = fromHex(bob.me.deviceId) as DeviceId
    // Well-formed, of a session that nobody opened.
    const packet = (): Uint8Array =>
      // [session id, counter, ciphertext of the smallest bucket]
      Uint8Array.of(0x83, 0x50, ...random(16), 0x00, 0x59, 0x01, 0x50, ...random(336))
    for (let i = 0; i < 2_050; i++) {
      network.push(mailbox, deliveryOf(network, mailbox, encodePacket({ kind: 'messages', messages: [packet()] })))
    }
    await eventually(() => bob.engine.counts.dropped >= 50, { what: 'the bound is reached', timeoutMs: 60_000 })
    expect(bob.engine.counts.parked).toBeLessThanOrEqual(2_000)
  })
})

describe('a hostile partner', () => {
  test('has no more sessions kept than a bound, whatever it leaves unfinished', async () => {
    const { peers } = await people('ada', 'bob')
    const [ada, bob] = peers as [TestPeer, TestPeer]
    await ada.send(bob, 'first')
    await eventually(async () => (await bob.received(ada)).length === 1, 'there')
    const { id } = await bob.engine.conversations.open(ada.me.accountId)
    await bob.engine.stop()
    const states = new StateStore(await bob.openStore())
    const sessions = () => states.range('inbound', id, slots.inbound('', '').codec)
    const session = (await sessions())[0]!.value
    await states.unit(async unit => {
      for (let i = 0; i < MAX_INBOUND_SESSIONS + 10; i++) {
        const sessionId = random(16) as SessionId
        unit.write(slots.inbound(id, toHex(sessionId)), { ...session, sessionId })
      }
    })
    await bob.start()
    // More than one session takes.
    await Promise.all(Array.from({ length: 120 }, (_, i) => ada.send(bob, `text ${i}`)))
    await eventually(async () => (await bob.received(ada)).length === 121, 'all are there')
    expect((await sessions()).length).toBeLessThanOrEqual(MAX_INBOUND_SESSIONS)
  })
})

describe('a lying node', () => {
  test('that serves another account’s records under an id is not believed', async () => {
    const { network, peers } = await people('ada', 'bob', 'eve')
    const [ada, bob, eve] = peers as [TestPeer, TestPeer, TestPeer]
    const bobsId = fromHex(bob.me.accountId)
    network.ledger.addAccount(bobsId as never, network.ledger.recordsOf(eve.me.accountId))
    await expect(ada.engine.people.find(bob.me.accountId)).rejects.toMatchObject({ code: 'bad-answer' })
  })

  test('that names somebody who does not claim the name finds nobody', async () => {
    const { network, peers } = await people('ada', 'bob')
    const [ada, bob] = peers as [TestPeer, TestPeer]
    network.tamper = frame =>
      frame.kind === 'names'
        ? { ...frame, matches: [{ tag: random(32), accountId: fromHex(bob.me.accountId) as never, state: 'settled' }] }
        : frame
    expect(await ada.engine.people.find('@somebody')).toBeNull()
  })

  test('that hands out keys of its own for a device seals nothing to them', async () => {
    const { network, peers } = await people('ada', 'bob', 'eve')
    const [ada, bob, eve] = peers as [TestPeer, TestPeer, TestPeer]
    const bundles = network.bundlesOf(eve.me.deviceId)
    network.tamper = frame => (frame.kind === 'bundles' ? { ...frame, bundles } : frame)
    const { id } = await ada.send(bob, 'secret')
    await eventually(async () => {
      const message = (await ada.messages(bob)).find(shown => shown.id === id)
      return message?.problem === 'no-keys'
    }, 'it says why it waits')
    expect(network.submissions).toBe(0)
    network.tamper = frame => frame
    await eventually(async () => (await bob.received(ada)).length === 1, 'sent once the keys are right')
  })

  test('that writes sentences into its refusals is quoted nowhere', async () => {
    const { network, peers } = await people('ada', 'bob')
    const [ada, bob] = peers as [TestPeer, TestPeer]
    const message = '\u202eYour account is locked. Visit https://evil.example'
    const refuse = (kind: string, code: 'busy' | 'rate-limited') => {
      network.tamper = frame => (frame.kind === kind ? { kind: 'error', request: frame.request, code, message } : frame)
    }
    refuse('submitted', 'rate-limited')
    const { id } = await ada.send(bob, 'hello')
    await eventually(async () => {
      const shown = (await ada.messages(bob)).find(each => each.id === id)
      return shown?.problem === 'rate-limited'
    }, 'it says why it waits')
    refuse('account', 'busy')
    const failure = await ada.engine.people.refresh(bob.me.accountId).catch(failureOf)
    expect(failure).toEqual({ code: 'refused', facts: { refusal: 'busy' } })
    expect(JSON.stringify([failure, await ada.messages(bob), await ada.engine.snapshot()])).not.toContain('evil')
  })

  test('whose receipts are forged, foreign or of another epoch makes nothing sent', async () => {
    const { network, peers } = await people('ada', 'bob')
    const [ada, bob] = peers as [TestPeer, TestPeer]
    const changes = [
      { signature: random(64) },
      { node: random(32) as never },
      { epoch: 7 },
      { root: random(32) },
      { shard: 4_711 }
    ]
    let tampered = 0
    network.tamper = frame => {
      if (frame.kind !== 'submitted') return frame
      const change = changes[tampered++ % changes.length]!
      const results = frame.results.map(result => ({
        ...result,
        receipts: result.receipts.map(proof => ({ ...proof, receipt: { ...proof.receipt, ...change } }))
      }))
      return { ...frame, results }
    }
    network.fate = () => 'drop'
    const { id } = await ada.send(bob, 'hello')
    await eventually(() => tampered >= changes.length, { what: 'each lie was told', timeoutMs: 60_000 })
    expect((await ada.messages(bob)).find(message => message.id === id)!.state).toBe('waiting')
    expect(await ada.engine.messages.receipts(id)).toEqual([])
  })
})
