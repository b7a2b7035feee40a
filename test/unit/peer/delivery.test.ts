import { afterEach, describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../protocol/bytes.ts'
import { decodeEnvelope, type Delivery, type DeliveryId } from '../../../protocol/wire/envelope.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import type { SubmissionResult } from '../../../protocol/wire/peer-frames.ts'
import { FakeNetwork, type Fate } from '../../support/network/fake/fake-network.ts'
import { TestPeer } from '../../support/peer/test-peer.ts'
import { eventually } from '../../support/wait-for.ts'

const running: TestPeer[] = []

async function pair(nodes = 1): Promise<{ network: FakeNetwork; ada: TestPeer; bob: TestPeer }> {
  const network = await FakeNetwork.create(nodes)
  const [ada, bob] = [new TestPeer(network), new TestPeer(network)]
  await ada.register('ada')
  await bob.register('bob')
  running.push(ada, bob)
  return { network, ada, bob }
}

/** Bob's mailbox only: what Ada gets back is left alone. */
function towards(bob: TestPeer, decide: (delivery: Delivery) => Fate) {
  return (delivery: Delivery, mailbox: DeviceId): Fate =>
    toHex(mailbox) === bob.me.deviceId ? decide(delivery) : 'deliver'
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `message ${i}`)

async function sendAll(from: TestPeer, to: TestPeer, texts: string[]): Promise<void> {
  for (const text of texts) {
    const { id } = await from.send(to, text)
    // One envelope each, so that each can have its own fate.
    await eventually(
      async () => (await from.messages(to)).find(message => message.id === id)?.state !== 'waiting',
      `"${text}" is sent`
    )
  }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

/** Sends a message that never arrives, whatever else is on its way. */
async function loseOne(network: FakeNetwork, from: TestPeer, to: TestPeer, text: string): Promise<void> {
  network.fate = towards(to, () => 'drop')
  await sendAll(from, to, [text])
  network.fate = () => 'deliver'
}

describe('delivery', () => {
  test('what is delivered twice is shown once', async () => {
    const { network, ada, bob } = await pair()
    network.fate = towards(bob, () => 'twice')
    await sendAll(ada, bob, numbered(5))
    await eventually(async () => (await bob.received(ada)).length >= 5, 'all are there')
    await eventually(() => network.pending === 0, 'all are acknowledged')
    expect(await bob.received(ada)).toEqual(numbered(5))
  })

  test('a power cut after a message was shown and before it was acknowledged: it comes again, and is there once', async () => {
    const { network, ada, bob } = await pair()
    await sendAll(ada, bob, ['before'])
    await eventually(() => network.pending === 0, 'the first is acknowledged')
    // The Open of a stranger is kept and acknowledged first, and read afterwards.
    await eventually(async () => (await bob.received(ada)).length === 1, 'the first is read')
    const disk = Promise.withResolvers<void>()
    bob.store.beforeFlush = () => disk.promise
    const shown = new Promise<string>(resolve => bob.engine.on('message', ({ text }) => resolve(text)))
    await sendAll(ada, bob, ['shown'])
    expect(await shown).toBe('shown')
    expect(network.pending).toBeGreaterThan(0)
    const restarted = bob.powerCut()
    disk.resolve()
    await restarted
    await eventually(async () => (await bob.received(ada)).length === 2, 'it is there again')
    await sendAll(ada, bob, ['after'])
    await eventually(async () => (await bob.received(ada)).length === 3, 'all are there')
    expect(await bob.received(ada)).toEqual(['before', 'shown', 'after'])
  })

  test('messages out of order are shown in order', async () => {
    const { network, ada, bob } = await pair()
    const late: Delivery[] = []
    let mailbox: DeviceId | undefined
    network.fate = (delivery, to) => {
      if (toHex(to) !== bob.me.deviceId) return 'deliver'
      mailbox = to
      late.push(delivery)
      return 'later'
    }
    await sendAll(ada, bob, numbered(6))
    for (const delivery of late.toReversed()) network.push(mailbox!, delivery)
    await eventually(async () => (await bob.received(ada)).length === 6, 'all are there')
    expect(await bob.received(ada)).toEqual(numbered(6))
    expect((await bob.messages(ada)).some(({ kind }) => kind === 'gap')).toBe(false)
  })

  test('a lost message shows as a gap, is asked for, and fills its place', async () => {
    const { network, ada, bob } = await pair()
    await sendAll(ada, bob, ['first'])
    await eventually(async () => (await bob.received(ada)).length === 1, 'the session is open')
    await loseOne(network, ada, bob, 'lost')
    // What Bob asks for waits until the gap was seen: it would be filled within milliseconds.
    const requests: [DeviceId, Delivery][] = []
    network.fate = (delivery, to) => {
      if (toHex(to) !== ada.me.deviceId) return 'deliver'
      requests.push([to, delivery])
      return 'later'
    }
    await sendAll(ada, bob, ['after'])
    await eventually(async () => (await bob.messages(ada)).some(({ kind }) => kind === 'gap'), 'the gap is shown')
    network.fate = () => 'deliver'
    for (const request of requests) network.push(...request)
    await eventually(async () => (await bob.received(ada)).includes('lost'), {
      what: 'it is filled',
      timeoutMs: 60_000
    })
    expect(await bob.received(ada)).toEqual(['first', 'lost', 'after'])
    expect((await bob.messages(ada)).some(({ kind }) => kind === 'gap')).toBe(false)
  })

  test('messages whose Open comes later wait for it', async () => {
    const { network, ada, bob } = await pair()
    let open: Delivery | undefined
    let mailbox: DeviceId | undefined
    network.fate = (delivery, to) => {
      if (toHex(to) !== bob.me.deviceId || delivery.part.length === 0) return 'deliver'
      open = delivery
      mailbox = to
      return 'later'
    }
    await sendAll(ada, bob, numbered(3))
    await eventually(() => bob.engine.counts.parked === 2, 'two wait')
    network.push(mailbox!, open!)
    await eventually(async () => (await bob.received(ada)).length === 3, 'all are there')
    expect(await bob.received(ada)).toEqual(numbered(3))
    expect(bob.engine.counts.parked).toBe(0)
  })

  /** Three messages, the Open of which is not delivered: two of them are parked. */
  async function parkedWithoutOpen() {
    const { network, ada, bob } = await pair()
    let open: Delivery | undefined
    network.fate = (delivery, to) => {
      if (toHex(to) !== bob.me.deviceId || delivery.part.length === 0) return 'deliver'
      open = delivery
      return 'later'
    }
    await sendAll(ada, bob, numbered(3))
    await eventually(() => bob.engine.counts.parked === 2, 'two wait')
    return { network, ada, bob, deliverOpen: () => network.push(fromHex(bob.me.deviceId) as DeviceId, open!) }
  }

  test('messages that waited for an Open are shown though the process ended right after it', async () => {
    const { ada, bob, deliverOpen } = await parkedWithoutOpen()
    let isOpen = false
    const crashed = Promise.withResolvers<void>()
    bob.store.beforeBatch = spaces => {
      if (isOpen) {
        crashed.resolve()
        throw new Error('the process is gone')
      }
      isOpen = spaces.includes('session')
    }
    deliverOpen()
    await crashed.promise
    await bob.crash()
    await eventually(async () => (await bob.received(ada)).length === 3, 'all are there')
    expect(await bob.received(ada)).toEqual(numbered(3))
  })

  test('messages that waited for an Open are shown though the store refused them once', async () => {
    const { ada, bob, deliverOpen } = await parkedWithoutOpen()
    let isOpen = false
    let refused = 0
    bob.store.beforeBatch = spaces => {
      if (isOpen && spaces.includes('parked') && refused++ === 0) throw new Error('disk full')
      isOpen ||= spaces.includes('session')
    }
    deliverOpen()
    await eventually(async () => (await bob.received(ada)).length === 3, 'all are there')
    expect(await bob.received(ada)).toEqual(numbered(3))
  })

  test('a gap is shown though the store refused it at first', async () => {
    const { network, ada, bob } = await pair()
    await sendAll(ada, bob, ['first'])
    await eventually(async () => (await bob.received(ada)).length === 1, 'the session is open')
    await loseOne(network, ada, bob, 'lost')
    await sendAll(ada, bob, ['after'])
    await eventually(() => network.pending === 0, 'the later one is held')
    let refused = 0
    network.fate = towards(bob, () => 'drop')
    bob.store.beforeBatch = spaces => {
      if (spaces.includes('gap') && refused++ === 0) throw new Error('disk full')
    }
    await eventually(async () => (await bob.messages(ada)).some(({ kind }) => kind === 'gap'), 'the gap is shown')
    expect(refused).toBeGreaterThan(1)
  })

  test('what came while a device was off is there when it is back, in order', async () => {
    const { network, ada, bob } = await pair()
    await bob.accept(ada)
    await bob.engine.stop()
    await sendAll(ada, bob, numbered(8))
    await bob.start()
    await eventually(async () => (await bob.received(ada)).length === 8, 'all are there')
    expect(await bob.received(ada)).toEqual(numbered(8))
    await eventually(() => network.pending === 0, 'nothing is left at the nodes')
  })

  test('an acknowledgement that the node is too busy for is said again', async () => {
    const { network, ada, bob } = await pair()
    await sendAll(ada, bob, ['one'])
    await eventually(() => network.pending === 0, 'the first is acknowledged')
    let refused = 0
    network.answer = async frame => {
      if (frame.kind !== 'acknowledge' || refused > 0) return undefined
      refused++
      return { kind: 'error', request: frame.request, code: 'busy', message: 'the store has too much to write' }
    }
    await sendAll(ada, bob, ['two'])
    await eventually(() => refused === 1 && network.pending === 0, 'the second is acknowledged')
  })

  test('a flipped bit is neither shown nor acknowledged; the true delivery still is', async () => {
    const { network, ada, bob } = await pair()
    network.tamper = frame => {
      if (frame.kind !== 'deliver') return frame
      const deliveries = frame.deliveries.map(delivery => {
        const payload = delivery.payload.slice()
        payload[payload.length - 1]! ^= 1
        return { ...delivery, payload }
      })
      return { ...frame, deliveries }
    }
    await sendAll(ada, bob, ['hello'])
    await eventually(() => bob.engine.counts.damaged === 1, 'it was looked at')
    expect(await bob.received(ada)).toEqual([])
    expect(network.pending).toBe(1)
    network.tamper = frame => frame
    network.redeliver()
    await eventually(async () => (await bob.received(ada)).length === 1, 'it is there')
  })
})

describe('sending', () => {
  test('a node’s word is not enough: without two receipts a message keeps waiting', async () => {
    const { network, ada, bob } = await pair(3)
    network.receiptsGiven = 1
    const { id } = await ada.send(bob, 'hello')
    await eventually(() => network.submissions >= 2, 'it was handed in')
    const state = (await ada.messages(bob)).find(message => message.id === id)!.state
    expect(state).not.toBe('sent')
    network.receiptsGiven = 3
    await eventually(async () => ['sent', 'delivered'].includes((await ada.messages(bob))[0]!.state!), 'sent')
    await eventually(async () => (await ada.engine.messages.receipts(id)).length === 3, 'receipts of all replicas')
    const receipts = await ada.engine.messages.receipts(id)
    expect(new Set(receipts.map(({ operator }) => operator)).size).toBe(3)
  })

  test('a retry hands in the very same bytes', async () => {
    const { network, ada, bob } = await pair(3)
    network.receiptsGiven = 0
    network.fate = () => 'drop'
    await ada.send(bob, 'hello')
    await eventually(() => network.submissions >= 3, 'it was tried again')
    expect(new Set(network.submitted.map(toHex)).size).toBe(1)
  })

  test('a message taken while offline is sent once a node is back, even by the next process', async () => {
    const { network, ada, bob } = await pair()
    await ada.send(bob, 'before')
    await eventually(async () => (await bob.received(ada)).length === 1, 'there')
    network.down.add(0)
    network.hangUp(0)
    await ada.send(bob, 'while offline')
    await ada.crash()
    expect((await ada.engine.snapshot()).status.waiting).toBe(1)
    network.down.clear()
    await ada.engine.network.reconnect()
    await eventually(async () => (await bob.received(ada)).length === 2, 'it arrived')
    expect(await bob.received(ada)).toEqual(['before', 'while offline'])
  })

  /** Two nodes, both keep Ada's mailbox: she stays where she is for no other reason. The one she uses gets no receipts. */
  async function withUselessNode() {
    const { network, ada, bob } = await pair(2)
    await sendAll(ada, bob, ['one'])
    const useless = (await ada.engine.snapshot()).status.node
    const index = network.epoch.nodes.findIndex(({ url }) => url === useless)
    const seen = { attempts: 0 }
    const nothingKept: Omit<SubmissionResult, 'mailbox'> = {
      id: new Uint8Array(32) as DeliveryId,
      state: 'waiting',
      receipts: [],
      refusal: null
    }
    network.answer = async (frame, node) => {
      if (frame.kind !== 'submit' || node !== index) return undefined
      seen.attempts++
      const { recipients } = decodeEnvelope(frame.envelope)
      const results = recipients.map(({ mailbox }) => ({ ...nothingKept, mailbox }))
      return { kind: 'submitted', request: frame.request, results }
    }
    return { network, ada, bob, useless, index, seen }
  }

  test('a node that answers and gets no receipts is left for another one', async () => {
    const { ada, bob, useless, seen } = await withUselessNode()
    await sendAll(ada, bob, ['two'])
    expect(seen.attempts).toBeGreaterThan(1)
    expect((await ada.engine.snapshot()).status.node).not.toBe(useless)
    await eventually(async () => (await bob.received(ada)).length === 2, 'both arrived')
  })

  test('a node that gets no receipts is kept while no other one answers', async () => {
    const { network, ada, bob, useless, index, seen } = await withUselessNode()
    network.down.add(1 - index)
    network.hangUp(1 - index)
    const states = new Set<string>()
    ada.engine.on('snapshot', ({ status }) => states.add(status.connection))
    await ada.send(bob, 'two')
    await eventually(() => seen.attempts >= 5, 'it was tried often')
    expect(states).not.toContain('connecting')
    network.down.clear()
    await eventually(async () => (await bob.received(ada)).includes('two'), 'it arrived')
    expect((await ada.engine.snapshot()).status.node).not.toBe(useless)
  })

  test('a dead node is left for another one, and nothing is lost or doubled', async () => {
    const { network, ada, bob } = await pair(3)
    await sendAll(ada, bob, ['one'])
    const before = (await ada.engine.snapshot()).status.node
    const index = network.epoch.nodes.findIndex(({ url }) => url === before)
    network.down.add(index)
    network.hangUp(index)
    await sendAll(ada, bob, ['two'])
    expect((await ada.engine.snapshot()).status.node).not.toBe(before)
    await eventually(async () => (await bob.received(ada)).length === 2, 'both arrived')
    expect(await bob.received(ada)).toEqual(['one', 'two'])
  })
})

describe('a crash at any step', () => {
  test.each(Array.from({ length: 14 }, (_, step) => step))(
    'the receiver dies at write %i and shows each message once',
    async step => {
      const { network, ada, bob } = await pair()
      await bob.accept(ada)
      let writes = 0
      let crashed = false
      bob.store.beforeBatch = () => {
        if (writes++ < step) return
        crashed = true
        throw new Error('the process is gone')
      }
      await sendAll(ada, bob, numbered(3))
      await eventually(async () => crashed || (await bob.received(ada)).length === 3, 'crashed, or all was stored')
      await bob.crash()
      await eventually(async () => (await bob.received(ada)).length === 3, 'all are there')
      expect(await bob.received(ada)).toEqual(numbered(3))
      await eventually(() => network.pending === 0, 'all are acknowledged')
      await eventually(async () => (await ada.messages(bob)).every(({ state }) => state === 'delivered'), 'delivered')
    }
  )

  test.each(Array.from({ length: 14 }, (_, step) => step))(
    'the sender dies at write %i and each message arrives once',
    async step => {
      const { ada, bob } = await pair()
      let writes = 0
      let crashed = false
      const taken: string[] = []
      ada.store.beforeBatch = () => {
        if (writes++ < step) return
        crashed = true
        throw new Error('the process is gone')
      }
      for (const text of numbered(3)) {
        try {
          await ada.send(bob, text)
          taken.push(text)
        } catch {
          break
        }
      }
      await eventually(async () => crashed || (await bob.received(ada)).length === 3, 'crashed, or all went out')
      await ada.crash()
      await eventually(async () => (await bob.received(ada)).length >= taken.length, 'all that was taken arrived')
      await ada.send(bob, 'and then')
      await eventually(async () => (await bob.received(ada)).at(-1) === 'and then', 'the next one too')
      expect(await bob.received(ada)).toEqual([...taken, 'and then'])
    }
  )
})
