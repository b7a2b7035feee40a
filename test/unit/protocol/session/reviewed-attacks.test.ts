/** The attacks that the review of the suite found. Each is refused with its reason. */
import { beforeAll, describe, expect, it } from 'vitest'
import { equalBytes } from '../../../../protocol/bytes.ts'
import { findRosterDevice, rosterHash, type Roster } from '../../../../protocol/roster/roster.ts'
import { hpkeOpen, hpkeSeal } from '../../../../protocol/crypto/hpke.ts'
import { acceptOpen, readOpen, type AcceptedOpen } from '../../../../protocol/session/accept.ts'
import { emptyOwnKeys, heldConversationKeys, renewOwnKey } from '../../../../protocol/session/conversation-keys.ts'
import { inboundExpiry } from '../../../../protocol/session/inbound.ts'
import {
  decodeOpenBody,
  decodeOpenPart,
  encodeOpenPart,
  type OpenContent
} from '../../../../protocol/session/open-body.ts'
import { encryptMessage } from '../../../../protocol/session/outbound.ts'
import { conversationKeyId } from '../../../../protocol/session/seal-key.ts'
import { NO_ASSOCIATED_DATA, openBodyHash, sealInfo } from '../../../../protocol/session/seal-parts.ts'
import { acceptAs, heldKeysOf, openTo, partFor, text } from './fixtures.ts'
import { forgeOpen, forgePart, targetUnder, weeklyTarget } from './forged-open.ts'
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
  network,
  opened,
  refused,
  rewrap,
  roster,
  setUpAttacks
} from './attack-stage.ts'

beforeAll(setUpAttacks)

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
