/** Which key an Open is sealed to, and when a secret goes. */
import { inspect } from 'node:util'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../../protocol/bytes.ts'
import { rosterDevices, type Roster } from '../../../../protocol/roster/roster.ts'
import { signBundle } from '../../../../protocol/identity/bundle.ts'
import { messagingKeyHash } from '../../../../protocol/identity/device.ts'
import { acceptOpen, readOpen } from '../../../../protocol/session/accept.ts'
import {
  devicesWithoutKey,
  emptyOwnKeys,
  eraseOwnKeys,
  heldConversationKeys,
  isKeyUpdateDue,
  ownKeysState,
  peerKeyState,
  renewOwnKey,
  selectSealTargets,
  updatePeerKey,
  type OwnKeys,
  type PeerKey
} from '../../../../protocol/session/conversation-keys.ts'
import { conversationKeyId } from '../../../../protocol/session/seal-key.ts'
import { isForgettable, seenSessionState } from '../../../../protocol/session/seen-session.ts'
import {
  emptyWeeklyKeys,
  eraseWeeklyKeys,
  heldWeeklyKeys,
  isWeeklyKeyDue,
  renewWeeklyKey,
  weeklyKeysState
} from '../../../../protocol/session/weekly-keys.ts'
import {
  acceptAs,
  createAccount,
  heldKeysOf,
  openTo,
  partFor,
  rosterOf,
  START,
  testEnvironment,
  type TestDevice
} from './fixtures.ts'

const env = testEnvironment('keys')
const DAY_MS = 86_400_000
const refused = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })

let ada: TestDevice
let b1: TestDevice
let b2: TestDevice
let roster: Roster

beforeAll(async () => {
  const accounts = [await createAccount(env, 1), await createAccount(env, 2)] as const
  ada = accounts[0].devices[0]!
  ;[b1, b2] = accounts[1].devices as [TestDevice, TestDevice]
  roster = rosterOf(env, ...accounts)
})

beforeEach(() => {
  env.clock.time = START
})

const listed = (device: TestDevice) =>
  rosterDevices(roster).find(entry => entry.device.deviceId === device.deviceId)!.device

async function peerKeyFor(device: TestDevice, index: number): Promise<{ peer: PeerKey; own: OwnKeys }> {
  let own = emptyOwnKeys()
  for (let i = 0; i <= index; i++) own = (await renewOwnKey(env, own)).own
  const { publicKey } = await env.crypto.messagingKeyFromSeed(own.keys.at(-1)!.seed.expose())
  return { peer: { deviceId: device.deviceId, index, publicKey, usedOwnIndex: null }, own }
}

describe('the key that an Open is sealed to', () => {
  it('is the weekly key at first contact', async () => {
    const { targets, unsealed } = await selectSealTargets(env, [listed(b1)], { peerKeys: [], bundles: [b1.bundle] })
    expect(unsealed).toEqual([])
    expect(targets[0]!.publicKey).toEqual(b1.bundle.weeklyKey)
    expect(targets[0]!.keyId).toEqual(messagingKeyHash(env.crypto, env.network, b1.bundle.weeklyKey))
  })

  it('is the conversation key once there is one, whatever bundle is at hand', async () => {
    const { peer } = await peerKeyFor(b1, 2)
    const { targets } = await selectSealTargets(env, [listed(b1)], { peerKeys: [peer], bundles: [b1.bundle] })
    expect(targets[0]!.publicKey).toEqual(peer.publicKey)
    expect(targets[0]!.keyId).toEqual(conversationKeyId(env.crypto, env.network, peer.publicKey))
    expect(devicesWithoutKey([listed(b1), listed(b2)], [peer])).toEqual([listed(b2)])
  })

  it('is none for an expired weekly key, unless the registered key is allowed', async () => {
    env.clock.advance(15 * DAY_MS)
    const sources = { peerKeys: [], bundles: [b1.bundle] }
    const strict = await selectSealTargets(env, [listed(b1)], sources)
    expect(strict.unsealed).toEqual([{ deviceId: b1.deviceId, error: refused('EXPIRED') }])
    const lenient = await selectSealTargets(env, [listed(b1)], { ...sources, allowRegisteredKey: true })
    expect(lenient.targets[0]!.publicKey).toEqual(b1.registeredKey)
  })

  it('is none for a bundle that is missing, forged, or of other keys than the directory has', async () => {
    const forged = { ...b1.bundle, weeklyKey: b2.bundle.weeklyKey }
    const stranger = await signBundle(env.network, b2.signingKey, { ...b2.bundle, deviceId: b1.deviceId })
    for (const [bundles, code] of [
      [[], 'INVALID'],
      [[forged], 'BAD_SIGNATURE'],
      [[stranger], 'BAD_KEY']
    ] as const) {
      const { unsealed } = await selectSealTargets(env, [listed(b1)], { peerKeys: [], bundles: [...bundles] })
      expect(unsealed).toEqual([{ deviceId: b1.deviceId, error: refused(code) }])
    }
  })

  it('that is no valid key keeps nobody else from being reached', async () => {
    const bad = { deviceId: b1.deviceId, index: 0, publicKey: new Uint8Array(1216).fill(255), usedOwnIndex: null }
    const opened = await openTo(env, ada, roster, [b2], { peerKeys: [bad] })
    expect(opened.unsealed).toEqual([{ deviceId: b1.deviceId, error: refused('BAD_KEY') }])
    expect(opened.parts.map(({ deviceId }) => deviceId)).toEqual([b2.deviceId])
    expect(opened.delivery.waiting.find(({ deviceId }) => deviceId === b1.deviceId)?.keyId).toBeNull()
    await expect(acceptAs(env, b2, roster, opened.openBody, partFor(opened, b2.deviceId))).resolves.toBeDefined()
  })

  it('is found for a device whose registered key was rotated since it was added', async () => {
    const registeredKey = (await env.crypto.messagingKeyFromSeed(env.random(32))).publicKey
    const rotated = { ...listed(b1), messagingKeyHash: messagingKeyHash(env.crypto, env.network, registeredKey) }
    const bundle = await signBundle(env.network, b1.signingKey, { ...b1.bundle, registeredKey })
    const after = await selectSealTargets(env, [rotated], { peerKeys: [], bundles: [bundle] })
    expect(after.unsealed).toEqual([])
    expect(after.targets[0]!.publicKey).toEqual(b1.bundle.weeklyKey)
    const stale = await selectSealTargets(env, [rotated], { peerKeys: [], bundles: [b1.bundle] })
    expect(stale.unsealed).toEqual([{ deviceId: b1.deviceId, error: refused('BAD_KEY') }])
  })

  it('opens with the registered secret too', async () => {
    env.clock.advance(15 * DAY_MS)
    const opened = await openTo(env, ada, roster, [b1], { allowRegisteredKey: true })
    const registered = heldKeysOf(env, b1).at(-1)!
    const open = await readOpen(env, b1.deviceId, [registered], opened.openBody, partFor(opened, b1.deviceId))
    expect(open.content.context.senderDevice).toEqual(ada.deviceId)
  })
})

