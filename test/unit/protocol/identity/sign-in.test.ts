import { describe, expect, it } from 'vitest'
import {
  decodeAttestation,
  deviceKeyHash,
  encodeAttestation,
  signAttestation,
  subjectCommitment,
  verifyAttestation
} from '../../../../protocol/identity/attestation.ts'
import { signInNonce } from '../../../../protocol/identity/sign-in-binding.ts'
import type { AccountId } from '../../../../protocol/identity/device.ts'
import { labelledHash } from '../../../../protocol/labels.ts'
import { bytesOf, castDevice, castKey, crypto, network, otherNetwork } from '../../../support/directory/cast.ts'

const { keys } = await castDevice('ada1')
const nodeKey = await castKey('node')
const attestation = await signAttestation(network, nodeKey, {
  provider: 'demo',
  subjectCommitment: subjectCommitment(crypto, network, bytesOf('salt'), 'demo', 'user 1'),
  accountId: bytesOf('account') as AccountId,
  deviceKeyHash: deviceKeyHash(crypto, network, keys),
  time: 1
})

describe('an attestation', () => {
  it('is the word of the node that it names', async () => {
    await verifyAttestation(crypto, network, decodeAttestation(encodeAttestation(attestation)))
  })

  it('does not hold with any part changed', async () => {
    const changes = [
      { provider: 'google' },
      { subjectCommitment: bytesOf('x') },
      { accountId: bytesOf('x') as AccountId },
      { deviceKeyHash: bytesOf('x') },
      { time: 2 },
      { nodeKey: (await castKey('other')).publicKey }
    ]
    for (const change of changes) {
      await expect(verifyAttestation(crypto, network, { ...attestation, ...change })).rejects.toMatchObject({
        code: 'BAD_SIGNATURE'
      })
    }
    await expect(verifyAttestation(crypto, otherNetwork, attestation)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
  })

  it('hides who the subject is unless the salt is shown', () => {
    const commit = (salt: string, provider: string, subject: string): string =>
      subjectCommitment(crypto, network, bytesOf(salt), provider, subject).join()
    const all = [commit('a', 'demo', '1'), commit('b', 'demo', '1'), commit('a', 'x', '1'), commit('a', 'demo', '2')]
    expect(new Set(all).size).toBe(4)
  })

  it('has bounded bytes', () => expect(() => decodeAttestation(new Uint8Array(600))).toThrow('at most'))
})

describe('the nonce of a sign-in', () => {
  it('is base64url of the hash that binds device keys and node', () => {
    const nonce = signInNonce(crypto, network, keys, bytesOf('server'), bytesOf('random'))
    const { signingKey, messagingKeyHash } = keys
    const hash = labelledHash(
      crypto,
      'sign-in-binding',
      network,
      signingKey,
      messagingKeyHash,
      bytesOf('server'),
      bytesOf('random')
    )
    expect(nonce).toBe(Buffer.from(hash).toString('base64url'))
    expect(nonce).toHaveLength(43)
  })
})
