import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import { verifyEviction, verifyRefusal } from '../../../protocol/wire/custody.ts'
import type { NodeFrameOf } from '../../../protocol/wire/peer-frames.ts'
import {
  crypto,
  HOUR_MS,
  makeEnvelope,
  network,
  newMailbox,
  random
} from '../../support/network/in-process/fixtures.ts'
import { eventually } from '../../support/wait-for.ts'
import { TestNetwork } from '../../support/network/in-process/test-network.ts'

describe('mailbox limits at every replica', () => {
  let net: TestNetwork
  beforeAll(async () => {
    net = await TestNetwork.start(4, {
      mailboxLimits: {
        envelopes: { contact: 20, request: 20, system: 4 },
        bytes: { contact: 1e6, request: 1e5, system: 1e5 },
        originShare: 1
      }
    })
  })
  afterAll(() => net.stop())

  const idsAt = async (node: (typeof net.nodes)[number], mailbox: DeviceId): Promise<string[]> =>
    (await node.parts.store.pendingAfter(mailbox, 0, { count: 1e5, bytes: 1e9 }))
      .map(({ delivery }) => toHex(delivery.id))
      .sort()

  it('leave the same newest messages everywhere, and evictions that verify', async () => {
    const mailbox = newMailbox()
    const replicas = net.replicasOf(mailbox)
    const [ada, eve] = [await net.client(net.nodes[0]!), await net.client(net.nodes[1]!)]
    const sent: { id: string; expiry: number }[] = []
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const expiry = Date.now() + HOUR_MS + i * 1000
        const [result] = await [ada, eve][i % 2]!.submit(makeEnvelope([mailbox], { expiry }))
        sent.push({ id: toHex(result!.id), expiry })
      })
    )
    const newest = sent.sort((a, b) => b.expiry - a.expiry).slice(0, 20)
    const expected = newest.map(({ id }) => id).sort()
    await eventually(async () => {
      const held = await Promise.all(replicas.map(node => idsAt(node, mailbox)))
      return held.every(ids => ids.join() === expected.join())
    })
  })

  it('tell the attached device how many messages were removed', async () => {
    const bob = await net.device()
    const home = net.replicasOf(bob.deviceId)[0]!
    bob.acknowledges = false
    await net.client(home, bob)
    await bob.attach()
    const ada = await net.client(net.nodes[2]!)
    for (let i = 0; i < 25; i++) {
      await ada.submit(makeEnvelope([bob.deviceId], { expiry: Date.now() + HOUR_MS + i * 1000 }))
    }
    await eventually(() => bob.frames.some(frame => frame.kind === 'evicted'))
    const evicted = bob.frames.filter(frame => frame.kind === 'evicted') as NodeFrameOf<'evicted'>[]
    expect(evicted[0]!.eviction.mailbox).toEqual(bob.deviceId)
    for (const { eviction } of evicted) expect(await verifyEviction(crypto, network, eviction)).toBe(true)
  })

  it('keep strangers to their part: they cannot push out what contacts sent, whatever class they claim', async () => {
    const bob = await net.client(net.nodes[3]!)
    await bob.publishToken()
    const mailbox = bob.deviceId
    const ada = await net.client(net.nodes[0]!)
    const envelope = { token: bob.token, expiry: Date.now() + HOUR_MS }
    const kept = await Promise.all(Array.from({ length: 20 }, () => ada.submit(makeEnvelope([mailbox], envelope))))
    const later = { expiry: Date.now() + 2 * HOUR_MS }
    for (let i = 0; i < 30; i++) await ada.submit(makeEnvelope([mailbox], { ...later, class: 'request' }))
    for (let i = 0; i < 30; i++) await ada.submit(makeEnvelope([mailbox], later))
    for (let i = 0; i < 30; i++) await ada.submit(makeEnvelope([mailbox], { ...later, class: 'system' }))
    const ids = kept.map(([result]) => toHex(result!.id))
    for (const node of net.replicasOf(mailbox)) {
      const held = await idsAt(node, mailbox)
      expect(held.filter(id => ids.includes(id))).toHaveLength(20)
      expect(held.length).toBeLessThanOrEqual(40)
    }
  })

  it('refuse what would be the first to go, signed by the replicas', async () => {
    const mailbox = newMailbox()
    const ada = await net.client(net.nodes[0]!)
    await Promise.all(
      Array.from({ length: 20 }, () => ada.submit(makeEnvelope([mailbox], { expiry: Date.now() + 2 * HOUR_MS })))
    )
    const [result] = await ada.submit(makeEnvelope([mailbox], { expiry: Date.now() + HOUR_MS }))
    expect(result).toMatchObject({ state: 'refused', refusal: { reason: 'mailbox-full' } })
    expect(await verifyRefusal(crypto, network, result!.refusal!)).toBe(true)
    expect(net.replicasOf(mailbox).map(node => node.key)).toContain(toHex(result!.refusal!.node))
  })

  it('one bad replica cannot empty a mailbox by signing evictions', async () => {
    const mailbox = newMailbox()
    const replicas = net.replicasOf(mailbox)
    const ada = await net.client(net.nodes[0]!)
    const results = await Promise.all(Array.from({ length: 10 }, () => ada.submit(makeEnvelope([mailbox]))))
    await eventually(async () => {
      const held = await Promise.all(replicas.map(node => node.parts.store.heldIn(mailbox)))
      return held.every(count => count === 10)
    })
    const [bad, good] = replicas
    const { signEviction } = await import('../../../protocol/wire/custody.ts')
    const eviction = await signEviction(network, bad!.parts.key, {
      node: bad!.listed.key,
      time: Date.now(),
      mailbox,
      ids: results.map(([result]) => result!.id)
    })
    await bad!.parts.links.request<'evict'>(good!.listed.key, { kind: 'evict', eviction })
    expect(await good!.parts.store.heldIn(mailbox)).toBe(10)
    const outsider = net.othersThan(mailbox)[0]!
    const forged = { ...eviction, node: outsider.listed.key }
    await expect(
      outsider.parts.links.request<'evict'>(good!.listed.key, { kind: 'evict', eviction: forged })
    ).rejects.toMatchObject({ code: 'refused' })
  })
})