describe('the key that is held of another device', () => {
  it('is that of the highest index, in whatever order Opens arrive', async () => {
    const opens = [await openTo(env, ada, roster, [b1, b2])]
    for (let i = 1; i < 4; i++) {
      const { outbound, ownKeys } = opens[i - 1]!
      opens.push(await openTo(env, ada, roster, [b1, b2], { outbound, ownKeys }))
    }
    let peerKey: PeerKey | undefined
    for (const index of [1, 3, 0, 2]) {
      const { openBody, parts } = opens[index]!
      const held = heldKeysOf(env, b1)
      const open = await readOpen(env, b1.deviceId, held, openBody, partFor({ parts }, b1.deviceId))
      const accepted = await acceptOpen(env, { deviceId: b1.deviceId, open, roster, seen: undefined, peerKey })
      peerKey = accepted.peerKey
      expect(accepted.inbound.supersededAt).toBe(peerKey.index > index ? env.now() : null)
    }
    expect(peerKey!.index).toBe(3)
    expect(conversationKeyId(env.crypto, env.network, peerKey!.publicKey)).toEqual(opens[3]!.ownKeys.keys.at(-1)!.keyId)
  })

  it('remembers the highest own key that was used, apart from its own index', async () => {
    const { peer } = await peerKeyFor(b1, 1)
    const older = { ...(await peerKeyFor(b1, 0)).peer, usedOwnIndex: 5 }
    expect(updatePeerKey({ ...peer, usedOwnIndex: 2 }, older)).toEqual({ ...peer, usedOwnIndex: 5 })
    expect(updatePeerKey(undefined, older)).toEqual(older)
    expect(peerKeyState.decode(peerKeyState.encode(older))).toEqual(older)
  })
})

