import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import { CLOCK_TOLERANCE_MS } from '../../../protocol/limits.ts'
import { judgeComplaint } from '../../../protocol/wire/complaint.ts'
import type { CustodyAnswer } from '../../../protocol/wire/custody-question.ts'
import {
  custodyLeaf,
  signAcknowledgement,
  verifyDeliveryReceipt,
  type DeliveryReceipt
} from '../../../protocol/wire/custody.ts'
import { deliveriesOf } from '../../../node/messages/custody-batch.ts'
import { encodeEnvelope } from '../../../protocol/wire/envelope.ts'
import type { SubmissionResult } from '../../../protocol/wire/peer-frames.ts'
import { CUSTODY_DEADLINE_MS, MAX_FOLLOWED_BATCHES } from '../../../node/messages/custody-origin.ts'
import { crypto, HOUR_MS, makeEnvelope, network, newMailbox } from '../../support/network/in-process/fixtures.ts'
import { eventually } from '../../support/wait-for.ts'
import { TestNetwork, type TestNode } from '../../support/network/in-process/test-network.ts'

/** Receipts that a client may count: right signature, right path, a replica of the mailbox; one per operator. */
async function validReceipts(
  net: TestNetwork,
  mailbox: DeviceId,
  expiry: number,
  result: SubmissionResult
): Promise<number> {
  const replicas = new Map(net.replicasOf(mailbox).map(node => [node.key, toHex(node.listed.operator)]))
  const operators = new Set<string>()
  for (const proof of result.receipts) {
    const operator = replicas.get(toHex(proof.receipt.node))
    const isValid = await verifyDeliveryReceipt(crypto, network, proof, custodyLeaf(result.id, mailbox, expiry))
    expect(operator).toBeDefined()
    expect(isValid).toBe(true)
    operators.add(operator!)
  }
  return operators.size
}

const heldAt = (nodes: TestNode[], mailbox: DeviceId): Promise<number[]> =>
  Promise.all(nodes.map(node => node.parts.store.heldIn(mailbox)))

