import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import { signBatch, encodeBatch } from '../../../protocol/wire/node-frames.ts'
import type { NodeFrameOf } from '../../../protocol/wire/peer-frames.ts'
import { encodeEnvelope } from '../../../protocol/wire/envelope.ts'
import { crypto, makeEnvelope, network } from '../../support/network/in-process/fixtures.ts'
import { eventually } from '../../support/wait-for.ts'
import { TestNetwork, type TestNode } from '../../support/network/in-process/test-network.ts'

let net: TestNetwork
beforeEach(async () => {
  net = await TestNetwork.start(7, { listed: 5 })
})
afterEach(() => net.stop())

const heldAt = (nodes: TestNode[], mailbox: DeviceId): Promise<number[]> =>
  Promise.all(nodes.map(node => node.parts.store.heldIn(mailbox)))

/** Two nodes of the five go, two new ones come. */
async function beginTransition(): Promise<void> {
  const [old] = net.epochs
  const next = net.epochOf(1, net.nodes.slice(2))
  net.epochs = [old!, next]
  await Promise.all(net.nodes.slice(5).map(node => node.start()))
  net.setEpochs([old!, next])
  await net.linked()
}

describe('an epoch', () => {
  it('that is not in force is refused, with the current one', async () => {
    const ada = await net.client(net.nodes[0]!)
    const mailbox = net.mailboxWhere(() => true)
    await expect(ada.submit(makeEnvelope([mailbox]), 7)).rejects.toMatchObject({ code: 'wrong-epoch' })
    const told = ada.frames.findLast(frame => frame.kind === 'epoch') as NodeFrameOf<'epoch'>
    expect(told.epoch.number).toBe(0)
    expect(told.epoch.nodes).toHaveLength(5)
  })

  it('is checked between nodes too: a batch of another one is answered with the current one', async () => {
    const mailbox = net.mailboxWhere(() => true)
    const [replica] = net.replicasOf(mailbox)
    const origin = net.nodes.find(node => node.isRunning && node !== replica)!
    const shard = origin.parts.view.shardOf(mailbox)
    const { batch } = await signBatch(crypto, network, origin.parts.key, {
      origin: origin.listed.key,
      epoch: 3,
      shard,
      time: Date.now(),
      envelopes: [encodeEnvelope(makeEnvelope([mailbox]))]
    })
    const answer = await origin.parts.links.request<'batch'>(replica!.listed.key, {
      kind: 'batch',
      batch: encodeBatch(batch)
    })
    expect(answer).toMatchObject({ kind: 'rejected', code: 'wrong-epoch', epoch: { number: 0 } })
    expect(await replica!.parts.store.heldIn(mailbox)).toBe(0)
  })

  it('does not change with who is up', async () => {
    const mailbox = net.mailboxWhere(() => true)
    const before = net.replicasOf(mailbox).map(node => node.key)
    await net.replicasOf(mailbox)[0]!.stop()
    const view = net.nodes.find(node => node.isRunning)!.parts.view
    expect(
      view
        .replicas(view.current, view.shardOf(mailbox))
        .map(node => toHex(node.key))
        .sort()
    ).toEqual(before.sort())
  })
})

describe('while one list follows another', () => {
  it('a message is stored only once enough of the old and of the new replicas have signed', async () => {
    await beginTransition()
    const [old, next] = net.epochs
    const ada = await net.client(net.nodes[2]!)
    const mailbox = net.mailboxWhere(replicas => replicas.some(node => net.nodes.indexOf(node) >= 5))
    const [result] = await ada.submit(makeEnvelope([mailbox]))
    expect(result!.state).toBe('stored')
    for (const epoch of [old!, next!]) {
      const keys = net.replicasOf(mailbox, epoch).map(node => node.key)
      const signers = result!.receipts
        .filter(({ receipt }) => receipt.epoch === epoch.number)
        .map(({ receipt }) => toHex(receipt.node))
      expect(new Set(signers).size).toBeGreaterThanOrEqual(2)
      for (const signer of signers) expect(keys).toContain(signer)
    }
    const everybody = [...new Set([...net.replicasOf(mailbox, old), ...net.replicasOf(mailbox, next)])]
    await eventually(async () => (await heldAt(everybody, mailbox)).every(count => count === 1))
  })

  it('the new replicas take over what the old ones hold, and these let go when the old list ends', async () => {
    const [old] = net.epochs
    const next = net.epochOf(1, net.nodes.slice(2))
    const moves = (replicas: TestNode[]): boolean => replicas.includes(net.nodes[0]!)
    const mailbox = net.mailboxWhere(moves)
    const ada = await net.client(net.nodes[2]!)
    for (let i = 0; i < 20; i++) expect((await ada.submit(makeEnvelope([mailbox])))[0]!.state).toBe('stored')
    net.epochs = [old!, next]
    await Promise.all(net.nodes.slice(5).map(node => node.start()))
    net.setEpochs([old!, next])
    await net.linked()
    const newReplicas = net.replicasOf(mailbox, next)
    await eventually(async () => (await heldAt(newReplicas, mailbox)).every(count => count === 20))
    net.setEpochs([next])
    const leaving = net.replicasOf(mailbox, old).filter(node => !newReplicas.includes(node))
    // Node 0 is in no list any more: nobody answers it, so it keeps what it has.
    const listed = leaving.filter(node => net.nodes.indexOf(node) >= 2)
    await eventually(async () => (await heldAt(listed, mailbox)).every(count => count === 0))
    expect(await heldAt(newReplicas, mailbox)).toEqual([20, 20, 20])
  })

  it('nothing is let go of that the new replicas have not signed for', async () => {
    const [old] = net.epochs
    // The new list names nodes that are not up: nobody can sign.
    const next = net.epochOf(1, [net.nodes[0]!, net.nodes[5]!, net.nodes[6]!])
    const mailbox = net.mailboxWhere(replicas => replicas.includes(net.nodes[0]!))
    const ada = await net.client(net.nodes[0]!)
    await ada.submit(makeEnvelope([mailbox]))
    await eventually(async () => (await heldAt(net.replicasOf(mailbox, old), mailbox)).every(count => count === 1))
    const leaving = net.replicasOf(mailbox, old).filter(node => node !== net.nodes[0])
    net.setEpochs([next])
    await Promise.all(leaving.map(node => node.parts.handover.run()))
    expect((await heldAt(leaving, mailbox)).every(count => count === 1)).toBe(true)
  })

  it('clients are told of the new list, and a device whose replicas changed is sent on', async () => {
    const [old] = net.epochs
    const next = net.epochOf(1, net.nodes.slice(2))
    const bob = await net.device(mailbox => {
      const after = net.replicasOf(mailbox, next)
      return net.replicasOf(mailbox, old).some(node => !after.includes(node) && net.nodes.indexOf(node) >= 2)
    })
    const home = net
      .replicasOf(bob.deviceId, old)
      .find(node => !net.replicasOf(bob.deviceId, next).includes(node) && net.nodes.indexOf(node) >= 2)!
    await net.client(home, bob)
    await bob.attach()
    net.setEpochs([next])
    await bob.ended
    expect(bob.epoch).toBe(1)
    expect(bob.farewell).toBe('not-a-replica')
  })
})
