/** The chain of one session: any order, once, bounded, and keys that are gone when they should be. */
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Roster } from '../../../../protocol/roster/roster.ts'
import {
  decryptMessage,
  eraseInbound,
  inboundExpiry,
  inboundState,
  isInboundFinished,
  releaseInbound,
  SUPERSEDED_GRACE_MS,
  supersedeInbound,
  type Inbound
} from '../../../../protocol/session/inbound.ts'
import { firstPredecessor, messageHash } from '../../../../protocol/session/message-hash.ts'
import {
  decodeMessageFrame,
  decodeMessagePacket,
  encodeMessageFrame,
  MAX_CONTENT_BYTES
} from '../../../../protocol/session/message-packet.ts'
import type { OpenedSession } from '../../../../protocol/session/open.ts'
import {
  encryptAgain,
  encryptMessage,
  outboundState,
  releaseOutbound,
  renewalReason,
  type Outbound
} from '../../../../protocol/session/outbound.ts'
import { decodePacket, encodePacket } from '../../../../protocol/session/packet.ts'
import { PADDING_BUCKETS, padToBucket, padToMultiple, unpad } from '../../../../protocol/session/padding.ts'
import {
  acceptAs,
  createAccount,
  openTo,
  partFor,
  rosterOf,
  testEnvironment,
  text,
  textOf,
  type TestDevice
} from './fixtures.ts'

const env = testEnvironment('messages')
const refused = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })
const DAY_MS = 86_400_000

let ada: TestDevice
let bob: TestDevice
let roster: Roster
let opened: OpenedSession
let fresh: Inbound
const COUNT = 12
let packets: Uint8Array[]
let outbound: Outbound

beforeAll(async () => {
  const accounts = [await createAccount(env, 1), await createAccount(env, 1)] as const
  ada = accounts[0].devices[0]!
  bob = accounts[1].devices[0]!
  roster = rosterOf(env, ...accounts)
  opened = await openTo(env, ada, roster, [bob], { limits: { maxMessages: COUNT, maxAgeMs: DAY_MS } })
  fresh = (await acceptAs(env, bob, roster, opened.openBody, partFor(opened, bob.deviceId))).inbound
  outbound = opened.outbound
  packets = []
  for (let i = 0; i < COUNT; i++) {
    const sent = await encryptMessage(env, outbound, text(`m${i}`), true)
    outbound = sent.outbound
    packets.push(sent.packet)
  }
})

const decrypt = (inbound: Inbound, packet: Uint8Array) => decryptMessage(env, inbound, decodeMessagePacket(packet))

