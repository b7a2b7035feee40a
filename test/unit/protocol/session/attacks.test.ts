/** The attacks that the sketch of the suite refused. Each is refused with its reason. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createRoster, type Roster } from '../../../../protocol/roster/roster.ts'
import { readOpen } from '../../../../protocol/session/accept.ts'
import { decryptMessage } from '../../../../protocol/session/inbound.ts'
import { stepChain } from '../../../../protocol/session/key-schedule.ts'
import { sealFrame } from '../../../../protocol/session/message-cipher.ts'
import { decodeMessagePacket, encodeMessagePacket } from '../../../../protocol/session/message-packet.ts'
import { type OpenContent } from '../../../../protocol/session/open-body.ts'
import { acceptAs, heldKeysOf, openTo, partFor, text, textOf } from './fixtures.ts'
import { forgeOpen, forgePart, weeklyTarget } from './forged-open.ts'
import {
  a1,
  a2,
  accept,
  acceptForged,
  b1,
  b2,
  crypto,
  decrypt,
  env,
  insideOf,
  m1,
  mallory,
  opened,
  packets,
  refused,
  roster,
  setUpAttacks
} from './attack-stage.ts'

beforeAll(setUpAttacks)

describe('the sketch: what must work', () => {
  it('delivers to the other account', async () => {
    const { inbound } = await accept(b1)
    const { frame } = await decrypt(inbound, packets[0]!)
    expect(textOf(frame.content)).toBe('hi')
    expect(frame.sequence).toBe(0)
  })

  it('delivers to an own device', async () => {
    const { inbound } = await accept(a2)
    expect(textOf((await decrypt(inbound, packets[0]!)).frame.content)).toBe('hi')
  })

  it('reads messages out of order', async () => {
    let { inbound } = await accept(b1)
    const words: string[] = []
    for (const packet of [packets[2]!, packets[0]!, packets[1]!]) {
      const decrypted = await decrypt(inbound, packet)
      inbound = decrypted.inbound
      words.push(textOf(decrypted.frame.content))
    }
    expect(words).toEqual(['three', 'hi', 'two'])
    expect(inbound.skipped).toHaveLength(0)
  })
})

describe('the sketch: 14 attacks', () => {
  it('1 a message replayed in order is refused', async () => {
    const { inbound } = await accept(b1)
    const after = await decrypt(inbound, packets[0]!)
    await expect(decrypt(after.inbound, packets[0]!)).rejects.toEqual(refused('REPLAYED'))
  })

  it('2 a message replayed after it was skipped is refused', async () => {
    let { inbound } = await accept(b1)
    inbound = (await decrypt(inbound, packets[2]!)).inbound
    inbound = (await decrypt(inbound, packets[1]!)).inbound
    await expect(decrypt(inbound, packets[1]!)).rejects.toEqual(refused('REPLAYED'))
  })

  it('3 a part for one device is refused by another', async () => {
    const part = partFor(opened, b1.deviceId)
    await expect(acceptAs(env, b2, roster, opened.openBody, part)).rejects.toEqual(refused('NOT_FOR_US'))
    // Even if the second device holds the very same key.
    const shared = heldKeysOf(env, b1)
    await expect(readOpen(env, b2.deviceId, shared, opened.openBody, part)).rejects.toEqual(refused('DECRYPT_FAILED'))
  })

  it('4 a member added by a node is refused', async () => {
    const widened = createRoster(roster.conversationId, 0, [...roster.members, mallory.member()])
    await expect(accept(b1, opened, widened)).rejects.toEqual(refused('ROSTER_MISMATCH'))
  })

  it('5 an Open is refused in another conversation', async () => {
    const other = createRoster(env.random(32) as Roster['conversationId'], 0, roster.members)
    await expect(accept(b1, opened, other)).rejects.toEqual(refused('ROSTER_MISMATCH'))
  })

  it('6 an Open of another epoch is refused', async () => {
    const later = createRoster(roster.conversationId, 2, roster.members)
    await expect(accept(b1, opened, later)).rejects.toEqual(refused('ROSTER_MISMATCH'))
  })

  /** Mallory's name and keys in place of Ada's. */
  const asMallory = (content: OpenContent): OpenContent => ({
    ...content,
    senderKeys: m1.publicKeys,
    context: { ...content.context, senderAccount: m1.accountId, senderDevice: m1.deviceId }
  })

  it('7 unknown key share: a member who signs another sender’s Open as its own is refused by the roster', async () => {
    const { content, secret } = await insideOf(b2)
    const forged = forgeOpen(env, asMallory(content), secret, m1.signingKey)
    await expect(acceptForged(b1, forged)).rejects.toEqual(refused('ROSTER_MISMATCH'))
  })

  it('8 unknown key share with a matching roster: neither the parts nor the session fit the forged body', async () => {
    const group = createRoster(env.random(32) as Roster['conversationId'], 3, [...roster.members, mallory.member()])
    const original = await openTo(env, a1, group, [a2, b1, b2, m1])
    const { content, secret } = await insideOf(m1, original)
    const forged = forgeOpen(env, asMallory(content), secret, m1.signingKey)
    // Ada's own part for Bob, beside Mallory's body.
    await expect(acceptAs(env, b1, group, forged.openBody, partFor(original, b1.deviceId))).rejects.toEqual(
      refused('NOT_FOR_US')
    )
    // A part of Mallory's own: the session id is that of Ada's session.
    await expect(acceptForged(b1, forged, group)).rejects.toEqual(refused('INVALID'))
  })

  it('9 a messaging key that a node swapped is refused before anything is sealed to it', async () => {
    const swapped = { ...b1.bundle, weeklyKey: m1.bundle.weeklyKey }
    const foreign = { ...m1.bundle, deviceId: b1.deviceId }
    for (const bundle of [swapped, foreign]) {
      const result = await openTo(env, a1, roster, [], { bundles: [a2.bundle, b2.bundle, bundle] })
      expect(result.parts.map(part => part.deviceId)).not.toContainEqual(b1.deviceId)
      expect(result.unsealed).toEqual([
        { deviceId: b1.deviceId, error: expect.objectContaining({ name: 'ProtocolError' }) }
      ])
    }
  })

  it('10 equivocation: another secret for one device is refused by the commitment', async () => {
    const { content } = await insideOf(b1)
    const other = env.random(32)
    const part = await forgePart(env, opened.openBody, content, other, a1.signingKey, weeklyTarget(env, b1))
    await expect(acceptAs(env, b1, roster, opened.openBody, part)).rejects.toEqual(refused('DECRYPT_FAILED'))
  })

  it('11 a member who writes in another sender’s session is refused by the session signature', async () => {
    const { inbound } = await accept(b2)
    const own = await crypto.signingKeyFromSeed(env.random(32))
    const { messageKey } = stepChain(crypto, inbound.chainKey.expose())
    const binding = { sessionId: inbound.sessionId, contextHash: inbound.contextHash, counter: 0 }
    const frame = { sequence: 0, predecessor: new Uint8Array(32), content: text('evil') }
    const ciphertext = await sealFrame(env, binding, messageKey, own, frame)
    const packet = encodeMessagePacket({ sessionId: inbound.sessionId, counter: 0, ciphertext })
    await expect(decrypt((await accept(b1)).inbound, packet)).rejects.toEqual(refused('BAD_SIGNATURE'))
  })

  it('12 a ciphertext moved to another counter is refused', async () => {
    const { inbound } = await accept(b2)
    const moved = encodeMessagePacket({ ...decodeMessagePacket(packets[0]!), counter: 7 })
    await expect(decrypt(inbound, moved)).rejects.toEqual(refused('DECRYPT_FAILED'))
  })

  it('13 another spelling of a packet is refused', () => {
    const indefinite = Uint8Array.of(0x9f, ...packets[0]!.slice(1), 0xff)
    expect(() => decodeMessagePacket(indefinite)).toThrow(refused('MALFORMED'))
  })

  it('14 a jump far ahead is refused without a step', async () => {
    const { inbound } = await accept(b1)
    const packet = decodeMessagePacket(packets[0]!)
    await expect(decryptMessage(env, inbound, { ...packet, counter: 100 })).rejects.toEqual(refused('LIMIT_REACHED'))
    expect(
      () =>
        encodeMessagePacket({ ...packet, counter: 1e6 }) &&
        decodeMessagePacket(encodeMessagePacket({ ...packet, counter: 1e6 }))
    ).toThrow(refused('MALFORMED'))
  })
})
