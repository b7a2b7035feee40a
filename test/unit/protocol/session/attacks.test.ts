/** The attacks that the sketch of the suite refused, and those that its review found. Each is refused with its reason. */
import { beforeAll, describe, expect, it } from 'vitest'
import { equalBytes } from '../../../../protocol/bytes.ts'
import { createRoster, findRosterDevice, rosterHash, type Roster } from '../../../../protocol/roster/roster.ts'
import { hpkeOpen, hpkeSeal } from '../../../../protocol/crypto/hpke.ts'
import { acceptOpen, readOpen, type AcceptedOpen } from '../../../../protocol/session/accept.ts'
import { emptyOwnKeys, heldConversationKeys, renewOwnKey } from '../../../../protocol/session/conversation-keys.ts'
import { decryptMessage, inboundExpiry, type Inbound } from '../../../../protocol/session/inbound.ts'
import { stepChain } from '../../../../protocol/session/key-schedule.ts'
import { sealFrame } from '../../../../protocol/session/message-cipher.ts'
import { decodeMessagePacket, encodeMessagePacket } from '../../../../protocol/session/message-packet.ts'
import type { OpenedSession } from '../../../../protocol/session/open.ts'
import {
  decodeOpenBody,
  decodeOpenPart,
  encodeOpenPart,
  type OpenContent
} from '../../../../protocol/session/open-body.ts'
import { encryptMessage } from '../../../../protocol/session/outbound.ts'
import { conversationKeyId } from '../../../../protocol/session/seal-key.ts'
import { NO_ASSOCIATED_DATA, openBodyHash, sealInfo } from '../../../../protocol/session/seal-parts.ts'
import {
  acceptAs,
  createAccount,
  heldKeysOf,
  openTo,
  partFor,
  rosterOf,
  testEnvironment,
  text,
  textOf,
  type TestAccount,
  type TestDevice
} from './fixtures.ts'
import { forgeOpen, forgePart, targetUnder, weeklyTarget, type ForgedOpen } from './forged-open.ts'

const env = testEnvironment('attacks')
const { crypto, network } = env

let ada: TestAccount, bob: TestAccount, mallory: TestAccount
let a1: TestDevice, a2: TestDevice, b1: TestDevice, b2: TestDevice, m1: TestDevice
let roster: Roster
let opened: OpenedSession
let packets: Uint8Array[]

beforeAll(async () => {
  ada = await createAccount(env, 2)
  bob = await createAccount(env, 2)
  mallory = await createAccount(env, 1)
  ;[a1, a2] = ada.devices as [TestDevice, TestDevice]
  ;[b1, b2] = bob.devices as [TestDevice, TestDevice]
  m1 = mallory.devices[0]!
  roster = rosterOf(env, ada, bob)
  opened = await openTo(env, a1, roster, [a2, b1, b2])
  packets = []
  let outbound = opened.outbound
  for (const word of ['hi', 'two', 'three']) {
    const sent = await encryptMessage(env, outbound, text(word), true)
    outbound = sent.outbound
    packets.push(sent.packet)
  }
})

const accept = (device: TestDevice, from = opened, as = roster): Promise<AcceptedOpen> =>
  acceptAs(env, device, as, from.openBody, partFor(from, device.deviceId))
const decrypt = (inbound: Inbound, packet: Uint8Array) => decryptMessage(env, inbound, decodeMessagePacket(packet))
const refused = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })

/** Content and secret of an Open, as every device that accepted it knows them. */
async function insideOf(device: TestDevice, from = opened): Promise<{ content: OpenContent; secret: Uint8Array }> {
  const part = partFor(from, device.deviceId)
  return readOpen(env, device.deviceId, heldKeysOf(env, device), from.openBody, part)
}

/** What a malicious member can do: everything, since it knows the secret; but it does not have Ada's signing key. */
async function rewrap(
  device: TestDevice,
  change: (content: OpenContent) => OpenContent,
  from = opened
): Promise<ForgedOpen> {
  const { content, secret } = await insideOf(device, from)
  return forgeOpen(env, change(content), secret, device.signingKey)
}

const acceptForged = async (device: TestDevice, forged: ForgedOpen, as = roster): Promise<AcceptedOpen> =>
  acceptAs(env, device, as, forged.openBody, await forged.partTo(device))

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

