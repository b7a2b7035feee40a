/** One replica's key in the wrong hands: what it may do to a mailbox that it keeps together with honest nodes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../../../node/errors.ts'
import { compareBytes, toHex } from '../../../protocol/bytes.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import { signEviction } from '../../../protocol/wire/custody.ts'
import type { Delivery, DeliveryId } from '../../../protocol/wire/envelope.ts'
import type { NodeLinkFrame } from '../../../protocol/wire/node-frames.ts'
import { AdversaryNode } from '../../support/network/in-process/adversary-node.ts'
import {
  crypto,
  HOUR_MS,
  makeDelivery,
  makeEnvelope,
  network,
  newMailbox,
  random
} from '../../support/network/in-process/fixtures.ts'
import { TestNetwork, type TestNode } from '../../support/network/in-process/test-network.ts'
import { eventually } from '../../support/wait-for.ts'

const LIMIT = 80
const SENT = 20

let net: TestNetwork
let honest: TestNode[]
let stolen: TestNode
let adversary: AdversaryNode

beforeEach(async () => {
  const mailboxLimits = {
    envelopes: { contact: LIMIT, request: LIMIT, system: LIMIT },
    bytes: { contact: 1e6, request: 1e6, system: 1e6 }
  }
  net = await TestNetwork.start(3, { mailboxLimits })
  honest = net.nodes.slice(0, 2)
  stolen = net.nodes[2]!
})
afterEach(async () => {
  await adversary.stop()
  await net.stop()
})

/** Messages that their sender was shown as *sent*. */
async function send(mailbox: DeviceId): Promise<DeliveryId[]> {
  const ada = await net.client(honest[0]!)
  const ids: DeliveryId[] = []
  for (let i = 0; i < SENT; i++) {
    const [result] = await ada.submit(makeEnvelope([mailbox], { expiry: Date.now() + HOUR_MS }))
    expect(result!.state).toBe('stored')
    ids.push(result!.id)
  }
  await eventually(async () => {
    const held = await Promise.all(honest.map(node => node.parts.store.heldIn(mailbox)))
    return held.every(count => count === SENT)
  })
  return ids
}

async function takeOver(): Promise<void> {
  await stolen.stop()
  adversary = await AdversaryNode.start(stolen.seed)
}

/** Links the stolen key to a node. Either side may open the stream that stays. */
async function join(node: TestNode): Promise<void> {
  adversary.stayLinked(node)
  await eventually(() => node.parts.links.isUp(stolen.listed.key), { timeoutMs: 10_000 })
}

/** Answers questions of repair and news as a replica would that holds these. */
function holdFakes(mailbox: DeviceId, fakes: Delivery[]): void {
  const sorted = fakes.toSorted((a, b) => compareBytes(a.id, b.id))
  const byId = new Map(sorted.map(fake => [toHex(fake.id), fake]))
  const shard = honest[0]!.parts.view.shardOf(mailbox)
  const answer = (frame: NodeLinkFrame): NodeLinkFrame | undefined => {
    const { request } = frame
    switch (frame.kind) {
      case 'digests': {
        const isAsked = frame.shards.includes(shard) && frame.after === null
        return {
          kind: 'mailboxDigests',
          request,
          mailboxes: isAsked ? [{ mailbox, digest: random(16) }] : [],
          more: false
        }
      }
      case 'states': {
        const { after } = frame
        const page = after === null ? sorted : sorted.filter(({ id }) => compareBytes(id, after) > 0)
        const deliveries = page.slice(0, 64).map(({ id, expiry }) => ({ id, state: 'held' as const, expiry }))
        return { kind: 'mailboxStates', request, deliveries, more: page.length > 64 }
      }
      case 'fetch':
        return { kind: 'deliveries', request, deliveries: frame.ids.flatMap(id => byId.get(toHex(id)) ?? []) }
      case 'news': {
        const asked = frame.mailboxes.some(asked => toHex(asked.mailbox) === toHex(mailbox) && asked.after === 0)
        const ids = sorted.map(({ id }) => id)
        return { kind: 'newsOf', request, mailboxes: asked ? [{ mailbox, next: ids.length, ids }] : [] }
      }
      default:
        return undefined
    }
  }
  adversary.onFrame = async (frame, say) => {
    const said = answer(frame)
    if (said) await say(said)
  }
}

