import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../protocol/bytes.ts'
import { custodyLeaf, verifyDeliveryReceipt } from '../../protocol/wire/custody.ts'
import { crypto, eventually, makeEnvelope, network } from '../support/node-network/fixtures.ts'
import { TestNetwork } from '../support/node-network/test-network.ts'

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
    expect(result!.receipts.length).toBeGreaterThanOrEqual(2)
    const leaf = custodyLeaf(result!.id, bob.deviceId, envelope.expiry)
    for (const proof of result!.receipts) {
      expect(await verifyDeliveryReceipt(crypto, network, proof, leaf)).toBe(true)
      expect(replicas.map(node => node.key)).toContain(toHex(proof.receipt.node))
    }
    await eventually(async () => {
      const held = await Promise.all(replicas.map(node => node.parts.store.heldIn(bob.deviceId)))
      return held.every(count => count === 1)
    })
    await net.client(replicas[0]!, bob)
    expect(await bob.attach()).toBe(1)
    await eventually(() => bob.isCaughtUp)
    expect(bob.deliveredIds).toEqual([toHex(result!.id)])
  })
})