describe('the review', () => {
  it('conversation-key swap: a member who puts its own key into another’s Open is refused', async () => {
    const evil = await crypto.messagingKeyFromSeed(env.random(32))
    const beside = await rewrap(b2, content => ({ ...content, conversationKey: evil.publicKey }))
    await expect(acceptForged(b1, beside)).rejects.toEqual(refused('BAD_SIGNATURE'))
    const conversationKeyIds = conversationKeyId(crypto, network, evil.publicKey)
    const named = await rewrap(b2, content => ({
      ...content,
      conversationKey: evil.publicKey,
      context: { ...content.context, conversationKeyId: conversationKeyIds }
    }))
    await expect(acceptForged(b1, named)).rejects.toEqual(refused('BAD_SIGNATURE'))
  })

  it('conversation-key swap: even a sender cannot hand over another key than its context names', async () => {
    const evil = await crypto.messagingKeyFromSeed(env.random(32))
    await expect(dishonest(content => ({ ...content, conversationKey: evil.publicKey }))).rejects.toEqual(
      refused('BAD_KEY')
    )
  })

  it('a member cannot hide a gap by changing since when another device is addressed', async () => {
    const outbound = { ...opened.outbound, nextSequence: 9, joined: [{ deviceId: b1.deviceId, since: 2 }] }
    const later = await openTo(env, a1, roster, [a2, b1, b2], { outbound })
    expect((await accept(b1, later)).since).toBe(2)
    expect((await accept(b2, later)).since).toBe(9)
    const forged = await rewrap(b2, content => ({ ...content, joined: content.joined.map(() => 9) }), later)
    await expect(acceptForged(b1, forged)).rejects.toEqual(refused('BAD_SIGNATURE'))
  })

  /** What a sender can do that wants to deceive: it signs whatever it likes. */
  async function dishonest(change: (content: OpenContent) => OpenContent): Promise<AcceptedOpen> {
    const { content, secret } = await insideOf(b1)
    return acceptForged(b1, forgeOpen(env, change(content), secret, a1.signingKey))
  }

  it('equivocation: a sender whose commitment is to another secret is refused, although all else fits', async () => {
    await expect(dishonest(content => content)).resolves.toBeDefined()
    const commitment = env.random(32)
    const forged = dishonest(content => ({ ...content, context: { ...content.context, commitment } }))
    await expect(forged).rejects.toMatchObject({ message: expect.stringContaining('another session secret') })
  })

  it('a sender that claims this device joined later than now, or leaves a device out, is refused', async () => {
    const later = dishonest(content => ({ ...content, joined: content.joined.map(() => 1) }))
    await expect(later).rejects.toEqual(refused('INVALID'))
    const fewer = dishonest(content => ({ ...content, joined: content.joined.slice(1) }))
    await expect(fewer).rejects.toEqual(refused('INVALID'))
  })

  it('an Open replayed after its state was erased is refused', async () => {
    const { seen } = await accept(b1)
    const open = await readOpen(env, b1.deviceId, heldKeysOf(env, b1), opened.openBody, partFor(opened, b1.deviceId))
    const again = acceptOpen(env, { deviceId: b1.deviceId, open, roster, seen, peerKey: undefined })
    await expect(again).rejects.toEqual(refused('REPLAYED'))
  })

  it('an Open replayed after it has expired is refused even by a device that forgot it', async () => {
    const later = { ...env, now: () => inboundExpiry({ createdAt: env.now(), maxAgeMs: 7 * 86_400_000 }) + 1 }
    await expect(acceptAs(later, b1, roster, opened.openBody, partFor(opened, b1.deviceId))).rejects.toEqual(
      refused('EXPIRED')
    )
  })

  it('an Open from the future counts, and lives no longer than one of now', async () => {
    const earlier = { ...env, now: () => env.now() - 5 * 3_600_000 }
    const { inbound, seen } = await acceptAs(earlier, b1, roster, opened.openBody, partFor(opened, b1.deviceId))
    expect(inbound.createdAt).toBe(earlier.now())
    expect(seen.expiry).toBe(inboundExpiry({ createdAt: earlier.now(), maxAgeMs: inbound.maxAgeMs }))
  })

  it('cumulative skip bomb: jumps spread over many messages keep no more keys than the session’s limit', async () => {
    const wide = await openTo(env, a1, roster, [a2, b1, b2], { limits: { maxMessages: 1000, maxAgeMs: 1000 } })
    let { inbound } = await accept(b1, wide)
    let outbound = wide.outbound
    let most = 0
    for (let counter = 0; counter < 1000; counter++) {
      const sent = await encryptMessage(env, outbound, text('x'), false)
      outbound = sent.outbound
      if (counter % 100 !== 99) continue
      inbound = (await decrypt(inbound, sent.packet)).inbound
      most = Math.max(most, inbound.skipped.length)
    }
    expect(most).toBe(990)
    await expect(encryptMessage(env, outbound, text('x'), false)).rejects.toEqual(refused('LIMIT_REACHED'))
    expect(inbound.next).toBe(1000)
  })

  it('a session of more messages than the protocol allows is refused on both sides', async () => {
    await expect(
      openTo(env, a1, roster, [a2, b1, b2], { limits: { maxMessages: 1001, maxAgeMs: 1000 } })
    ).rejects.toEqual(refused('INVALID'))
    await expect(
      dishonest(content => ({ ...content, context: { ...content.context, maxMessages: 1_000_000 } }))
    ).rejects.toEqual(refused('MALFORMED'))
  })

  it('an Open that comes back to its sender is refused', async () => {
    const { content, secret } = await insideOf(b1)
    await expect(acceptForged(a1, forgeOpen(env, content, secret, a1.signingKey))).rejects.toEqual(refused('INVALID'))
  })

  it('an Open that a member passes on, to a device outside the roster or inside, is refused', async () => {
    const { content, secret } = await insideOf(b2)
    for (const device of [m1, b1]) {
      const part = await forgePart(env, opened.openBody, content, secret, b2.signingKey, weeklyTarget(env, device))
      await expect(acceptAs(env, device, roster, opened.openBody, part)).rejects.toEqual(refused('BAD_SIGNATURE'))
    }
    // Even where its own sender does it.
    const part = await forgePart(env, opened.openBody, content, secret, a1.signingKey, weeklyTarget(env, m1))
    await expect(acceptAs(env, m1, roster, opened.openBody, part)).rejects.toEqual(refused('NOT_FOR_US'))
  })

  it('a member cannot seal an Open again to another key of a device, as if its sender had known that key', async () => {
    const { content, secret } = await insideOf(b2)
    const { own } = await renewOwnKey(env, emptyOwnKeys())
    const { publicKey } = await crypto.messagingKeyFromSeed(own.keys[0]!.seed.expose())
    const target = { ...weeklyTarget(env, b1), keyId: conversationKeyId(crypto, network, publicKey), publicKey }
    const part = await forgePart(env, opened.openBody, content, secret, b2.signingKey, target)
    const held = heldConversationKeys(roster.conversationId, own)
    await expect(readOpen(env, b1.deviceId, held, opened.openBody, part)).rejects.toEqual(refused('BAD_SIGNATURE'))
  })

  it('a part does not pass under another key’s id, for another body, or with the signature of another part', async () => {
    const { content, secret } = await insideOf(b1)
    const wrongId = targetUnder(weeklyTarget(env, b1), heldKeysOf(env, b1)[1]!.keyId)
    const misnamed = await forgePart(env, opened.openBody, content, secret, a1.signingKey, wrongId)
    await expect(acceptAs(env, b1, roster, opened.openBody, misnamed)).rejects.toEqual(refused('DECRYPT_FAILED'))
    const other = forgeOpen(env, { ...content, members: null }, secret, a1.signingKey)
    await expect(acceptAs(env, b1, roster, other.openBody, partFor(opened, b1.deviceId))).rejects.toEqual(
      refused('NOT_FOR_US')
    )
    const spliced = await splice(partFor(opened, b1.deviceId))
    await expect(acceptAs(env, b1, roster, opened.openBody, spliced)).rejects.toEqual(refused('BAD_SIGNATURE'))
  })

  /** The secrets and the signature of a part to Bob under another encapsulation. */
  async function splice(part: Uint8Array): Promise<Uint8Array> {
    const { keyId, seed } = heldKeysOf(env, b1)[0]!
    const { commitment } = decodeOpenBody(opened.openBody)
    const info = sealInfo(network, {
      recipient: b1.deviceId,
      keyId,
      commitment,
      bodyHash: openBodyHash(env, opened.openBody)
    })
    const key = await crypto.messagingKeyFromSeed(seed.expose())
    const { tag, enc, sealed } = decodeOpenPart(part)
    const secrets = await hpkeOpen(crypto, key, enc, info, NO_ASSOCIATED_DATA, sealed)
    const again = await hpkeSeal(crypto, b1.bundle.weeklyKey, info, NO_ASSOCIATED_DATA, secrets)
    return encodeOpenPart({ tag, enc: again.enc, sealed: again.ciphertext })
  }

  it('keys of another device beside the sender’s id are refused before the signature is looked at', async () => {
    const { content, secret } = await insideOf(b2)
    const posing = forgeOpen(env, { ...content, senderKeys: b2.publicKeys }, secret, b2.signingKey)
    await expect(acceptForged(b1, posing)).rejects.toEqual(refused('BAD_KEY'))
  })

  it('a key of one conversation does not open a session of another', async () => {
    const { own } = await renewOwnKey(env, emptyOwnKeys())
    const elsewhere = env.random(32) as Roster['conversationId']
    const publicKey = (await crypto.messagingKeyFromSeed(own.keys[0]!.seed.expose())).publicKey
    const peerKeys = [{ deviceId: b1.deviceId, index: 0, publicKey, usedOwnIndex: null }]
    const crossed = await openTo(env, a1, roster, [a2, b2], { peerKeys })
    const held = heldConversationKeys(elsewhere, own)
    const open = await readOpen(env, b1.deviceId, held, crossed.openBody, partFor(crossed, b1.deviceId))
    const accepted = acceptOpen(env, { deviceId: b1.deviceId, open, roster, seen: undefined, peerKey: undefined })
    await expect(accepted).rejects.toEqual(refused('INVALID'))
  })

  it('a sender that hands out one key index twice, differently, is refused', async () => {
    const { peerKey } = await accept(b1)
    const twin = await openTo(env, a1, roster, [a2, b1, b2])
    const open = await readOpen(env, b1.deviceId, heldKeysOf(env, b1), twin.openBody, partFor(twin, b1.deviceId))
    const accepted = acceptOpen(env, { deviceId: b1.deviceId, open, roster, seen: undefined, peerKey })
    await expect(accepted).rejects.toEqual(refused('INVALID'))
  })

  it('a part that HPKE opens with other info is refused: key id, device, body and commitment are all bound', async () => {
    const body = decodeOpenBody(opened.openBody)
    const part = decodeOpenPart(partFor(opened, b1.deviceId))
    const bare = await hpkeSeal(crypto, b1.bundle.weeklyKey, new Uint8Array(0), new Uint8Array(0), env.random(128))
    const forged = encodeOpenPart({ tag: part.tag, enc: bare.enc, sealed: bare.ciphertext })
    await expect(acceptAs(env, b1, roster, opened.openBody, forged)).rejects.toEqual(refused('DECRYPT_FAILED'))
    expect(body.commitment).toHaveLength(32)
  })

  it('the body tells a node neither sender nor conversation nor roster', () => {
    const secrets = [
      a1.deviceId,
      a1.accountId,
      roster.conversationId,
      rosterHash(crypto, network, roster),
      opened.sessionId
    ]
    for (const secret of secrets) {
      const visible = [opened.openBody, ...opened.parts.map(({ part }) => part)]
      for (const bytes of visible) {
        for (let at = 0; at + secret.length <= bytes.length; at++) {
          if (equalBytes(bytes.subarray(at, at + secret.length), secret)) throw new Error('visible')
        }
      }
    }
    expect(new Set(opened.parts.map(({ part }) => part.length)).size).toBe(1)
    expect(opened.parts[0]!.part.length).toBeLessThanOrEqual(1400)
  })

  it('a device outside the roster is nobody in it', () => {
    expect(findRosterDevice(roster, m1.deviceId)).toBeUndefined()
  })
})