describe('five nodes', () => {
  let net: TestNetwork
  beforeAll(async () => {
    net = await TestNetwork.start(5)
  })
  afterAll(() => net.stop())

  it('keep a message at replicas that the sender is not connected to, with receipts that verify', async () => {
    const bob = await net.device()
    const replicas = net.replicasOf(bob.deviceId)
    const ada = await net.client(net.othersThan(bob.deviceId)[0]!)
    const envelope = makeEnvelope([bob.deviceId])
    const [result] = await ada.submit(envelope)
    expect(result!.state).toBe('stored')
    expect(await validReceipts(net, bob.deviceId, envelope.expiry, result!)).toBe(2)
    await eventually(async () => (await heldAt(replicas, bob.deviceId)).every(count => count === 1))
    expect(await heldAt(net.othersThan(bob.deviceId), bob.deviceId)).toEqual([0, 0])
    await net.client(replicas[0]!, bob)
    expect(await bob.attach()).toBe(1)
    await eventually(() => bob.isCaughtUp)
    expect(bob.deliveredIds).toEqual([toHex(result!.id)])
  })

  it('keep a message through an origin that is a replica itself', async () => {
    const bob = await net.device()
    const ada = await net.client(net.replicasOf(bob.deviceId)[1]!)
    const envelope = makeEnvelope([bob.deviceId])
    const [result] = await ada.submit(envelope)
    expect(result!.state).toBe('stored')
    expect(await validReceipts(net, bob.deviceId, envelope.expiry, result!)).toBe(2)
  })

  it('answer for every recipient, each at the replicas of its own shard', async () => {
    const mailboxes = Array.from({ length: 40 }, newMailbox)
    const ada = await net.client(net.nodes[0]!)
    const envelope = makeEnvelope(mailboxes, { part: new Uint8Array(1200) })
    const results = await ada.submit(envelope)
    expect(results.map(result => toHex(result.mailbox))).toEqual(mailboxes.map(toHex))
    expect(new Set(results.map(result => toHex(result.id))).size).toBe(40)
    for (const [index, result] of results.entries()) {
      expect(result.state).toBe('stored')
      expect(await validReceipts(net, mailboxes[index]!, envelope.expiry, result)).toBe(2)
    }
  })

  it('carry the largest envelope and many at once', async () => {
    const ada = await net.client(net.nodes[1]!)
    const large = () =>
      makeEnvelope([newMailbox(), newMailbox()], {
        payload: new Uint8Array(64 * 1024).fill(7),
        part: new Uint8Array(2048)
      })
    const results = await Promise.all(Array.from({ length: 12 }, () => ada.submit(large())))
    expect(results.flat().every(result => result.state === 'stored')).toBe(true)
  })

  it('deliver a message once, however often and wherever its sender submits it', async () => {
    const bob = await net.client(
      net.nodes[0]!,
      await net.device(mailbox => net.replicasOf(mailbox).includes(net.nodes[0]!))
    )
    await bob.attach()
    const [ada, again] = [await net.client(net.nodes[2]!), await net.client(net.nodes[3]!)]
    const envelope = makeEnvelope([bob.deviceId])
    for (const client of [ada, ada, again]) expect((await client.submit(envelope))[0]!.state).toBe('stored')
    await eventually(() => bob.delivered.length > 0)
    await bob.acknowledged()
    // Also after it was acknowledged: the sender may simply not have heard.
    expect((await again.submit(envelope))[0]!.state).toBe('stored')
    await new Promise(resolve => setTimeout(resolve, 1500))
    expect(bob.delivered).toHaveLength(1)
  })

  it('deliver what waited first, then what comes, in order and without a seam', async () => {
    const bob = await net.device()
    const home = net.replicasOf(bob.deviceId)[0]!
    const ada = await net.client(home)
    const sent: string[] = []
    const send = async (): Promise<void> => {
      sent.push(toHex((await ada.submit(makeEnvelope([bob.deviceId])))[0]!.id))
    }
    for (let i = 0; i < 150; i++) await send()
    const sending = (async () => {
      for (let i = 0; i < 150; i++) await send()
    })()
    await net.client(home, bob)
    await bob.attach()
    await sending
    await eventually(() => bob.delivered.length >= 300)
    expect(bob.deliveredIds).toEqual(sent)
  })

  it('remember everywhere that a message was acknowledged', async () => {
    const bob = await net.device()
    const replicas = net.replicasOf(bob.deviceId)
    const ada = await net.client(net.nodes[4]!)
    const results = await Promise.all(Array.from({ length: 10 }, () => ada.submit(makeEnvelope([bob.deviceId]))))
    await net.client(replicas[2]!, bob)
    await bob.attach()
    await eventually(() => bob.delivered.length === 10)
    await bob.acknowledged()
    const names = results.map(([result]) => ({ mailbox: bob.deviceId, id: result!.id }))
    await eventually(async () => {
      const entries = await Promise.all(replicas.map(node => node.parts.store.entries(names)))
      return entries.flat().every(entry => entry?.state === 'acknowledged')
    })
    expect(await heldAt(replicas, bob.deviceId)).toEqual([0, 0, 0])
  })

  it('do not let one device let go of messages of another', async () => {
    const [bob, eve] = [await net.device(), await net.device()]
    const home = net.replicasOf(bob.deviceId)[0]!
    const [result] = await (await net.client(net.nodes[0]!)).submit(makeEnvelope([bob.deviceId]))
    await net.client(home, eve)
    const forged = await signAcknowledgement(crypto, network, eve.key, bob.keys, [result!.id])
    const attempt = eve.request({ kind: 'acknowledge', acknowledgement: forged })
    await expect(attempt).rejects.toMatchObject({ code: 'refused' })
    // A genuine one that somebody else passes on is refused as well: it is for bob's stream to say.
    const genuine = await signAcknowledgement(crypto, network, bob.key, bob.keys, [result!.id])
    await expect(eve.request({ kind: 'acknowledge', acknowledgement: genuine })).rejects.toMatchObject({
      code: 'refused'
    })
    expect(await home.parts.store.heldIn(bob.deviceId)).toBe(1)
  })

  it('send a device on to the replicas of its mailbox', async () => {
    const bob = await net.device()
    await net.client(net.othersThan(bob.deviceId)[0]!, bob)
    await expect(bob.attach()).rejects.toMatchObject({ code: 'not-a-replica' })
  })

  it('refuse what has expired or would be kept too long, and sign for it', async () => {
    const ada = await net.client(net.nodes[0]!)
    const [bob] = [newMailbox()]
    const [late] = await ada.submit(makeEnvelope([bob], { expiry: Date.now() - HOUR_MS }))
    expect(late).toMatchObject({ state: 'refused', refusal: { reason: 'expired' } })
    const [far] = await ada.submit(makeEnvelope([bob], { expiry: Date.now() + 31 * 24 * HOUR_MS }))
    expect(far).toMatchObject({ state: 'refused', refusal: { reason: 'expiry-too-far' } })
  })

  it('refuse mail to a device that was removed, and take it for the others', async () => {
    const [bob, gone] = [await net.device(), await net.device()]
    net.devices.get(toHex(gone.deviceId))!.state = 'revoked'
    const ada = await net.client(net.nodes[0]!)
    const results = await ada.submit(makeEnvelope([gone.deviceId, bob.deviceId]))
    expect(results.map(result => result.state)).toEqual(['refused', 'stored'])
    expect(results[0]!.refusal!.reason).toBe('unknown-mailbox')
  })

  it('keep a bundle at the replicas of its account and pass records on to everybody', async () => {
    const { accountId } = await net.device()
    const replicas = net.replicasOf(accountId as Uint8Array as DeviceId)
    const origin = net.nodes.find(node => !replicas.includes(node))!
    await origin.network.putBundle(accountId, Uint8Array.of(1, 2, 3))
    await eventually(() => replicas.every(node => node.directory.kept.has(toHex(accountId))))
    expect(origin.directory.kept.size).toBe(0)
    expect(await net.nodes[0]!.network.getBundles(accountId)).toEqual([Uint8Array.of(1, 2, 3)])
    await origin.network.broadcastRecords([Uint8Array.of(9), Uint8Array.of(8)])
    const others = net.nodes.filter(node => node !== origin)
    await eventually(() => others.every(node => node.directory.records.length === 1))
    expect(toHex(others[0]!.directory.records[0]!.from)).toBe(origin.key)
  })
})

