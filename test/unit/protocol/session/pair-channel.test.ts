/** The channel between two devices: what it must carry, and the attacks on it. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createRoster, type Roster } from '../../../../protocol/roster/roster.ts'
import type { AcceptedOpen } from '../../../../protocol/session/accept.ts'
import { emptyOwnKeys, renewOwnKey } from '../../../../protocol/session/conversation-keys.ts'
import { acceptKeyUpdate, keyUpdateFor } from '../../../../protocol/session/key-update.ts'
import { MAX_CONTENT_BYTES, type MessageFrame } from '../../../../protocol/session/message-packet.ts'
import type { OpenedSession } from '../../../../protocol/session/open.ts'
import { decodePacket, encodePacket } from '../../../../protocol/session/packet.ts'
import {
  fromDevice,
  fromOpener,
  nextSentAt,
  openPairPacket,
  sealPairPacket,
  toDevice,
  toOpener
} from '../../../../protocol/session/pair-channel.ts'
import type { PairPacket } from '../../../../protocol/session/pair-packet.ts'
import {
  acceptedPairingState,
  erasePairing,
  MAX_ACCEPTED_PAIRINGS,
  newestPairing,
  noteRequest,
  openedPairingState,
  pairTag,
  PAIRING_GRACE_MS,
  supersedePairings,
  surplusPairings,
  type AcceptedPairing
} from '../../../../protocol/session/pairing.ts'
import { Secret } from '../../../../protocol/secret.ts'
import { KEY_UPDATE_PERIOD_MS } from '../../../../protocol/limits.ts'
import {
  acceptAs,
  createAccount,
  openTo,
  partFor,
  START,
  testEnvironment,
  text,
  textOf,
  type TestDevice
} from './fixtures.ts'

const env = testEnvironment('pairs')
const { crypto, network } = env
const refused = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })

let a1: TestDevice, b1: TestDevice, b2: TestDevice, m1: TestDevice
let group: Roster
let opened: OpenedSession
let bob: AcceptedOpen
let mallory: AcceptedOpen

const accept = (device: TestDevice, from: OpenedSession, roster = group): Promise<AcceptedOpen> =>
  acceptAs(env, device, roster, from.openBody, partFor(from, device.deviceId))

beforeAll(async () => {
  const accounts = [await createAccount(env, 1), await createAccount(env, 2), await createAccount(env, 1)] as const
  a1 = accounts[0].devices[0]!
  ;[b1, b2] = accounts[1].devices as [TestDevice, TestDevice]
  m1 = accounts[2].devices[0]!
  group = createRoster(
    env.random(32) as Roster['conversationId'],
    1,
    accounts.map(account => account.member())
  )
  opened = await openTo(env, a1, group, [b1, b2, m1])
  bob = await accept(b1, opened)
  mallory = await accept(m1, opened)
})

const frameOf = (word: string): MessageFrame => ({ sequence: null, predecessor: null, content: text(word) })
const contentOf = (word: string) => ({ sentAt: env.now(), frames: [frameOf(word)] })
const wordOf = ({ frames }: { frames: MessageFrame[] }) => textOf(frames[0]!.content)

describe('the channel between two devices', () => {
  it('carries words both ways, and what is sent again keeps its place', () => {
    const up = sealPairPacket(env, toOpener(bob.pairing), contentOf('opened'))
    expect(wordOf(openPairPacket(env, fromDevice(env, opened.pairing, b1.deviceId), up))).toBe('opened')
    const frame = { sequence: 7, predecessor: env.random(32), content: text('again') }
    const down = sealPairPacket(env, toDevice(env, opened.pairing, b1.deviceId), { sentAt: 5, frames: [frame] })
    expect(openPairPacket(env, fromOpener(bob.pairing), down)).toEqual({ sentAt: 5, frames: [frame] })
  })

  it('is found by the tag that each side keeps', () => {
    const up = sealPairPacket(env, toOpener(bob.pairing), contentOf('x'))
    const entry = opened.pairing.devices.find(({ deviceId }) => deviceId === b1.deviceId)
    expect(entry?.tag).toEqual(up.tag)
    const down = sealPairPacket(env, toDevice(env, opened.pairing, b1.deviceId), contentOf('x'))
    expect(bob.pairing.tag).toEqual(down.tag)
  })

  it('takes the longest message that a session takes', () => {
    const frame = {
      sequence: Number.MAX_SAFE_INTEGER,
      predecessor: env.random(32),
      content: env.random(MAX_CONTENT_BYTES)
    }
    const content = { sentAt: Number.MAX_SAFE_INTEGER, frames: [frame] }
    const packet = sealPairPacket(env, toOpener(bob.pairing), content)
    expect(openPairPacket(env, toOpener(bob.pairing), packet)).toEqual(content)
    const encoded = encodePacket({ kind: 'pair', ...packet })
    expect(decodePacket(encoded)).toEqual({ kind: 'pair', ...packet })
  })

  it('shows a node one of few lengths', () => {
    const lengths = [1, 100, 500, 900].map(
      length => sealPairPacket(env, toOpener(bob.pairing), contentOf('x'.repeat(length))).ciphertext.length
    )
    expect(lengths).toEqual([272, 272, 1040, 1040])
  })

  it('stays the same for an Open that was sealed again', async () => {
    const { pairing } = await accept(b1, opened)
    expect(pairing).toEqual(bob.pairing)
    expect(pairing.secret.equals(bob.pairing.secret)).toBe(true)
  })
})

describe('attacks on the channel between two devices', () => {
  it('a member who knows the session secret has another pairing secret than every other member', () => {
    expect(mallory.pairing.secret.equals(bob.pairing.secret)).toBe(false)
    const packet = sealPairPacket(env, toOpener(bob.pairing), contentOf('for Ada'))
    expect(() => openPairPacket(env, toOpener(mallory.pairing), packet)).toThrow(refused('DECRYPT_FAILED'))
  })

  it('a member cannot speak as another: its packets open in its own channel only', () => {
    const packet = sealPairPacket(env, toOpener(mallory.pairing), contentOf('opened, says Bob'))
    const bobs = opened.pairing.devices.find(({ deviceId }) => deviceId === b1.deviceId)!
    const posing: PairPacket = { ...packet, tag: bobs.tag }
    expect(() => openPairPacket(env, fromDevice(env, opened.pairing, b1.deviceId), posing)).toThrow(
      refused('DECRYPT_FAILED')
    )
    // As the opener, towards Bob.
    const down = sealPairPacket(env, fromOpener(mallory.pairing), contentOf('again, says Ada'))
    const toBob: PairPacket = { ...down, tag: bob.pairing.tag }
    expect(() => openPairPacket(env, fromOpener(bob.pairing), toBob)).toThrow(refused('DECRYPT_FAILED'))
  })

  it('a packet reflected to its sender does not open', () => {
    const up = sealPairPacket(env, toOpener(bob.pairing), contentOf('x'))
    expect(up.tag).not.toEqual(bob.pairing.tag)
    expect(() => openPairPacket(env, fromOpener(bob.pairing), up)).toThrow(refused('DECRYPT_FAILED'))
    const retagged = { ...up, tag: bob.pairing.tag }
    expect(() => openPairPacket(env, fromOpener(bob.pairing), retagged)).toThrow(refused('DECRYPT_FAILED'))
  })

  it('unknown key share: a secret handed on in a session of one’s own opens no packet of the first', async () => {
    // Mallory opens a session to Bob and gives him the very secret that she shares with Ada.
    const own = await openTo(env, m1, group, [a1, b1, b2])
    const shared: AcceptedPairing = { ...(await accept(b1, own)).pairing, secret: mallory.pairing.secret }
    const tag = pairTag(crypto, network, shared.secret.expose(), shared.sessionId, 'from-opener')
    const fromAda = sealPairPacket(env, toDevice(env, opened.pairing, m1.deviceId), contentOf('for Mallory'))
    expect(tag).not.toEqual(fromAda.tag)
    expect(() => openPairPacket(env, fromOpener({ ...shared, tag }), { ...fromAda, tag })).toThrow(
      refused('DECRYPT_FAILED')
    )
    expect(() => openPairPacket(env, fromOpener(shared), fromAda)).toThrow(refused('DECRYPT_FAILED'))
  })

  it('a request that is replayed, or older than one that was taken, is not answered', () => {
    const taken = noteRequest(opened.pairing, b1.deviceId, START + 5)!
    expect(noteRequest(taken, b1.deviceId, START + 5)).toBeUndefined()
    expect(noteRequest(taken, b1.deviceId, START + 4)).toBeUndefined()
    expect(noteRequest(taken, b1.deviceId, START + 6)).toBeDefined()
    // Each device has a time of its own, and one that is not in the session has none.
    expect(noteRequest(taken, b2.deviceId, START)).toBeDefined()
    expect(noteRequest(taken, a1.deviceId, START)).toBeUndefined()
  })

  it('the time of packets rises, also where the clock was put back', () => {
    expect(nextSentAt(START, START + 10)).toBe(START + 10)
    expect(nextSentAt(START, START)).toBe(START + 1)
    expect(nextSentAt(START, START - 86_400_000)).toBe(START + 1)
  })

  it('two packets with the same words share neither key nor salt', () => {
    const packets = [1, 2].map(() => sealPairPacket(env, toOpener(bob.pairing), contentOf('x')))
    expect(packets[0]!.salt).not.toEqual(packets[1]!.salt)
    expect(packets[0]!.ciphertext).not.toEqual(packets[1]!.ciphertext)
    const crossed = { ...packets[0]!, salt: packets[1]!.salt }
    expect(() => openPairPacket(env, toOpener(bob.pairing), crossed)).toThrow(refused('DECRYPT_FAILED'))
  })

  it('a flipped bit anywhere is refused', () => {
    const bytes = encodePacket({ kind: 'pair', ...sealPairPacket(env, toOpener(bob.pairing), contentOf('x')) })
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => {
        const packet = decodePacket(flipped)
        if (packet.kind === 'pair') openPairPacket(env, toOpener(bob.pairing), packet)
        else throw new Error('another kind')
      }).toThrow()
    }
  })
})

describe('pairings that are kept', () => {
  const nth = (keyIndex: number): AcceptedPairing => ({ ...bob.pairing, keyIndex, supersededAt: null })

  it('survive a restart', () => {
    expect(openedPairingState.decode(openedPairingState.encode(opened.pairing))).toEqual(opened.pairing)
    expect(acceptedPairingState.decode(acceptedPairingState.encode(bob.pairing))).toEqual(bob.pairing)
    const { root } = openedPairingState.decode(openedPairingState.encode(opened.pairing))
    expect(root.equals(opened.pairing.root)).toBe(true)
  })

  it('still open what is on its way after a newer session, and are erased later', () => {
    const older = supersedePairings([nth(1)], nth(2), START)
    expect(older).toEqual([{ ...nth(1), supersededAt: START }])
    const packet = sealPairPacket(env, toDevice(env, opened.pairing, b1.deviceId), contentOf('late'))
    expect(
      wordOf(openPairPacket(env, fromOpener({ ...bob.pairing, ...older[0]!, secret: bob.pairing.secret }), packet))
    ).toBe('late')
    const all = [...older, nth(2)]
    expect(surplusPairings(all, MAX_ACCEPTED_PAIRINGS, START + PAIRING_GRACE_MS - 1)).toEqual([])
    expect(surplusPairings(all, MAX_ACCEPTED_PAIRINGS, START + PAIRING_GRACE_MS)).toEqual(older)
    // The newest is the only way back, however old it is.
    expect(surplusPairings([nth(2)], MAX_ACCEPTED_PAIRINGS, START * 2)).toEqual([])
  })

  it('are no more than a bound, and the newest is spoken on', () => {
    const many = Array.from({ length: MAX_ACCEPTED_PAIRINGS + 2 }, (_, keyIndex) => nth(keyIndex))
    expect(surplusPairings(many, MAX_ACCEPTED_PAIRINGS, START).map(({ keyIndex }) => keyIndex)).toEqual([1, 0])
    expect(newestPairing(many, a1.deviceId)?.keyIndex).toBe(MAX_ACCEPTED_PAIRINGS + 1)
    expect(newestPairing(many, b2.deviceId)).toBeUndefined()
  })

  it('are wiped when they are let go of', () => {
    const root = env.random(32)
    erasePairing({ root: new Secret(root) })
    expect(root).toEqual(new Uint8Array(32))
  })
})

describe('a key handed over in the channel', () => {
  const owner = () => ({ conversationId: group.conversationId, deviceId: b1.deviceId })
  const handOver = (own = emptyOwnKeys(), used: number | null = null) =>
    keyUpdateFor(env, b1.signingKey, owner(), own, used)

  it('is made for the first acknowledgement of a device that never opened a session', async () => {
    const handed = (await handOver())!
    expect(handed.own.keys).toHaveLength(1)
    const taken = await acceptKeyUpdate(env, owner(), b1.listed.signingKey, undefined, handed.update)
    expect(taken).toMatchObject({ deviceId: b1.deviceId, index: 0, usedOwnIndex: null })
    expect((await crypto.messagingKeyFromSeed(handed.own.keys[0]!.seed.expose())).publicKey).toEqual(taken.publicKey)
  })

  it('is handed over again until it is used, then not before it has served its time', async () => {
    const { own } = (await handOver())!
    expect((await handOver(own, null))!.own).toBe(own)
    expect(await handOver(own, 0)).toBeUndefined()
    const later = { ...env, now: () => env.now() + KEY_UPDATE_PERIOD_MS }
    const renewed = (await keyUpdateFor(later, b1.signingKey, owner(), own, 0))!
    expect(renewed.update.index).toBe(1)
    expect(renewed.own.keys).toHaveLength(2)
  })

  it('that the device did not sign, or signed for another conversation, device or place, is refused', async () => {
    const { update } = (await handOver())!
    const key = b1.listed.signingKey
    const evil = (await crypto.messagingKeyFromSeed(env.random(32))).publicKey
    const forged: [ReturnType<typeof owner>, Uint8Array, typeof update][] = [
      [owner(), key, { ...update, publicKey: evil }],
      [owner(), key, { ...update, index: 1 }],
      [owner(), m1.listed.signingKey, update],
      [{ ...owner(), deviceId: b2.deviceId }, key, update],
      [{ ...owner(), conversationId: env.random(32) as Roster['conversationId'] }, key, update]
    ]
    for (const [whose, signingKey, handed] of forged) {
      await expect(acceptKeyUpdate(env, whose, signingKey, undefined, handed)).rejects.toEqual(refused('BAD_SIGNATURE'))
    }
  })

  it('cannot replace one key by another under the same index, nor a newer one by an older', async () => {
    const { update } = (await handOver())!
    const first = await acceptKeyUpdate(env, owner(), b1.listed.signingKey, undefined, update)
    const { update: twin } = (await handOver())!
    await expect(acceptKeyUpdate(env, owner(), b1.listed.signingKey, first, twin)).rejects.toEqual(refused('INVALID'))
    const renewed = await renewOwnKey(env, emptyOwnKeys())
    const newer = { ...first, index: 3, publicKey: renewed.key.publicKey }
    expect(await acceptKeyUpdate(env, owner(), b1.listed.signingKey, newer, update)).toEqual(newer)
  })
})
