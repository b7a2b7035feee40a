import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { NodeLinks } from '../../../node/network/node-links.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import { verifyRefusal } from '../../../protocol/wire/custody.ts'
import { signMailboxToken } from '../../../protocol/wire/delivery-token.ts'
import type { DeliveryId } from '../../../protocol/wire/envelope.ts'
import { crypto, HOUR_MS, makeEnvelope, network, random } from '../../support/network/in-process/fixtures.ts'
import type { TestClient } from '../../support/network/in-process/test-client.ts'
import { TestNetwork, type TestNode } from '../../support/network/in-process/test-network.ts'
import { eventually } from '../../support/wait-for.ts'

const LIMIT = 20
const mailboxLimits = {
  envelopes: { contact: LIMIT, request: 10, system: 10 },
  bytes: { contact: 1e6, request: 1e6, system: 1e6 },
  originShare: 1
}

const classesAt = async (node: TestNode, mailbox: DeviceId): Promise<string[]> => {
  const { page } = await node.parts.store.states(mailbox, null, 1000)
  return page.map(([, entry]) => (entry.state === 'held' ? entry.class : entry.state))
}

const tokenAt = async (node: TestNode, { deviceId }: TestClient): Promise<number | undefined> =>
  (await node.parts.mailboxTokens.of(deviceId))?.revision

describe('with a delivery token', () => {
  let net: TestNetwork
  let bob: TestClient
  let ada: TestClient
  beforeAll(async () => {
    net = await TestNetwork.start(3, { mailboxLimits })
    bob = await net.client(net.nodes[0]!)
    ada = await net.client(net.nodes[1]!)
    await bob.publishToken()
    await eventually(async () => (await Promise.all(net.nodes.map(node => tokenAt(node, bob)))).every(r => r === 1))
  })
  afterAll(() => net.stop())

  const submit = async (client: TestClient, options: Parameters<typeof makeEnvelope>[1] = {}) =>
    (await client.submit(makeEnvelope([bob.deviceId], options)))[0]!

  it('nine strangers that claim to be contacts cannot push out what a contact sent', async () => {
    const sent: DeliveryId[] = []
    for (let i = 0; i < LIMIT; i++) {
      const result = await submit(ada, { token: bob.token, expiry: Date.now() + HOUR_MS })
      expect(result.state).toBe('stored')
      sent.push(result.id)
    }
    const later = { expiry: Date.now() + 20 * HOUR_MS }
    const strangers = await Promise.all(Array.from({ length: 9 }, (_, i) => net.client(net.nodes[i % 3]!)))
    await Promise.all(
      strangers.map(async stranger => {
        for (let i = 0; i < LIMIT; i++) await submit(stranger, i % 2 ? later : { ...later, token: random(32) })
      })
    )
    for (const node of net.nodes) {
      const entries = await node.parts.store.entries(sent.map(id => ({ mailbox: bob.deviceId, id })))
      expect(entries.filter(entry => entry?.state === 'held')).toHaveLength(LIMIT)
      const classes = await classesAt(node, bob.deviceId)
      expect(classes.filter(kind => kind === 'contact')).toHaveLength(LIMIT)
      expect(classes.filter(kind => kind === 'request').length).toBeLessThanOrEqual(10)
    }
  })

  it('a wrong proof is refused by the replicas, signed', async () => {
    const result = await submit(ada, { token: random(32) })
    expect(result).toMatchObject({ state: 'refused', refusal: { reason: 'proof' } })
    expect(await verifyRefusal(crypto, network, result.refusal!)).toBe(true)
  })

  it('a new revision takes it from whoever has the old one, and the old one does not come back', async () => {
    const next = random(32)
    await bob.publishToken(2, next)
    await eventually(async () => (await Promise.all(net.nodes.map(node => tokenAt(node, bob)))).every(r => r === 2))
    await bob.publishToken(1)
    expect(await Promise.all(net.nodes.map(node => tokenAt(node, bob)))).toEqual([2, 2, 2])
    const expiry = Date.now() + 25 * HOUR_MS
    expect(await submit(ada, { token: bob.token, expiry })).toMatchObject({ refusal: { reason: 'proof' } })
    expect((await submit(ada, { token: next, expiry })).state).toBe('stored')
  })

  it('only the device itself sets it, and only if the directory knows the device', async () => {
    const mine = { keys: ada.keys, revision: 9, token: random(32) }
    const forged = { ...(await signMailboxToken(crypto, network, ada.key, mine)), keys: bob.keys }
    await expect(ada.request({ kind: 'publishToken', token: forged })).rejects.toMatchObject({ code: 'refused' })
    const foreign = await signMailboxToken(crypto, network, ada.key, mine)
    await expect(bob.request({ kind: 'publishToken', token: foreign })).rejects.toMatchObject({ code: 'refused' })
    const unknown = await crypto.signingKeyFromSeed(random(32))
    const keys = { signingKey: unknown.publicKey, messagingKeyHash: random(32) }
    const planted = await signMailboxToken(crypto, network, unknown, { keys, revision: 1, token: random(32) })
    const [one, other] = net.nodes
    for (const token of [forged, planted]) {
      const asked = one!.parts.links.request<'putToken'>(other!.listed.key, { kind: 'putToken', token })
      await expect(asked).rejects.toMatchObject({ code: token === forged ? 'refused' : 'busy' })
    }
  })
})

describe('a replica that was away while the token was handed out', () => {
  it('learns it with what it missed, also where a replica does not answer at first, and keeps it over a restart', async () => {
    const net = await TestNetwork.start(3, { mailboxLimits })
    try {
      // What comes before the token counts as a request, and as a contact's once the token is there.
      const [home, , away] = net.nodes
      const bob = await net.client(home!)
      const ada = await net.client(home!)
      await away!.stop()
      await bob.publishToken()
      const [result] = await ada.submit(makeEnvelope([bob.deviceId], { token: bob.token }))
      expect(result!.state).toBe('stored')
      const request = NodeLinks.prototype.request
      let silent = 3
      vi.spyOn(NodeLinks.prototype, 'request').mockImplementation(function (this: NodeLinks, key, frame, timeoutMs) {
        if (frame.kind === 'getToken' && silent-- > 0) return Promise.reject(new Error('no answer in time'))
        return request.call(this, key, frame, timeoutMs)
      })
      await away!.start()
      await net.linked()
      await eventually(async () => {
        await away!.parts.repair.compareWith(home!.listed)
        return (await classesAt(away!, bob.deviceId)).join() === 'contact'
      })
      await away!.stop()
      await away!.start()
      expect(await tokenAt(away!, bob)).toBe(1)
      expect(silent).toBeLessThan(0)
    } finally {
      vi.restoreAllMocks()
      await net.stop()
    }
  })
})

describe('replicas of the next epoch', () => {
  it('get the tokens while both lists are in force, of mailboxes that hold nothing too', async () => {
    const net = await TestNetwork.start(6, { mailboxLimits, listed: 3 })
    try {
      const bob = await net.client(net.nodes[0]!)
      await bob.publishToken()
      const later = net.nodes.slice(3)
      const next = net.epochOf(1, later)
      net.epochs = [net.epochs[0]!, next]
      await Promise.all(later.map(node => node.start()))
      net.setEpochs(net.epochs)
      await net.linked()
      await eventually(async () => {
        await Promise.all(net.nodes.slice(0, 3).map(node => node.parts.handover.run()))
        return (await Promise.all(later.map(node => tokenAt(node, bob)))).every(revision => revision === 1)
      })
    } finally {
      await net.stop()
    }
  })
})
