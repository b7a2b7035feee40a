import { afterEach, describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { decodeBundle } from '../../protocol/identity/bundle.ts'
import { messagingKeyHash, type DeviceId } from '../../protocol/identity/device.ts'
import { sealParts } from '../../protocol/session/seal-parts.ts'
import { encodePacket } from '../../protocol/session/packet.ts'
import type { SealKeyId } from '../../protocol/session/seal-key.ts'
import { deliveryIdOf, envelopeIdOf } from '../../protocol/wire/envelope.ts'

import { FakeNetwork } from '../support/network/fake/fake-network.ts'
import { TestPeer } from '../support/peer/test-peer.ts'
import { createAccount, openTo, rosterOf, testEnvironment } from '../unit/protocol/session/fixtures.ts'
import { eventually } from '../support/wait-for.ts'

const running: TestPeer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(peer => peer.engine.stop()))
})

/** An Open of a conversation of strangers, sealed to Bob although he is not in it. */
async function foreignOpen(network: FakeNetwork, deviceId: DeviceId) {
  const { crypto, id } = network
  const env = { ...testEnvironment('foreign'), crypto, network: id, now: () => Date.now() }
  const [mallory, carol] = [await createAccount(env, 1), await createAccount(env, 1)]
  const opened = await openTo(env, mallory.devices[0]!, rosterOf(env, mallory, carol), carol.devices)
  const { weeklyKey, keys } = decodeBundle(network.bundlesOf(toHex(deviceId))[0]!)
  const target = {
    device: { deviceId, signingKey: keys.signingKey, messagingKeyHash: keys.messagingKeyHash },
    keyId: messagingKeyHash(crypto, id, weeklyKey) as SealKeyId,
    publicKey: weeklyKey
  }
  const { delivery, openBody } = opened
  const { parts } = await sealParts(env, mallory.devices[0]!.signingKey, delivery, [target])
  const payload = encodePacket({ kind: 'open', openBody, messages: [] })
  const shared = { version: 1 as const, expiry: Date.now() + 60_000, class: 'contact' as const, payload }
  const { part } = parts[0]!
  const proof = new Uint8Array()
  const deliveryId = deliveryIdOf(crypto, id, envelopeIdOf(crypto, id, shared), { mailbox: deviceId, part, proof })
  return { id: deliveryId, expiry: shared.expiry, class: shared.class, part, proof, payload, storedAt: Date.now() }
}

describe('an Open of a conversation we are not in', () => {
  it('is refused without asking the directory for whom it names', async () => {
    const network = await FakeNetwork.create(1)
    const bob = new TestPeer(network)
    await bob.register('bob')
    running.push(bob)
    const mailbox = fromHex(bob.me.deviceId) as DeviceId
    const delivery = await foreignOpen(network, mailbox)
    await eventually(async () => (await bob.engine.snapshot()).status.caughtUp, 'idle')
    let asked = 0
    network.tamper = frame => {
      if (frame.kind === 'error' && frame.code === 'not-found') asked++
      return frame
    }
    network.push(mailbox, delivery)
    await eventually(() => bob.engine.counts.refused > 0, 'refused')
    expect(asked).toBe(0)
    expect(bob.engine.counts.parked).toBe(0)
  })
})