describe('messages of a session', () => {
  it('are read once each, in any permutation, with any loss and repetition, and a restart at every step', async () => {
    const arrivals = fc.array(fc.nat(COUNT - 1), { maxLength: 3 * COUNT })
    await fc.assert(
      fc.asyncProperty(arrivals, async order => {
        let inbound = inboundState.decode(inboundState.encode(fresh))
        const read = new Set<number>()
        for (const index of order) {
          if (read.has(index)) {
            await expect(decrypt(inbound, packets[index]!)).rejects.toEqual(refused('REPLAYED'))
            continue
          }
          const { inbound: next, frame } = await decrypt(inbound, packets[index]!)
          expect(textOf(frame.content)).toBe(`m${index}`)
          expect(frame.sequence).toBe(index)
          read.add(index)
          inbound = inboundState.decode(inboundState.encode(next))
          const highest = Math.max(...read)
          expect(inbound.next).toBe(highest + 1)
          expect(inbound.skipped).toHaveLength(highest + 1 - read.size)
        }
      }),
      { numRuns: 60 }
    )
  })

  it('are linked by the hash of their predecessors', async () => {
    const sender = { conversationId: roster.conversationId, deviceId: ada.deviceId }
    let inbound = fresh
    let predecessor = firstPredecessor(env.crypto, env.network, sender)
    for (const [sequence, packet] of packets.entries()) {
      const decrypted = await decrypt(inbound, packet)
      inbound = decrypted.inbound
      expect(decrypted.frame.predecessor).toEqual(predecessor)
      const { content } = decrypted.frame
      predecessor = messageHash(env.crypto, env.network, sender, sequence, predecessor, content)
    }
    expect(outbound.predecessor).toEqual(predecessor)
  })

  it('leave the old state untouched when they are refused', async () => {
    const before = inboundState.encode(fresh)
    const broken = decodeMessagePacket(packets[5]!)
    broken.ciphertext[40]! ^= 1
    await expect(decryptMessage(env, fresh, broken)).rejects.toEqual(refused('DECRYPT_FAILED'))
    expect(inboundState.encode(fresh)).toEqual(before)
    expect(textOf((await decrypt(fresh, packets[5]!)).frame.content)).toBe('m5')
  })

  it('of another session are not ours', async () => {
    const packet = decodeMessagePacket(packets[0]!)
    const foreign = { ...packet, sessionId: env.random(16) as typeof packet.sessionId }
    await expect(decryptMessage(env, fresh, foreign)).rejects.toEqual(refused('NOT_FOR_US'))
  })

  it('are refused once the last envelope of their session has expired', async () => {
    const later = { ...env, now: () => inboundExpiry(fresh) + 1 }
    await expect(decryptMessage(later, fresh, decodeMessagePacket(packets[0]!))).rejects.toEqual(refused('EXPIRED'))
    const atLast = { ...env, now: () => inboundExpiry(fresh) }
    await expect(decryptMessage(atLast, fresh, decodeMessagePacket(packets[0]!))).resolves.toBeDefined()
  })

  it('end with the session’s count', async () => {
    await expect(encryptMessage(env, outbound, text('one more'), true)).rejects.toEqual(refused('LIMIT_REACHED'))
  })

  it('end with the session’s age', async () => {
    const later = { ...env, now: () => env.now() + DAY_MS }
    await expect(encryptMessage(later, opened.outbound, text('late'), true)).rejects.toEqual(refused('LIMIT_REACHED'))
  })

  it('outside the sequence take no place in it', async () => {
    const receipt = await encryptMessage(env, opened.outbound, text('receipt'), false)
    expect(receipt.sequence).toBeNull()
    expect(receipt.outbound.nextSequence).toBe(0)
    const { frame } = await decrypt(fresh, receipt.packet)
    expect(frame).toMatchObject({ sequence: null, predecessor: null })
  })

  it('are sent again with their original place', async () => {
    const first = await encryptMessage(env, opened.outbound, text('first'), true)
    const sent = { sequence: 0, predecessor: first.predecessor!, content: text('first') }
    const again = await encryptAgain(env, first.outbound, sent)
    expect(again.outbound.nextSequence).toBe(1)
    const { frame } = await decrypt(fresh, again.packet)
    expect(frame).toMatchObject({ sequence: 0, predecessor: first.predecessor, content: text('first') })
    await expect(encryptAgain(env, first.outbound, { ...sent, sequence: 1 })).rejects.toEqual(refused('INVALID'))
  })

  it('need an open session', async () => {
    const { session: _, ...rest } = opened.outbound
    await expect(encryptMessage(env, { ...rest, session: null }, text('x'), true)).rejects.toEqual(
      refused('LIMIT_REACHED')
    )
  })

  it('of equal bucket have equal length, whatever they say', async () => {
    const lengths = new Set<number>()
    for (const length of [1, 50, 150]) {
      lengths.add((await encryptMessage(env, opened.outbound, new Uint8Array(length), true)).packet.length)
    }
    expect(lengths.size).toBe(1)
  })

  it('of the largest size fit a payload together with an Open, and one byte more is refused', async () => {
    const { packet } = await encryptMessage(env, opened.outbound, new Uint8Array(MAX_CONTENT_BYTES).fill(1), true)
    const payload = encodePacket({ kind: 'open', openBody: opened.openBody, messages: [packet] })
    expect(payload.length).toBeLessThanOrEqual(64 * 1024)
    expect(decodePacket(payload)).toEqual({ kind: 'open', openBody: opened.openBody, messages: [packet] })
    expect(() => encodePacket({ kind: 'messages', messages: [packet, packet] })).toThrow(refused('TOO_LARGE'))
    await expect(encryptMessage(env, opened.outbound, new Uint8Array(MAX_CONTENT_BYTES + 64), true)).rejects.toEqual(
      refused('TOO_LARGE')
    )
  })
})