describe('one origin', () => {
  it('can fill its share of a mailbox only, where there are several operators', async () => {
    const net = await TestNetwork.start(4, {
      mailboxLimits: {
        envelopes: { contact: 20, request: 20, system: 4 },
        bytes: { contact: 1e6, request: 1e5, system: 1e5 }
      }
    })
    try {
      const mailbox = newMailbox()
      const [flood, other] = [await net.client(net.nodes[0]!), await net.client(net.nodes[1]!)]
      const states: string[] = []
      for (let i = 0; i < 15; i++) states.push((await flood.submit(makeEnvelope([mailbox])))[0]!.state)
      expect(states.filter(state => state === 'stored')).toHaveLength(10)
      expect((await other.submit(makeEnvelope([mailbox])))[0]!.state).toBe('stored')
    } finally {
      await net.stop()
    }
  })
})

describe('time to live', () => {
  it('ends messages at every replica; an expired one is never delivered', async () => {
    let offset = 0
    const net = await TestNetwork.start(3, { clock: () => Date.now() + offset })
    try {
      const bob = await net.device()
      const ada = await net.client(net.nodes[0]!)
      await ada.submit(makeEnvelope([bob.deviceId], { expiry: Date.now() + 60_000 }))
      await ada.submit(makeEnvelope([bob.deviceId], { expiry: Date.now() + 10 * HOUR_MS }))
      await eventually(async () => {
        const held = await Promise.all(net.nodes.map(node => node.parts.store.heldIn(bob.deviceId)))
        return held.every(count => count === 2)
      })
      offset = 61_000
      await net.client(net.nodes[1]!, bob)
      await bob.attach()
      await eventually(() => bob.isCaughtUp)
      expect(bob.delivered).toHaveLength(1)
      await Promise.all(net.nodes.map(node => node.parts.store.sweep()))
      expect(await Promise.all(net.nodes.map(node => node.parts.store.heldIn(bob.deviceId)))).not.toContain(2)
    } finally {
      await net.stop()
    }
  })
})

describe('a nearly full disk', () => {
  it('takes nothing new, says so, and still delivers and lets go of what it has', async () => {
    const net = await TestNetwork.start(1)
    try {
      const [node] = net.nodes
      const bob = await net.device()
      const ada = await net.client(node!)
      await ada.submit(makeEnvelope([bob.deviceId]))
      await node!.stop()
      node!.change({ limits: { diskLowWaterBytes: 1e15 } })
      await node!.start()
      expect(node!.network.readiness().map(reason => reason.code)).toContain('disk-low')
      const again = await net.client(node!)
      expect((await again.submit(makeEnvelope([bob.deviceId])))[0]!.state).toBe('waiting')
      await net.client(node!, bob)
      await bob.attach()
      await eventually(() => bob.delivered.length === 1)
      await bob.acknowledged()
      expect(await node!.parts.store.heldIn(bob.deviceId)).toBe(0)
    } finally {
      await net.stop()
    }
  })

  it('takes nothing from replicas either, and gets all of it once there is room', async () => {
    const net = await TestNetwork.start(3)
    try {
      const low = net.nodes[2]!
      const { disk, reader, repair, store } = low.parts
      let hasRoom = false
      Object.defineProperty(disk, 'hasRoom', { get: () => hasRoom })
      const bob = await net.device()
      await net.client(low, bob)
      await bob.attach()
      const away = newMailbox()
      const ada = await net.client(net.nodes[0]!)
      for (const mailbox of [bob.deviceId, away]) {
        expect((await ada.submit(makeEnvelope([mailbox])))[0]!.state).toBe('stored')
      }
      const others = net.nodes.slice(0, 2).map(node => node.listed)
      const rounds = repair.rounds
      await eventually(async () => {
        for (const other of others) await repair.compareWith(other)
        return repair.rounds >= rounds + 4
      })
      for (const other of others) {
        expect(await reader.pullNews(other, [{ mailbox: bob.deviceId, after: 0 }])).toEqual([])
      }
      expect(store.heldCount).toBe(0)
      // Whoever is there gets it all the same, and once.
      await eventually(() => bob.delivered.length === 1)
      hasRoom = true
      await eventually(async () => {
        for (const other of others) await repair.compareWith(other)
        return (await store.heldIn(away)) === 1
      })
      expect(bob.delivered).toHaveLength(1)
    } finally {
      await net.stop()
    }
  })
})

describe('a failing store', () => {
  it('acknowledges nothing more and ends the node', async () => {
    const net = await TestNetwork.start(1)
    try {
      const [node] = net.nodes
      const ada = await net.client(node!)
      await node!.parts.store.read(async database => {
        const broken = (): Promise<never> =>
          Promise.reject(Object.assign(new Error('disk on fire'), { code: 'LEVEL_IO_ERROR' }))
        database.batch = broken as unknown as typeof database.batch
      })
      expect((await ada.submit(makeEnvelope([newMailbox()], { payload: random(10) })))[0]!.state).toBe('waiting')
      expect(node!.fatal).toHaveLength(1)
      expect(node!.network.readiness().map(reason => reason.code)).toContain('store-failed')
    } finally {
      await net.stop()
    }
  })
})