describe('own secrets', () => {
  const others = () => [b1.deviceId, b2.deviceId]
  const usedBy = (device: TestDevice, usedOwnIndex: number | null): PeerKey => ({
    deviceId: device.deviceId,
    index: 0,
    publicKey: new Uint8Array(1216),
    usedOwnIndex
  })

  async function threeKeys(): Promise<OwnKeys> {
    return (await peerKeyFor(ada, 2)).own
  }

  const indexes = (own: OwnKeys) => own.keys.map(({ index }) => index)

  it('are fresh with each Open, and their states come back as they were', async () => {
    const own = await threeKeys()
    expect(indexes(own)).toEqual([0, 1, 2])
    expect(new Set(own.keys.map(({ seed }) => toHex(seed.expose()))).size).toBe(3)
    expect(own.keys.map(({ supersededAt }) => supersededAt)).toEqual([START, START, null])
    expect(ownKeysState.decode(ownKeysState.encode(own))).toEqual(own)
    expect(heldConversationKeys(roster.conversationId, own).map(({ index }) => index)).toEqual([0, 1, 2])
  })

  it('stay until every device of the roster has used a newer one', async () => {
    const own = await threeKeys()
    expect(eraseOwnKeys(own, [usedBy(b1, 2)], others(), false, START)).toBe(own)
    expect(indexes(eraseOwnKeys(await threeKeys(), [usedBy(b1, 2), usedBy(b2, 1)], others(), false, START))).toEqual([
      1, 2
    ])
  })

  it('are in nothing that prints a state, and so are weekly keys', async () => {
    const own = await threeKeys()
    const { weekly } = await renewWeeklyKey(env, emptyWeeklyKeys())
    for (const { keys } of [own, weekly]) {
      const printed = [inspect(keys, { depth: 9 }), JSON.stringify(keys), String(keys.map(({ seed }) => seed))].join()
      for (const { seed } of keys) {
        expect(printed).not.toContain(toHex(seed.expose()))
        expect(printed).not.toContain([...seed.expose()].slice(0, 8).join(', '))
      }
    }
  })

  it('are wiped when they go', async () => {
    const own = await threeKeys()
    const seeds = own.keys.map(({ seed }) => seed)
    eraseOwnKeys(own, [usedBy(b1, 2), usedBy(b2, 2)], others(), false, START)
    expect(seeds.map(seed => seed.expose().every(byte => byte === 0))).toEqual([true, true, false])
  })

  it('stay while a message is missing, as its Open may be sealed to them', async () => {
    const own = await threeKeys()
    expect(eraseOwnKeys(own, [usedBy(b1, 2), usedBy(b2, 2)], others(), true, START)).toBe(own)
  })

  it('go when no envelope that needs them can be left, even if a device never ratchets', async () => {
    const end = START + 37 * DAY_MS
    expect(indexes(eraseOwnKeys(await threeKeys(), [], others(), true, end - 1))).toEqual([0, 1, 2])
    expect(indexes(eraseOwnKeys(await threeKeys(), [], others(), true, end))).toEqual([2])
  })

  it('are renewed by a device that only listens, every seven days', async () => {
    expect(isKeyUpdateDue(emptyOwnKeys(), START)).toBe(false)
    const own = await threeKeys()
    expect(isKeyUpdateDue(own, START + 7 * DAY_MS - 1)).toBe(false)
    expect(isKeyUpdateDue(own, START + 7 * DAY_MS)).toBe(true)
  })
})

describe('weekly keys', () => {
  it('are renewed while the last is valid for another week, and open what they were used for', async () => {
    expect(isWeeklyKeyDue(emptyWeeklyKeys(), START)).toBe(true)
    const { weekly } = await renewWeeklyKey(env, emptyWeeklyKeys())
    expect(isWeeklyKeyDue(weekly, START + 7 * DAY_MS - 1)).toBe(false)
    expect(isWeeklyKeyDue(weekly, START + 7 * DAY_MS)).toBe(true)
    expect(weeklyKeysState.decode(weeklyKeysState.encode(weekly))).toEqual(weekly)
    expect(heldWeeklyKeys(weekly)).toHaveLength(1)
  })

  it('go when nothing sealed to them can be pending, and the last one never', async () => {
    const { weekly } = await renewWeeklyKey(env, emptyWeeklyKeys())
    expect(eraseWeeklyKeys(weekly, START + 1000 * DAY_MS)).toBe(weekly)
    env.clock.advance(7 * DAY_MS)
    const next = (await renewWeeklyKey(env, weekly)).weekly
    const end = START + (14 + 37) * DAY_MS
    expect(eraseWeeklyKeys(next, end - 1).keys).toHaveLength(2)
    const seed = next.keys[0]!.seed
    expect(eraseWeeklyKeys(next, end).keys.map(({ index }) => index)).toEqual([1])
    expect(seed.expose().every(byte => byte === 0)).toBe(true)
  })
})

describe('the memory of a session', () => {
  it('lasts longer than the key that its Open was sealed to, and longer than the Open', async () => {
    const opened = await openTo(env, ada, roster, [b1, b2])
    const { seen } = await acceptAs(env, b1, roster, opened.openBody, partFor(opened, b1.deviceId))
    const held = new Set(heldKeysOf(env, b1).map(({ keyId }) => toHex(keyId)))
    expect(isForgettable(seen, new Set(), seen.expiry)).toBe(false)
    expect(isForgettable(seen, held, seen.expiry + 1000 * DAY_MS)).toBe(false)
    expect(isForgettable(seen, new Set(), seen.expiry + 1)).toBe(true)
    expect(seenSessionState.decode(seenSessionState.encode(seen))).toEqual(seen)
    expect(seen.expiry).toBeGreaterThan(START + 37 * DAY_MS)
  })
})