describe('when nodes fail', () => {
  let net: TestNetwork
  beforeAll(async () => {
    net = await TestNetwork.start(5)
  })
  afterAll(() => net.stop())

  it('one of three replicas: messages are sent all the same, and quickly', async () => {
    const bob = newMailbox()
    const [dead] = net.replicasOf(bob)
    const ada = await net.client(net.othersThan(bob)[0]!)
    await dead!.stop()
    const start = performance.now()
    for (let i = 0; i < 5; i++) expect((await ada.submit(makeEnvelope([bob])))[0]!.state).toBe('stored')
    // Far less than what it takes to wait for the dead one each time.
    expect(performance.now() - start).toBeLessThan((5 * CUSTODY_DEADLINE_MS) / 2)
    await dead!.start()
    await net.linked()
  })

  it('two of three: a message waits, says so within the deadline, and is sent once one is back', async () => {
    const bob = newMailbox()
    const [one, two] = net.replicasOf(bob)
    const ada = await net.client(net.othersThan(bob)[0]!)
    await Promise.all([one!.stop(), two!.stop()])
    const envelope = makeEnvelope([bob])
    const waiting = (await ada.submit(envelope))[0]!
    expect(waiting.state).toBe('waiting')
    expect(waiting.receipts).toHaveLength(1)
    await one!.start()
    await net.linked()
    const sent = (await ada.submit(envelope))[0]!
    expect(sent.state).toBe('stored')
    expect(await validReceipts(net, bob, envelope.expiry, sent)).toBe(2)
    await two!.start()
    await net.linked()
  })

  it('a replica that comes back while a message is on its way gets it within the same submit', async () => {
    const bob = newMailbox()
    const [one, two] = net.replicasOf(bob)
    const ada = await net.client(net.othersThan(bob)[0]!)
    await Promise.all([one!.stop(), two!.stop()])
    const submitting = ada.submit(makeEnvelope([bob]))
    await one!.start()
    expect((await submitting)[0]!.state).toBe('stored')
    await two!.start()
    await net.linked()
  })

  it('readiness says when too few operators are reachable', async () => {
    const [first, ...others] = net.nodes
    expect(first!.network.readiness()).toEqual([])
    await Promise.all(others.slice(0, 3).map(node => node.stop()))
    await eventually(() => first!.network.readiness().some(reason => reason.code === 'too-few-nodes'))
    await Promise.all(others.slice(0, 3).map(node => node.start()))
    await net.linked()
    expect(first!.network.readiness()).toEqual([])
  })
})

