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
  type NodeLinkFrame,
  NODES_TOPIC,
  RECORDS_TOPIC,
  shardTopic,
  signBatch,
  signHeartbeat
} from '../../../protocol/wire/node-frames.ts'
import { signAcknowledgement } from '../../../protocol/wire/custody.ts'
import { AdversaryNode } from '../../support/network/in-process/adversary-node.ts'
import { crypto, makeDelivery, makeEnvelope, network, random } from '../../support/network/in-process/fixtures.ts'
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

/** The shard on whose topic batches for a mailbox go. */
const groupOf = ({ parts: { view } }: TestNode, mailbox: DeviceId): number =>
  view.groupOf(view.current, view.shardOf(mailbox))

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
    const topic = shardTopic(groupOf(honest[1]!, mailbox))
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
    const { view } = honest[0]!.parts
    const otherShard = view.groups().find(shard => shard !== groupOf(honest[0]!, mailbox))
    const elsewhere = net.mailboxWhere(replicas => !replicas.includes(honest[0]!))
    const bad = [
      { ...good, signature: random(64) },
      { ...good, time: good.time + 1 },
      { ...good, origin: honest[1]!.listed.key },
      { ...good, envelopes: [encodeEnvelope(makeEnvelope([mailbox]))] },
      await batchFor(mailbox, [envelope, random(50)]),
      await batchFor(mailbox, [encodeEnvelope(makeEnvelope([mailbox, elsewhere]))]),
      await batchFor(mailbox, [envelope], otherShard)
    ]
    const offer = (request: number, batch: Uint8Array) => adversary.ask(honest[0]!, { kind: 'batch', request, batch })
    for (const [index, batch] of bad.entries()) {
      expect((await offer(index + 1, encodeBatch(batch))).kind).toBe('error')
    }
    expect((await offer(90, random(3000))).kind).toBe('error')
    expect(await honest[0]!.parts.store.heldIn(mailbox)).toBe(0)
    expect((await offer(99, encodeBatch(good))).kind).toBe('stored')
  })

  it('is not shown what it does not keep', async () => {
    const mailbox = net.mailboxWhere(replicas => replicas.includes(honest[0]!) && !replicas.includes(stolen))
    const ada = await net.client(honest[0]!)
    const [result] = await ada.submit(makeEnvelope([mailbox]))
    const shard = honest[0]!.parts.view.shardOf(mailbox)
    const ids = [result!.id]
    const questions: NodeLinkFrame[] = [
      { kind: 'fetch', request: 1, mailbox, ids },
      { kind: 'news', request: 2, mailboxes: [{ mailbox, after: 0 }] },
      { kind: 'states', request: 3, mailbox, after: null },
      { kind: 'digests', request: 4, shards: [shard], after: null },
      { kind: 'why', request: 5, mailbox, ids }
    ]
    for (const question of questions) {
      expect(await adversary.ask(honest[0]!, question)).toMatchObject({ kind: 'error', code: 'refused' })
    }
  })

  it('cannot delete with acknowledgements that the device did not sign', async () => {
    const bob = await net.device(mailbox => net.replicasOf(mailbox).includes(honest[0]!))
    const eve = await net.device()
    const ada = await net.client(honest[1]!)
    const [result] = await ada.submit(makeEnvelope([bob.deviceId]))
    await eventually(async () => (await honest[0]!.parts.store.heldIn(bob.deviceId)) === 1)
    const forged = await signAcknowledgement(crypto, network, eve.key, bob.keys, [result!.id])
    const ownMailbox = await signAcknowledgement(crypto, network, eve.key, eve.keys, [result!.id])
    await adversary.ask(honest[0]!, { kind: 'acknowledge', request: 1, acknowledgements: [forged, ownMailbox] })
    expect(await honest[0]!.parts.store.heldIn(bob.deviceId)).toBe(1)
  })

  it('does not get a message called sent with receipts that do not verify', async () => {
    // Of three replicas one is honest and up, one is down, one lies.
    const mailbox = net.mailboxWhere(replicas => replicas.includes(stolen) && !replicas.includes(honest[0]!))
    const others = net.replicasOf(mailbox).filter(node => node !== stolen)
    await others[1]!.stop()
    const key = await crypto.signingKeyFromSeed(stolen.seed)
    const origin = honest[0]!
    const shard = origin.parts.view.shardOf(mailbox)
    // It answers every question with a receipt for other leaves.
    adversary.onFrame = async (frame, answer) => {
      if (frame.kind !== 'have' && frame.kind !== 'batch') return
      const fields = { node: stolen.listed.key, epoch: 0, shard, time: Date.now() }
      const receipt = await signReceipt(crypto, network, key, fields, [random(56)])
      if (frame.kind === 'have') await answer({ kind: 'held', request: frame.request, receipt, denied: [] })
      else {
        const batch = batchIdOf(crypto, network, decodeBatch(frame.batch))
        await answer({ kind: 'stored', request: frame.request, batch, receipt, refused: [] })
      }
    }
    adversary.stayLinked(origin)
    await eventually(() => origin.parts.links.isUp(stolen.listed.key))
    const ada = await net.client(origin)
    await eventually(async () => {
      expect((await ada.submit(makeEnvelope([mailbox])))[0]!.state).toBe('waiting')
      return origin.parts.origin.badReceipts > 0
    })
  })

  it('cannot bring back what was acknowledged, nor plant what is not intact, through repair', async () => {
    const mailbox = net.mailboxWhere(replicas => replicas.includes(honest[0]!) && replicas.includes(stolen))
    const real = makeDelivery(mailbox)
    const broken = { ...makeDelivery(mailbox), payload: random(64) }
    const unasked = makeDelivery(mailbox)
    adversary.onFrame = async (frame, answer) => {
      if (frame.kind !== 'fetch') return
      await answer({ kind: 'deliveries', request: frame.request, deliveries: [real, broken, unasked] })
    }
    adversary.stayLinked(honest[0]!)
    const fetch = () => honest[0]!.parts.reader.fetchUnknown(stolen.listed, mailbox, [real.id, broken.id])
    await eventually(async () => (await fetch().catch(() => 0)) === 1)
    expect(await honest[0]!.parts.store.heldIn(mailbox)).toBe(1)
  })

  it.each([
    ['no CBOR', () => random(60)],
    ['a frame of another kind', () => Uint8Array.of(0x82, 0x18, 0x5f, 0)],
    ['a frame cut short', () => random(1)]
  ])('loses its link for malformed frames: %s', async (_, bytes) => {
    const stream = await adversary.link(honest[0]!)
    await eventually(() => adversary.frames.length > 0)
    await adversary.sendBytes(bytes()).catch(() => undefined)
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
