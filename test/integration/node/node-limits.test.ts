import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NodeError } from '../../../node/errors.ts'
import { toHex } from '../../../protocol/bytes.ts'
import { verifyRefusal } from '../../../protocol/wire/custody.ts'
import { MAX_PROOF_BYTES, type NodeFrameOf } from '../../../protocol/wire/peer-frames.ts'
import { crypto, makeEnvelope, network, random } from '../../support/network/in-process/fixtures.ts'
import { eventually } from '../../support/wait-for.ts'
import { TestNetwork } from '../../support/network/in-process/test-network.ts'

let net: TestNetwork
beforeAll(async () => {
  net = await TestNetwork.start(1)
})
afterAll(() => net.stop())

describe('an account proof', () => {
  it('too large for a frame is refused, and the connection goes on', async () => {
    const [node] = net.nodes
    const proof = { bytes: random(MAX_PROOF_BYTES + 1) }
    node!.directory.accountProof = async (_accountId?: Uint8Array, maxBytes?: number) => {
      if (proof.bytes.length > maxBytes!) throw new NodeError('too-large', 'the proof is too large')
      return proof.bytes
    }
    const ada = await net.client(node!)
    const ask = () => ada.request({ kind: 'account', accountId: ada.accountId })
    await expect(ask()).rejects.toMatchObject({ code: 'too-large' })
    expect((await ada.request({ kind: 'ping' })).kind).toBe('pong')
    proof.bytes = random(MAX_PROOF_BYTES)
    expect(((await ask()) as NodeFrameOf<'account'>).proof).toEqual(proof.bytes)
  })
})

describe("a device that floods a mailbox with what it calls a contact's messages", () => {
  it('is refused by name and signature, while others send and receive as before', async () => {
    const limits = { requestsPerSecond: 100, requestBurst: 60 }
    const small = await TestNetwork.start(1, { limits })
    try {
      const [node] = small.nodes
      const [eve, ada, bob] = [await small.client(node!), await small.client(node!), await small.client(node!)]
      await bob.attach()
      const answers = await Promise.allSettled(
        Array.from({ length: 600 }, () => eve.submit(makeEnvelope([bob.deviceId])))
      )
      const flood = answers.filter(({ status }) => status === 'fulfilled')
      expect(flood.length).toBeLessThan(200)
      const reasons = answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason.code as string] : []))
      expect(new Set(reasons)).toEqual(new Set(['rate-limited']))
      // All the while, somebody else writes to the same person.
      let flooding = true
      const more = (async () => {
        while (flooding) await eve.submit(makeEnvelope([bob.deviceId])).catch(() => undefined)
      })()
      for (let i = 0; i < 20; i++) {
        const [result] = await ada.submit(makeEnvelope([bob.deviceId]))
        expect(result!.state).toBe('stored')
        await eventually(() => bob.deliveredIds.includes(toHex(result!.id)), 'a delivery')
      }
      flooding = false
      await more
    } finally {
      await small.stop()
    }
  })

  it('gets its share of that mailbox, then signed refusals; other mailboxes stay open to it', async () => {
    let taken = 0
    const small = await TestNetwork.start(1, { limits: { requestsPerSecond: 20, requestBurst: 40 } })
    try {
      const [node] = small.nodes
      const [eve, victim] = [await small.device(), await small.device()]
      const { quotas } = node!.parts
      while (quotas.allowsMailbox(eve.accountId, victim.deviceId)) taken += 1
      expect(taken).toBeGreaterThanOrEqual(200)
      await small.client(node!, eve)
      const [refused, other] = await eve.submit(makeEnvelope([victim.deviceId, (await small.device()).deviceId]))
      expect(refused).toMatchObject({ state: 'refused', refusal: { reason: 'rate-limited' } })
      expect(await verifyRefusal(crypto, network, refused!.refusal!)).toBe(true)
      expect(other!.state).toBe('stored')
      const ada = await small.client(node!)
      expect((await ada.submit(makeEnvelope([victim.deviceId])))[0]!.state).toBe('stored')
    } finally {
      await small.stop()
    }
  })
})
