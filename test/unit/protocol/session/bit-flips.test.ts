/** Every single bit of what travels is flipped once: nothing may be accepted, and nothing but our own error thrown. */
import { beforeAll, describe, expect, it } from 'vitest'
import { ProtocolError } from '../../../../protocol/errors.ts'
import type { Roster } from '../../../../protocol/roster/roster.ts'
import { decryptMessage, inboundState, type Inbound } from '../../../../protocol/session/inbound.ts'
import { decodeMessagePacket } from '../../../../protocol/session/message-packet.ts'
import type { OpenedSession } from '../../../../protocol/session/open.ts'
import { encryptMessage } from '../../../../protocol/session/outbound.ts'
import { decodePacket, encodePacket } from '../../../../protocol/session/packet.ts'
import {
  acceptAs,
  createAccount,
  openTo,
  partFor,
  rosterOf,
  testEnvironment,
  text,
  type TestDevice
} from './fixtures.ts'

const env = testEnvironment('flips')
let bob: TestDevice
let roster: Roster
let opened: OpenedSession
let packet: Uint8Array
let inbound: Inbound

beforeAll(async () => {
  const accounts = [await createAccount(env, 1), await createAccount(env, 1)] as const
  bob = accounts[1].devices[0]!
  roster = rosterOf(env, ...accounts)
  opened = await openTo(env, accounts[0].devices[0]!, roster, [bob])
  packet = (await encryptMessage(env, opened.outbound, text('hello'), true)).packet
  inbound = (await acceptAs(env, bob, roster, opened.openBody, partFor(opened, bob.deviceId))).inbound
})

async function acceptedFlips(
  bytes: Uint8Array,
  use: (flipped: Uint8Array) => Promise<unknown>,
  step = 1
): Promise<number[]> {
  const accepted: number[] = []
  for (let bit = 0; bit < bytes.length * 8; bit += step) {
    const flipped = bytes.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    try {
      await use(flipped)
      accepted.push(bit)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
    }
  }
  return accepted
}

// Thousands of decapsulations: seconds on an idle machine.
describe('a flipped bit', { timeout: 180_000 }, () => {
  it('anywhere in the body of an Open is refused', async () => {
    const part = partFor(opened, bob.deviceId)
    await expect(acceptedFlips(opened.openBody, body => acceptAs(env, bob, roster, body, part))).resolves.toEqual([])
  })

  it('anywhere in a device’s part of an Open is refused', async () => {
    const part = partFor(opened, bob.deviceId)
    const flips = acceptedFlips(part, flipped => acceptAs(env, bob, roster, opened.openBody, flipped))
    await expect(flips).resolves.toEqual([])
  })

  it('anywhere in a message packet is refused, and leaves the receive state as it was', async () => {
    const before = inboundState.encode(inbound)
    const flips = acceptedFlips(packet, flipped => decryptMessage(env, inbound, decodeMessagePacket(flipped)))
    await expect(flips).resolves.toEqual([])
    expect(inboundState.encode(inbound)).toEqual(before)
    await expect(decryptMessage(env, inbound, decodeMessagePacket(packet))).resolves.toBeDefined()
  })

  it('anywhere in a whole payload is refused, never a crash', async () => {
    const payload = encodePacket({ kind: 'open', openBody: opened.openBody, messages: [packet] })
    const part = partFor(opened, bob.deviceId)
    const both = async (flipped: Uint8Array) => {
      const decoded = decodePacket(flipped)
      if (decoded.kind !== 'open') throw new ProtocolError('INVALID', 'no open')
      const { inbound } = await acceptAs(env, bob, roster, decoded.openBody, part)
      for (const message of decoded.messages) await decryptMessage(env, inbound, decodeMessagePacket(message))
    }
    // Its parts are flipped bit by bit above; here it is how they are put together that matters.
    await expect(acceptedFlips(payload, both, 23)).resolves.toEqual([])
  })

  it.each(['truncated', 'extended'] as const)('%s bytes are refused as well', async change => {
    const cut = (bytes: Uint8Array, at: number) =>
      change === 'truncated' ? bytes.slice(0, at) : Uint8Array.from([...bytes, ...new Uint8Array(at % 7)])
    const part = partFor(opened, bob.deviceId)
    for (let at = 1; at < packet.length; at += 13) {
      if (change === 'extended' && at % 7 === 0) continue
      const changed = cut(packet, at)
      expect(() => decodeMessagePacket(changed)).toThrow(ProtocolError)
      await expect(acceptAs(env, bob, roster, cut(opened.openBody, at), part)).rejects.toThrow(ProtocolError)
      await expect(acceptAs(env, bob, roster, opened.openBody, cut(part, at))).rejects.toThrow(ProtocolError)
    }
  })
})
