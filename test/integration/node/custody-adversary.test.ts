import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import { signReceipt } from '../../../protocol/wire/custody.ts'
import { encodeEnvelope } from '../../../protocol/wire/envelope.ts'
import {
  batchIdOf,
  decodeBatch,
  encodeBatch,
  encodeHeartbeat,
  NODES_TOPIC,
  RECORDS_TOPIC,
  shardTopic,
  signBatch,
  signHeartbeat
} from '../../../protocol/wire/node-frames.ts'
import { signAcknowledgement } from '../../../protocol/wire/custody.ts'
import { AdversaryNode } from '../../support/network/in-process/adversary-node.ts'
import {
  crypto,
  makeDelivery,
  makeEnvelope,
  network,
  newMailbox,
  random
} from '../../support/network/in-process/fixtures.ts'
import { eventually } from '../../support/wait-for.ts'
import { TestNetwork, type TestNode } from '../../support/network/in-process/test-network.ts'

let net: TestNetwork
/** Five are listed, four run; the fifth one's key is the adversary's. */
let honest: TestNode[]
let stolen: TestNode
let adversary: AdversaryNode

beforeEach(async () => {
  net = await TestNetwork.start(5)
  stolen = net.nodes[4]!
  await stolen.stop()
  honest = net.nodes.slice(0, 4)
  adversary = await AdversaryNode.start(stolen.seed)
})
afterEach(async () => {
  await adversary.stop()
  await net.stop()
})

const batchFor = async (mailbox: DeviceId, envelopes: Uint8Array[], shard = honest[0]!.parts.view.shardOf(mailbox)) => {
  const key = await crypto.signingKeyFromSeed(stolen.seed)
  const fields = { origin: stolen.listed.key, epoch: 0, shard, time: Date.now(), envelopes }
  return (await signBatch(crypto, network, key, fields)).batch
}

const heldBy = (mailbox: DeviceId): Promise<number[]> =>
  Promise.all(honest.map(node => node.parts.store.heldIn(mailbox)))

async function stillWorks(): Promise<void> {
  const ada = await net.client(honest[0]!)
  const mailbox = net.mailboxWhere(replicas => !replicas.includes(stolen))
  expect((await ada.submit(makeEnvelope([mailbox])))[0]!.state).toBe('stored')
}

describe('a node that nobody lists', () => {
  it('is refused: no link, no gossip', async () => {
    const stranger = await AdversaryNode.start(random(32))
    await stranger.dial(honest[0]!).catch(() => undefined)
    await eventually(() => !stranger.isConnectedTo(honest[0]!))
    await expect(stranger.link(honest[1]!)).rejects.toThrow()
    expect(honest[0]!.parts.nodeHost.getPeers().length).toBeLessThanOrEqual(3)
    await stranger.stop()
    await stillWorks()
  })
})