const stillHeld = async (node: TestNode, mailbox: DeviceId, ids: DeliveryId[]): Promise<number> =>
  (await node.parts.store.entries(ids.map(id => ({ mailbox, id })))).filter(entry => entry?.state === 'held').length

const fakesFor = (mailbox: DeviceId, count: number): Delivery[] =>
  Array.from({ length: count }, () => makeDelivery(mailbox, { expiry: Date.now() + 20 * HOUR_MS, payload: random(16) }))

describe('a hostile replica', () => {
  it('cannot push sent messages out of a mailbox through repair, however many it makes up', async () => {
    const bob = await net.device()
    const ids = await send(bob.deviceId)
    await takeOver()
    holdFakes(bob.deviceId, fakesFor(bob.deviceId, 3 * LIMIT))
    for (const node of honest) {
      await join(node)
      await eventually(async () => (await node.parts.store.heldIn(bob.deviceId)) === SENT + LIMIT / 2)
      await node.parts.repair.compareWith(stolen.listed)
      expect(await node.parts.store.heldIn(bob.deviceId)).toBe(SENT + LIMIT / 2)
      expect(await stillHeld(node, bob.deviceId, ids)).toBe(SENT)
    }
    // Others still find room, and the device gets all of it.
    const eve = await net.client(honest[1]!)
    expect((await eve.submit(makeEnvelope([bob.deviceId], { expiry: Date.now() + 2 * HOUR_MS })))[0]!.state).toBe(
      'stored'
    )
    await net.client(honest[0]!, bob)
    await bob.attach()
    await eventually(() => ids.every(id => bob.deliveredIds.includes(toHex(id))))
  })

  it('cannot fill a mailbox and then call for it to be emptied', async () => {
    const mailbox = newMailbox()
    const ids = await send(mailbox)
    const ada = await net.client(honest[1]!)
    while ((await honest[1]!.parts.store.heldIn(mailbox)) < LIMIT / 2) await ada.submit(makeEnvelope([mailbox]))
    await takeOver()
    holdFakes(mailbox, fakesFor(mailbox, LIMIT))
    const node = honest[1]!
    await join(node)
    await eventually(async () => (await node.parts.store.heldIn(mailbox)) === LIMIT)
    const key = await crypto.signingKeyFromSeed(stolen.seed)
    const fields = { node: stolen.listed.key, time: Date.now(), mailbox, ids }
    await adversary.ask(node, { kind: 'evict', request: 7, eviction: await signEviction(network, key, fields) })
    expect(await stillHeld(node, mailbox, ids)).toBe(SENT)
  })

  it('gets nothing stored for a mailbox that it was not asked about', async () => {
    await takeOver()
    const node = honest[0]!
    await join(node)
    const [asked, other] = [newMailbox(), newMailbox()]
    const fake = makeDelivery(other)
    adversary.onFrame = async (frame, answer) => {
      const { request } = frame
      if (frame.kind === 'news') {
        const mailboxes = [{ mailbox: other, next: 1, ids: [fake.id] }]
        await answer({ kind: 'newsOf', request, mailboxes })
      }
      if (frame.kind === 'digests') {
        const mailboxes = [{ mailbox: newMailbox(), digest: random(16) }]
        await answer({ kind: 'mailboxDigests', request, mailboxes, more: true })
      }
      if (frame.kind === 'states') {
        const deliveries = [{ id: fake.id, state: 'held' as const, expiry: fake.expiry }]
        await answer({ kind: 'mailboxStates', request, deliveries, more: true })
      }
      if (frame.kind === 'fetch') await answer({ kind: 'deliveries', request, deliveries: [fake] })
    }
    await eventually(async () => {
      const news = node.parts.reader.pullNews(stolen.listed, [{ mailbox: asked, after: 0 }])
      const failure = await news.then(
        () => undefined,
        (error: unknown) => error
      )
      expect(failure).toBeInstanceOf(NodeError)
      return (failure as NodeError).code === 'malformed'
    })
    await node.parts.repair.compareWith(stolen.listed)
    expect(node.parts.store.heldCount).toBe(0)
    // A mailbox that has no end is left.
    const states = adversary.frames.filter(frame => frame.kind === 'states')
    expect(states.length).toBeLessThan(10)
  })
})
