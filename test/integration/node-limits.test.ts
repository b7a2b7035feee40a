import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NodeError } from '../../node/errors.ts'
import { MAX_PROOF_BYTES, type NodeFrameOf } from '../../protocol/wire/peer-frames.ts'
import { random } from '../support/node-network/fixtures.ts'
import { TestNetwork } from '../support/node-network/test-network.ts'

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