describe('a listed node that cheats', () => {
  it('is shut out after provably bad batches, and the others go on', async () => {
    const mailbox = net.mailboxWhere(replicas => replicas.includes(honest[1]!))
    const topic = shardTopic(honest[1]!.parts.view.shardOf(mailbox))
    await adversary.dial(honest[1]!)
    await eventually(() => adversary.hears(honest[1]!, topic))
    const flooding = (async () => {
      for (let i = 0; i < 2000 && adversary.isConnectedTo(honest[1]!); i++) {
        await adversary.publish(topic, random(1000)).catch(() => undefined)
        if (i % 20 === 0) await new Promise(resolve => setImmediate(resolve))
      }
    })()
    await eventually(() => honest[1]!.parts.bans.size === 1, { timeoutMs: 5_000 })
    await eventually(() => !adversary.isConnectedTo(honest[1]!), { timeoutMs: 5_000 })
    await flooding
    // Also when it comes back.
    await adversary.dial(honest[1]!).catch(() => undefined)
    await eventually(() => !adversary.isConnectedTo(honest[1]!), { timeoutMs: 5_000 })
    expect(await heldBy(mailbox)).toEqual([0, 0, 0, 0])
    await stillWorks()
  })

  it('cannot store anything with a batch that is wrong in any part', async () => {
    const mailbox = net.mailboxWhere(replicas => replicas.includes(honest[0]!))
    const envelope = encodeEnvelope(makeEnvelope([mailbox]))
    const good = await batchFor(mailbox, [envelope])
    const otherShard = (good.shard + 1) % 64
    const bad = [
      { ...good, signature: random(64) },
      { ...good, time: good.time + 1 },
      { ...good, origin: honest[1]!.listed.key },
      { ...good, envelopes: [encodeEnvelope(makeEnvelope([mailbox]))] },
      await batchFor(mailbox, [envelope, random(50)]),
      await batchFor(mailbox, [encodeEnvelope(makeEnvelope([mailbox, newMailbox(), newMailbox(), newMailbox()]))]),
      await batchFor(mailbox, [envelope], otherShard)
    ]
    await adversary.link(honest[0]!)
    for (const [index, batch] of bad.entries()) {
      await adversary.send({ kind: 'batch', request: index + 1, batch: encodeBatch(batch) })
      await eventually(() => adversary.answerTo(index + 1) !== undefined)
      expect(adversary.answerTo(index + 1)!.kind).toBe('error')
    }
    await adversary.send({ kind: 'batch', request: 90, batch: random(3000) })
    await eventually(() => adversary.answerTo(90)?.kind === 'error')
    expect(await honest[0]!.parts.store.heldIn(mailbox)).toBe(0)
    await adversary.send({ kind: 'batch', request: 99, batch: encodeBatch(good) })
    await eventually(() => adversary.answerTo(99)?.kind === 'stored')
  })

  it('is not shown what it does not keep', async () => {
    const mailbox = net.mailboxWhere(replicas => replicas.includes(honest[0]!) && !replicas.includes(stolen))
    const ada = await net.client(honest[0]!)
    const [result] = await ada.submit(makeEnvelope([mailbox]))
    await adversary.link(honest[0]!)
    await adversary.send({ kind: 'fetch', request: 1, mailbox, ids: [result!.id] })
    await adversary.send({ kind: 'news', request: 2, mailboxes: [{ mailbox, after: 0 }] })
    await adversary.send({ kind: 'states', request: 3, mailbox, after: null })
    await adversary.send({ kind: 'digests', request: 4, shard: honest[0]!.parts.view.shardOf(mailbox), after: null })
    await adversary.send({ kind: 'why', request: 5, mailbox, ids: [result!.id] })
    await eventually(() => [1, 2, 3, 4, 5].every(request => adversary.answerTo(request) !== undefined))
    for (const request of [1, 2, 3, 4, 5])
      expect(adversary.answerTo(request)).toMatchObject({ kind: 'error', code: 'refused' })
  })

  it('cannot delete with acknowledgements that the device did not sign', async () => {
    const bob = await net.device(mailbox => net.replicasOf(mailbox).includes(honest[0]!))
    const eve = await net.device()
    const ada = await net.client(honest[1]!)
    const [result] = await ada.submit(makeEnvelope([bob.deviceId]))
    await eventually(async () => (await honest[0]!.parts.store.heldIn(bob.deviceId)) === 1)
    const forged = await signAcknowledgement(crypto, network, eve.key, bob.keys, [result!.id])
    const ownMailbox = await signAcknowledgement(crypto, network, eve.key, eve.keys, [result!.id])
    await adversary.link(honest[0]!)
    await adversary.send({ kind: 'acknowledge', request: 1, acknowledgements: [forged, ownMailbox] })
    await eventually(() => adversary.answerTo(1) !== undefined)
    expect(await honest[0]!.parts.store.heldIn(bob.deviceId)).toBe(1)
  })

  it('does not get a message called sent with receipts that do not verify', async () => {
    // Of three replicas one is honest and up, one is down, one lies.
    const mailbox = net.mailboxWhere(replicas => replicas.includes(stolen) && !replicas.includes(honest[0]!))
    const others = net.replicasOf(mailbox).filter(node => node !== stolen)
    await others[1]!.stop()
    const key = await crypto.signingKeyFromSeed(stolen.seed)
    const origin = honest[0]!
    await adversary.link(origin)
    await eventually(() => origin.parts.links.isUp(stolen.listed.key))
    const shard = origin.parts.view.shardOf(mailbox)
    // It answers every question with a receipt for other leaves.
    adversary.onFrame = async frame => {
      if (frame.kind !== 'have' && frame.kind !== 'batch') return
      const fields = { node: stolen.listed.key, epoch: 0, shard, time: Date.now() }
      const receipt = await signReceipt(crypto, network, key, fields, [random(56)])
      if (frame.kind === 'have') await adversary.send({ kind: 'held', request: frame.request, receipt, denied: [] })
      else {
        const batch = batchIdOf(crypto, network, decodeBatch(frame.batch))
        await adversary.send({ kind: 'stored', request: frame.request, batch, receipt, refused: [] })
      }
    }
    const ada = await net.client(origin)
    const submitting = ada.submit(makeEnvelope([mailbox]))
    expect((await submitting)[0]!.state).toBe('waiting')
    expect(origin.parts.origin.badReceipts).toBeGreaterThan(0)
  })

  it('cannot bring back what was acknowledged, nor plant what is not intact, through repair', async () => {
    const mailbox = net.mailboxWhere(replicas => replicas.includes(honest[0]!) && replicas.includes(stolen))
    await adversary.link(honest[0]!)
    await eventually(() => honest[0]!.parts.links.isUp(stolen.listed.key))
    const real = makeDelivery(mailbox)
    const broken = { ...makeDelivery(mailbox), payload: random(64) }
    const unasked = makeDelivery(mailbox)
    const fetching = honest[0]!.parts.reader.fetchUnknown(stolen.listed, mailbox, [real.id, broken.id])
    await eventually(() => adversary.frames.some(frame => frame.kind === 'fetch'))
    const fetch = adversary.frames.find(frame => frame.kind === 'fetch')!
    await adversary.send({ kind: 'deliveries', request: fetch.request, deliveries: [real, broken, unasked] })
    expect(await fetching).toBe(1)
    expect(await honest[0]!.parts.store.heldIn(mailbox)).toBe(1)
  })

  it.each([
    ['no CBOR', () => random(60)],
    ['a frame of another kind', () => Uint8Array.of(0x82, 0x18, 0x5f, 0)],
    ['a frame cut short', () => random(1)]
  ])('loses its link for malformed frames: %s', async (_, bytes) => {
    const stream = await adversary.link(honest[0]!)
    await eventually(() => adversary.frames.length > 0)
    await adversary.sendBytes(bytes())
    await eventually(() => stream.status !== 'open', { timeoutMs: 5_000 })
    await stillWorks()
  })

  it('loses its link for a frame that is too large, another network, another version', async () => {
    const stream = await adversary.link(honest[0]!)
    await adversary.sendBytes(new Uint8Array(1_200_000)).catch(() => undefined)
    await eventually(() => stream.status !== 'open', { timeoutMs: 5_000 })
    for (const hello of [{ network: random(32) }, { version: 2 }]) {
      // The node may hang up before the adversary has said all of it.
      const refused = await adversary.link(honest[0]!, hello).catch((error: Error) => error)
      if (refused instanceof Error) expect(refused.message).toContain('closed')
      else await eventually(() => refused.status !== 'open', { timeoutMs: 5_000 })
    }
    await stillWorks()
  })

  it('cannot speak for others in heartbeats, nor flood records', async () => {
    await adversary.meet(honest[0]!, [NODES_TOPIC, RECORDS_TOPIC])
    const key = await crypto.signingKeyFromSeed(stolen.seed)
    const forged = await signHeartbeat(network, key, {
      node: honest[1]!.listed.key,
      epoch: 0,
      time: Date.now() + 60_000
    })
    const before = honest[0]!.parts.gossip.rejected
    await adversary.publish(NODES_TOPIC, encodeHeartbeat(forged))
    await eventually(() => honest[0]!.parts.gossip.rejected === before + 1)
    await adversary.publish(RECORDS_TOPIC, random(40))
    await eventually(() => honest[0]!.parts.gossip.rejected === before + 2)
    expect(honest[0]!.directory.records).toEqual([])
  })
})

describe('subscriptions', () => {
  it('to topics that are none are not kept', async () => {
    await adversary.meet(honest[0]!, [NODES_TOPIC])
    const { gossip } = adversary.host.services
    for (let i = 0; i < 500; i++) gossip.subscribe(`/elsewhere/${i}/${toHex(random(20))}`)
    await new Promise(resolve => setTimeout(resolve, 300))
    const topics = (honest[0]!.parts.nodeHost.services.gossip as unknown as { topics: Map<string, unknown> }).topics
    expect([...topics.keys()].filter(topic => topic.startsWith('/elsewhere'))).toEqual([])
    await stillWorks()
  })
})
