import { expect, describe, test } from 'vitest'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import { fromHex, toHex } from '../../../../protocol/bytes.ts'
import { MAX_INVITE_LIFE_MS } from '../../../../protocol/invite/invite-limits.ts'
import {
  formatInviteAddress,
  formatInviteCode,
  inviteHashOf,
  inviteProof,
  parseInviteAddress,
  parseInviteCode,
  type InviteToken
} from '../../../../protocol/invite/invite-link.ts'
import { decodeInviteStatement, signInvite, verifyInvite } from '../../../../protocol/invite/invite-statement.ts'
import type { NetworkId } from '../../../../protocol/network.ts'

const crypto = createNodeCrypto()
const network = new Uint8Array(32).fill(1) as NetworkId
const token = new Uint8Array(32).fill(2) as InviteToken
const inviter = new Uint8Array(32).fill(3) as AccountId
const invited = new Uint8Array(32).fill(4) as AccountId
const code = formatInviteCode(network, { token, inviter, username: 'ada' as never, displayName: 'Ada' })

describe('the address of an invitation', () => {
  test('has fixed bytes, and comes back as it was', () => {
    expect(code).toBe(
      'hgFIAQEBAQEBAQFYIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICWCADAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA2NhZGFjQWRh'
    )
    const address = formatInviteAddress('https://volo.example', code)
    expect(parseInviteAddress(` ${address}\n`)).toEqual({ origin: 'https://volo.example', code })
    expect(parseInviteCode(network, code)).toMatchObject({ token, inviter, username: 'ada', displayName: 'Ada' })
  })

  test('keeps everything in its fragment', () => {
    const url = new URL(formatInviteAddress('https://volo.example', code))
    expect(url.pathname + url.search).toBe('/')
  })

  test.each([
    '',
    'https://volo.example/',
    'javascript:alert(1)/#/i/AAAA',
    'https://volo.example/path/#/i/AAAA',
    `https://volo.example/#/link/${code}`,
    `https://volo.example/#/i/${code}`.padEnd(3_000, 'A')
  ])('is refused as %j', address => {
    const read = (): unknown => {
      const { code: found } = parseInviteAddress(address)
      return parseInviteCode(network, found)
    }
    expect(read).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
  })

  test('is refused where a part is missing, and told apart where it is of another network', () => {
    expect(() => parseInviteCode(network, code.slice(0, -4))).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
    const other = new Uint8Array(32).fill(9) as NetworkId
    expect(() => parseInviteCode(other, code)).toThrow(expect.objectContaining({ code: 'NOT_FOR_US' }))
  })

  test('carries no name that poses as something else', () => {
    const hostile = formatInviteCode(network, {
      token,
      inviter,
      username: 'not a name' as never,
      displayName: 'Bob\u202Egnp'
    })
    expect(parseInviteCode(network, hostile)).toMatchObject({ username: '', displayName: '' })
  })
})

test('nodes know the hash of a token, which has fixed bytes', () => {
  expect(toHex(inviteHashOf(crypto, network, token))).toBe(
    '6a880af4b4566a82207bec2ec6e484eb05588f754b4f9a52f2e8ec990ed406e1'
  )
})

test('a proof is of one token and one pair', () => {
  const proof = toHex(inviteProof(crypto, network, token, { inviter, invited }))
  expect(proof).toBe('4f121d6efc15e70aa1dc0868f3470a9ac9345b4d63e2229cd7348853689cd8f0')
  expect(toHex(inviteProof(crypto, network, token, { inviter: invited, invited: inviter }))).not.toBe(proof)
  const other = new Uint8Array(32).fill(5) as InviteToken
  expect(toHex(inviteProof(crypto, network, other, { inviter, invited }))).not.toBe(proof)
})

describe('the statement about an invitation', () => {
  const unsigned = {
    account: inviter,
    device: new Uint8Array(16).fill(6) as DeviceId,
    hash: inviteHashOf(crypto, network, token),
    createdAt: 1_000,
    expiresAt: 2_000,
    uses: 3,
    revoked: false
  }

  test('is of the device that signed it; whoever changes it is noticed', async () => {
    const key = await crypto.signingKeyFromSeed(new Uint8Array(32).fill(7))
    const signed = decodeInviteStatement(await signInvite(network, key, unsigned))
    await verifyInvite(crypto, network, key.publicKey, signed)
    for (const change of [
      { uses: 4 },
      { revoked: true },
      { expiresAt: 2_001 },
      { account: invited },
      { createdAt: 1 }
    ]) {
      const forged = verifyInvite(crypto, network, key.publicKey, { ...signed, ...change })
      await expect(forged).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
    }
  })

  test.each([{ uses: 0 }, { uses: 101 }, { expiresAt: 1_000 }, { expiresAt: 1_001 + MAX_INVITE_LIFE_MS }])(
    'with %j is refused',
    async change => {
      const key = await crypto.signingKeyFromSeed(new Uint8Array(32).fill(7))
      const encoded = await signInvite(network, key, { ...unsigned, ...change })
      expect(() => decodeInviteStatement(encoded)).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
    }
  )

  test('of random bytes is refused', () => {
    expect(() => decodeInviteStatement(fromHex('ff'.repeat(40)))).toThrow(
      expect.objectContaining({ name: 'ProtocolError' })
    )
  })
})
