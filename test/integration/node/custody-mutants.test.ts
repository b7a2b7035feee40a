/**
 * The checker against real nodes that break one rule each, and against the same story with honest ones: what it decides in
 * the chaos campaigns is only worth something if it notices these. (Unsynced writes need a power cut: see test/chaos.)
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { RECEIPTS_REQUIRED } from '../../../protocol/limits.ts'
import { custodyLeaf, verifyDeliveryReceipt } from '../../../protocol/wire/custody.ts'
import type { RelayParts } from '../../../node/relay-parts.ts'
import { dumpStore } from '../../chaos/store-dump.ts'
import { checkHistory, type Rule } from '../../support/custody-checker.ts'
import type { HistoryEvent } from '../../support/custody-history.ts'
import { crypto, makeEnvelope, network } from '../../support/network/in-process/fixtures.ts'
import { eventually } from '../../support/wait-for.ts'
import type { TestClient } from '../../support/network/in-process/test-client.ts'
import { TestNetwork, type TestNode } from '../../support/network/in-process/test-network.ts'
import { join } from 'node:path'

let net: TestNetwork
const fault = vi.hoisted(() => ({ oneReceipt: false }))
vi.mock(import('../../../protocol/wire/placement.ts'), async original => {
  const placement = await original()
  return {
    ...placement,
    receiptsRequired: (replicas, required) => (fault.oneReceipt ? 1 : placement.receiptsRequired(replicas, required))
  }
})

afterEach(async () => {
  fault.oneReceipt = false
  await net.stop()
})

const start = async (mutate?: (parts: RelayParts) => void): Promise<TestNetwork> => {
  net = await TestNetwork.start(3, mutate && { mutate })
  return net
}

/** Says that deliveries are stored before they are. */
function signEarly({ store }: RelayParts): void {
  const write = store.store.bind(store)
  store.store = async items => {
    write(items).catch(() => undefined)
    return items.map(() => ({ state: 'known' }))
  }
}

/** Forgets what was acknowledged. */
function dropTombstones({ store }: RelayParts): void {
  const acknowledge = store.acknowledge.bind(store)
  store.acknowledge = async (mailbox, ids, proof) => {
    await acknowledge(mailbox, ids, proof)
    await store.release(mailbox, ids)
  }
}

/** Ada submits one message to Bob; what she is told becomes history. */
async function submit(ada: TestClient, bob: TestClient, sequence: number): Promise<HistoryEvent[]> {
  const envelope = makeEnvelope([bob.deviceId])
  const message = `m${sequence}`
  const device = toHex(bob.deviceId)
  const at = Date.now()
  const [result] = await ada.submit(envelope)
  const submitted: HistoryEvent = {
    kind: 'submit',
    at,
    message,
    sender: 'ada',
    conversation: 'c',
    sequence,
    devices: [device],
    expiry: envelope.expiry
  }
  if (result!.state !== 'stored') return [submitted]
  const replicas = net.replicasOf(bob.deviceId)
  const leaf = custodyLeaf(result!.id, bob.deviceId, envelope.expiry)
  const receipts = await Promise.all(
    result!.receipts.map(async proof => {
      const node = toHex(proof.receipt.node)
      const replica = replicas.find(({ key }) => key === node)
      return {
        node,
        operator: replica ? toHex(replica.listed.operator) : 'unlisted',
        epoch: proof.receipt.epoch,
        device,
        deliveryId: toHex(result!.id),
        valid: await verifyDeliveryReceipt(crypto, network, proof, leaf),
        replica: replica !== undefined
      }
    })
  )
  return [submitted, { kind: 'sent', at, message, receipts }]
}

/** Bob shows whatever arrives, as `show` says, and lets go of it. */
function displaysOf(bob: TestClient, events: HistoryEvent[]): HistoryEvent[] {
  const device = toHex(bob.deviceId)
  return bob.deliveredIds.flatMap((deliveryId): HistoryEvent[] => {
    const sent = events.find(event => event.kind === 'sent' && event.receipts.some(r => r.deliveryId === deliveryId))
    if (sent?.kind !== 'sent') return []
    const at = Date.now()
    return [
      { kind: 'display', at, device, message: sent.message },
      { kind: 'acknowledge', at, device, deliveryId }
    ]
  })
}