describe('a network of one node', () => {
  it('keeps messages with one receipt, across restarts', async () => {
    const net = await TestNetwork.start(1)
    try {
      const bob = await net.device()
      const ada = await net.client(net.nodes[0]!)
      const envelope = makeEnvelope([bob.deviceId])
      const [result] = await ada.submit(envelope)
      expect(result!.state).toBe('stored')
      expect(await validReceipts(net, bob.deviceId, envelope.expiry, result!)).toBe(1)
      await net.nodes[0]!.stop()
      await net.nodes[0]!.start()
      await net.client(net.nodes[0]!, bob)
      await bob.attach()
      await eventually(() => bob.isCaughtUp)
      expect(bob.deliveredIds).toEqual([toHex(result!.id)])
    } finally {
      await net.stop()
    }
  })
})

describe('a replica that lost what it signed for', () => {
  let shiftMs = 0
  let net: TestNetwork
  beforeAll(async () => {
    net = await TestNetwork.start(3, { clock: () => Date.now() + shiftMs })
  })
  afterAll(() => net.stop())

  it('denies it, and receipt and denial are a complaint that holds; whoever kept it signs again', async () => {
    const bob = await net.device()
    const ada = await net.client(net.nodes[0]!)
    const envelope = makeEnvelope([bob.deviceId])
    const [result] = await ada.submit(envelope)
    const [kept, lost] = result!.receipts as [DeliveryReceipt, DeliveryReceipt]
    const nodeOf = ({ receipt }: DeliveryReceipt): TestNode => net.nodes.find(node => node.key === toHex(receipt.node))!
    await nodeOf(lost).parts.store.release(bob.deviceId, [result!.id])
    const { epoch, shard } = lost.receipt
    const reference = { mailbox: bob.deviceId, id: result!.id, expiry: envelope.expiry }
    const ask = (node: TestNode, asked = reference) => node.network.holds({ epoch, shard, deliveries: [asked] })
    const judge = async (receipt: DeliveryReceipt, { denied }: CustodyAnswer) =>
      judgeComplaint(
        crypto,
        { network, ...reference, receipt, denial: denied[0]!.denial },
        { now: Date.now() + shiftMs }
      )
    // At once it proves nothing: a clock that was set back in between would show the same.
    expect(await judge(lost, await ask(nodeOf(lost)))).toMatchObject({ fault: 'denied-too-early' })
    shiftMs = CLOCK_TOLERANCE_MS + HOUR_MS / 60
    expect(await judge(lost, await ask(nodeOf(lost)))).toMatchObject({ holds: true })
    expect(await ask(nodeOf(kept))).toMatchObject({ receipt: { count: 1 }, denied: [] })
    // Asked for another expiry, an honest replica denies another delivery; nobody can turn that against it.
    const trap = await ask(nodeOf(kept), { ...reference, expiry: envelope.expiry + 1 })
    expect(await judge(kept, trap)).toMatchObject({ fault: 'denial-of-another-delivery' })
  })
})

describe('a third replica that does not answer', () => {
  const SILENT = 2
  let net: TestNetwork
  beforeAll(async () => {
    net = await TestNetwork.start(3)
  })
  afterAll(() => net.stop())

  it('takes no room for long, whether it is dead or only silent: all that two others keep is answered as stored', async () => {
    const never = () => new Promise<never>(() => undefined)
    Object.assign(net.nodes[SILENT]!.parts.replica, { onGossip: async () => 'accept', onBatch: never, onHave: never })
    const { origin, view } = net.nodes[0]!.parts
    const send = async (): Promise<string> => {
      const mailbox = newMailbox()
      const envelope = makeEnvelope([mailbox])
      const [item] = deliveriesOf(crypto, network, envelope, Date.now())
      const { promise, resolve } = Promise.withResolvers<{ state: string }>()
      const encoded = encodeEnvelope(envelope)
      await origin.send(view.current, view.shardOf(mailbox), [{ encoded, requests: [{ ...item!, settle: resolve }] }])
      return (await promise).state
    }
    const sendMany = (count: number): Promise<string[]> => Promise.all(Array.from({ length: count }, send))
    for (let sent = 0; sent < MAX_FOLLOWED_BATCHES + 64; sent += 64) {
      expect(new Set(await sendMany(64))).toEqual(new Set(['stored']))
    }
    expect(origin.size).toBeLessThanOrEqual(MAX_FOLLOWED_BATCHES)
    await net.nodes[SILENT]!.stop()
    await eventually(() => !net.nodes[0]!.parts.links.isUp(net.nodes[SILENT]!.listed.key))
    const before = origin.size
    expect(new Set(await sendMany(20))).toEqual(new Set(['stored']))
    expect(origin.size).toBeLessThanOrEqual(before)
  })
})