describe('keys', () => {
  it('that were used are in no state any more', async () => {
    const { inbound: ahead } = await decrypt(fresh, packets[3]!)
    const skipped = ahead.skipped
      .find(({ counter }) => counter === 1)!
      .key.expose()
      .slice()
    const { inbound: after } = await decrypt(ahead, packets[1]!)
    const bytes = Buffer.from(inboundState.encode(after))
    expect(bytes.includes(Buffer.from(skipped))).toBe(false)
    expect(bytes.includes(Buffer.from(fresh.chainKey.expose()))).toBe(false)
  })

  it('of the state before are wiped on release, those still needed are not', async () => {
    const start = inboundState.decode(inboundState.encode(fresh))
    const { inbound: ahead } = await decrypt(start, packets[3]!)
    releaseInbound(start, ahead)
    expect(start.chainKey.expose()).toEqual(new Uint8Array(32))
    const { inbound: after } = await decrypt(ahead, packets[1]!)
    const used = ahead.skipped.find(({ counter }) => counter === 1)!
    releaseInbound(ahead, after)
    expect(used.key.expose()).toEqual(new Uint8Array(32))
    expect(textOf((await decrypt(after, packets[0]!)).frame.content)).toBe('m0')
    expect(textOf((await decrypt(after, packets[4]!)).frame.content)).toBe('m4')
    eraseInbound(after)
    expect(after.chainKey.expose()).toEqual(new Uint8Array(32))
    expect(after.skipped.every(({ key }) => key.expose().every(byte => byte === 0))).toBe(true)
  })

  it('of sending are wiped on release', async () => {
    const start = outboundState.decode(outboundState.encode(opened.outbound))
    const { outbound: after } = await encryptMessage(env, start, text('x'), true)
    const { chainKey, sessionSeed } = start.session!
    releaseOutbound(start, after)
    expect(chainKey.expose()).toEqual(new Uint8Array(32))
    expect(sessionSeed).toBe(after.session!.sessionSeed)
    const renewed = await openTo(env, ada, roster, [bob], { outbound: after })
    releaseOutbound(after, renewed.outbound)
    expect(sessionSeed.expose()).toEqual(new Uint8Array(32))
  })

  it('from a refused message are not kept', async () => {
    const start = inboundState.decode(inboundState.encode(fresh))
    const broken = decodeMessagePacket(packets[5]!)
    broken.ciphertext[0]! ^= 1
    await expect(decryptMessage(env, start, broken)).rejects.toThrow()
    expect(start.skipped).toEqual([])
    expect(start.chainKey.equals(fresh.chainKey)).toBe(true)
  })
})

describe('the end of a receive state', () => {
  it('comes when every message was read', async () => {
    let inbound = fresh
    for (const packet of packets) {
      expect(isInboundFinished(inbound, false, env.now())).toBe(false)
      inbound = (await decrypt(inbound, packet)).inbound
    }
    expect(isInboundFinished(inbound, false, env.now())).toBe(true)
  })

  it('comes after a newer session, but not while something is missing', () => {
    const newer = { ...fresh, keyIndex: fresh.keyIndex + 1, sessionId: env.random(16) as Inbound['sessionId'] }
    const [superseded] = supersedeInbound([fresh, newer], newer, env.now())
    expect(superseded).toEqual({ ...fresh, supersededAt: env.now() })
    const then = env.now() + SUPERSEDED_GRACE_MS
    expect(isInboundFinished(superseded!, true, then)).toBe(false)
    expect(isInboundFinished(superseded!, false, then - 1)).toBe(false)
    expect(isInboundFinished(superseded!, false, then)).toBe(true)
    expect(supersedeInbound([newer], fresh, then)).toEqual([])
    const stranger = { ...newer, senderDevice: bob.deviceId }
    expect(supersedeInbound([fresh], stranger, then)).toEqual([])
  })

  it('comes when its last envelope has expired, whatever is missing', () => {
    expect(isInboundFinished(fresh, true, inboundExpiry(fresh))).toBe(false)
    expect(isInboundFinished(fresh, true, inboundExpiry(fresh) + 1)).toBe(true)
  })
})