/** Stops every node, reads the disks, and decides. */
async function rulesBroken(events: HistoryEvent[]): Promise<Rule[]> {
  for (const node of net.nodes) await node.stop()
  const stores = await Promise.all(net.nodes.map(node => dumpStore(node.key, join(node.folder, 'db'))))
  const history = {
    events,
    stores,
    operators: net.nodes.length,
    receiptsRequired: RECEIPTS_REQUIRED,
    epoch: 0,
    end: Date.now()
  }
  return [...new Set(checkHistory(history).violations.map(({ rule }) => rule))]
}

/** A message arrives and is let go of while one replica is away; then that replica comes back and repairs. */
async function replicaReturnsAfterAcknowledgement(): Promise<HistoryEvent[]> {
  const bob = await net.device()
  const replicas = net.replicasOf(bob.deviceId)
  const ada = await net.client(replicas[0]!)
  const events = await submit(ada, bob, 1)
  await eventually(async () =>
    (await Promise.all(replicas.map(n => n.parts.store.heldIn(bob.deviceId)))).every(Boolean)
  )
  const away = replicas[2]!
  await away.stop()
  await net.client(replicas[1]!, bob)
  await bob.attach()
  await eventually(() => bob.delivered.length === 1)
  await bob.acknowledged()
  events.push(...displaysOf(bob, events))
  await bob.close()
  await away.start()
  await net.linked()
  for (const node of replicas) for (const other of replicas) if (other !== node) await compare(node, other)
  // The returned replica learns what it missed; a broken network never tells it.
  await eventually(async () => (await away.parts.store.heldIn(bob.deviceId)) === 0, { timeoutMs: LEARN_MS }).catch(
    () => undefined
  )
  return events
}

const LEARN_MS = 5_000

const compare = (node: TestNode, other: TestNode): Promise<void> => node.parts.repair.compareWith(other.listed)

describe('the custody checker, against real nodes', () => {
  it('finds nothing where honest nodes lost nothing', async () => {
    await start()
    expect(await rulesBroken(await replicaReturnsAfterAcknowledgement())).toEqual([])
  })

  it('catches nodes that are content with one receipt', async () => {
    fault.oneReceipt = true
    await start()
    const bob = await net.device()
    const [origin, ...others] = net.replicasOf(bob.deviceId)
    for (const node of others) await node.stop()
    const events = await submit(await net.client(origin!), bob, 1)
    expect(await rulesBroken(events)).toContain('too-few-receipts')
  })

  it('catches nodes that sign before they have written', async () => {
    await start(signEarly)
    const bob = await net.device()
    const ada = await net.client(net.nodes[0]!)
    // The disks fail at the worst moment: after the receipt is signed.
    for (const node of net.nodes) await node.parts.store.close()
    const events = await submit(ada, bob, 1)
    expect(await rulesBroken(events)).toEqual(expect.arrayContaining(['lost', 'receipt-without-custody']))
  })

  it('finds nothing when honest nodes meet the same failure, because they do not sign', async () => {
    await start()
    const bob = await net.device()
    const ada = await net.client(net.nodes[0]!)
    for (const node of net.nodes) await node.parts.store.close()
    const events = await submit(ada, bob, 1).catch((): HistoryEvent[] => [])
    expect(events.filter(event => event.kind === 'sent')).toEqual([])
    expect(await rulesBroken(events)).toEqual([])
  })

  it('catches nodes that drop their tombstones', async () => {
    await start(dropTombstones)
    expect(await rulesBroken(await replicaReturnsAfterAcknowledgement())).toContain('returned-after-acknowledgement')
  })

  it('catches a device that shows what it is sent again', async () => {
    await start()
    const bob = await net.device()
    bob.acknowledges = false
    const replicas = net.replicasOf(bob.deviceId)
    const events = await submit(await net.client(replicas[0]!), bob, 1)
    for (const node of replicas.slice(0, 2)) {
      await net.client(node, bob)
      const before = bob.delivered.length
      await bob.attach()
      await eventually(() => bob.delivered.length > before)
    }
    const displays = displaysOf(bob, events).filter(event => event.kind === 'display')
    expect(await rulesBroken([...events, ...displays])).toEqual(['shown-twice'])
  })
})