describe('renewal', () => {
  const hash = () => opened.outbound.session!.rosterHash

  it('is due first, by count, by age and by roster, and not before', () => {
    const start = opened.outbound
    expect(renewalReason({ ...start, session: null }, hash(), env.now())).toBe('first')
    expect(renewalReason(start, hash(), env.now())).toBeUndefined()
    expect(renewalReason(start, env.random(32), env.now())).toBe('roster')
    expect(renewalReason(start, hash(), env.now() + DAY_MS - 1)).toBeUndefined()
    expect(renewalReason(start, hash(), env.now() + DAY_MS)).toBe('age')
    expect(renewalReason(outbound, hash(), env.now())).toBe('count')
  })

  it('keeps the sequence and its hashes running across sessions', async () => {
    const renewed = await openTo(env, ada, roster, [bob], { outbound })
    expect(renewed.outbound.nextSequence).toBe(COUNT)
    const { inbound, context, since } = await acceptAs(
      env,
      bob,
      roster,
      renewed.openBody,
      partFor(renewed, bob.deviceId)
    )
    expect(context.firstSequence).toBe(COUNT)
    expect(since).toBe(0)
    const next = await encryptMessage(env, renewed.outbound, text('next'), true)
    const { frame } = await decrypt(inbound, next.packet)
    expect(frame.sequence).toBe(COUNT)
    expect(frame.predecessor).toEqual(outbound.predecessor)
  })
})

describe('bytes', () => {
  it('of states come back as they were, and of other versions are refused', () => {
    const bytes = outboundState.encode(outbound)
    expect(outboundState.decode(bytes)).toEqual(outbound)
    expect(outboundState.encode(outboundState.decode(bytes))).toEqual(bytes)
    expect(inboundState.decode(inboundState.encode(fresh))).toEqual(fresh)
    const other = outboundState.encode(outbound)
    other[1] = 2
    expect(() => outboundState.decode(other)).toThrow(refused('MALFORMED'))
    expect(() => inboundState.decode(outboundState.encode(outbound))).toThrow(refused('MALFORMED'))
  })

  it('of a frame have sequence and predecessor together or not at all', () => {
    const content = text('x')
    for (const frame of [
      { sequence: 1, predecessor: null, content },
      { sequence: null, predecessor: new Uint8Array(32), content }
    ]) {
      expect(() => decodeMessageFrame(encodeMessageFrame(frame))).toThrow(refused('MALFORMED'))
    }
  })

  it('of padding come off again, for every length and content', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), content => {
        const padded = padToBucket(content)
        expect(PADDING_BUCKETS).toContain(padded.length)
        expect(unpad(padded)).toEqual(content)
        expect(unpad(padToMultiple(content, 64))).toEqual(content)
        expect(padToMultiple(content, 64).length % 64).toBe(0)
      })
    )
    expect(() => unpad(new Uint8Array(256))).toThrow(refused('MALFORMED'))
    expect(() => unpad(new Uint8Array(0))).toThrow(refused('MALFORMED'))
  })

  it('of payloads are bounded and need a message or an Open', () => {
    expect(() => decodePacket(encodePacket({ kind: 'messages', messages: [] }))).toThrow(refused('MALFORMED'))
    expect(() => decodePacket(Uint8Array.of(0x82, 0x17, 0x80))).toThrow(refused('UNSUPPORTED_VERSION'))
    expect(() => decodePacket(new Uint8Array(64 * 1024 + 1))).toThrow(refused('TOO_LARGE'))
  })
})
