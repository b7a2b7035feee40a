import { describe, expect, it } from 'vitest'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import { signLinkedAccount } from '../../../../protocol/identity/linked-account.ts'
import { parseUsername } from '../../../../protocol/identity/username.ts'
import { CLOCK_TOLERANCE_MS } from '../../../../protocol/limits.ts'
import { networkIdOf } from '../../../../protocol/network.ts'
import type { ProfileContents } from '../../../../protocol/profile/profile-contents.ts'
import {
  decodePublicProfile,
  encodePublicProfile,
  handlePlace,
  isFromTheFuture,
  isNewerProfile,
  openContents,
  placesOf,
  publicProfileKey,
  sealContents,
  signPublicProfile,
  verifyPublicProfile,
  type PublicProfile
} from '../../../../protocol/profile/public-profile.ts'
import { GENESIS } from '../../../support/network/fake/fake-network.ts'

const crypto = createNodeCrypto()
const network = networkIdOf(crypto, GENESIS)
let drawn = 0
const random = (length: number) => new Uint8Array(length).fill(drawn++)
const device = await crypto.signingKeyFromSeed(new Uint8Array(32).fill(1))
const node = await crypto.signingKeyFromSeed(new Uint8Array(32).fill(2))
const accountId = new Uint8Array(32).fill(3) as AccountId
const deviceId = new Uint8Array(16).fill(4) as DeviceId
const key = await publicProfileKey(network, GENESIS, parseUsername('ada_l'))
const CONTENTS: ProfileContents = {
  displayName: 'Ada',
  about: 'Poetical science',
  picture: null,
  sites: [],
  accounts: []
}

async function profile(changed: Partial<PublicProfile> = {}): Promise<PublicProfile> {
  const sealed = sealContents({ crypto, random }, network, key, { accountId, revision: 7 }, CONTENTS)
  return signPublicProfile(network, device, {
    accountId,
    deviceId,
    revision: 7,
    time: 1_000,
    sealed,
    foundBy: null,
    ...changed
  })
}
const isValid = (changed: PublicProfile) => verifyPublicProfile(crypto, network, device.publicKey, changed)

describe('a public profile', () => {
  it('comes back as it was, and opens for who knows the username, also where it looks a little different', async () => {
    const made = await profile()
    const read = decodePublicProfile(encodePublicProfile(made))
    expect(read).toEqual(made)
    expect(await isValid(read)).toBe(true)
    const alike = await publicProfileKey(network, GENESIS, parseUsername('adal'))
    expect(openContents(crypto, network, alike, read)).toEqual(CONTENTS)
  })

  it('opens for nobody else, and tells neither texts nor their length', async () => {
    const made = await profile()
    const other = await publicProfileKey(network, GENESIS, parseUsername('bob'))
    expect(openContents(crypto, network, other, made)).toBeUndefined()
    const long = { ...CONTENTS, about: 'x'.repeat(200) }
    const sealed = sealContents({ crypto, random }, network, key, made, long)
    expect(sealed.length).toBe(made.sealed.length)
  })

  it('counts for one account and one revision: what is sealed opens in no other', async () => {
    const made = await profile()
    const elsewhere = { ...made, accountId: new Uint8Array(32).fill(9) as AccountId }
    expect(openContents(crypto, network, key, elsewhere)).toBeUndefined()
    expect(openContents(crypto, network, key, { ...made, revision: 8 })).toBeUndefined()
  })

  it('is refused with anything of it changed', async () => {
    const made = await profile()
    const linked = await signLinkedAccount(network, node, accountId, { provider: 'x', handle: 'ada', time: 5 })
    const changes: Partial<PublicProfile>[] = [
      { revision: 8 },
      { time: 1_001 },
      { sealed: new Uint8Array() },
      { accountId: new Uint8Array(32) as AccountId },
      { deviceId: new Uint8Array(16) as DeviceId },
      { foundBy: { username: 'ada', accounts: [linked] } },
      { signature: new Uint8Array(64) }
    ]
    for (const change of changes) expect(await isValid({ ...made, ...change })).toBe(false)
    expect(await verifyPublicProfile(crypto, network, node.publicKey, made)).toBe(false)
  })

  it('is replaced by the higher revision, then the later time, then the same one everywhere', async () => {
    const [one, later, higher] = [
      await profile(),
      await profile({ time: 2_000 }),
      await profile({ revision: 8, time: 1 })
    ]
    const rival = await profile()
    expect([isNewerProfile(later, one), isNewerProfile(one, later)]).toEqual([true, false])
    expect([isNewerProfile(higher, later), isNewerProfile(later, higher)]).toEqual([true, false])
    expect(isNewerProfile(one, rival)).toBe(!isNewerProfile(rival, one))
    expect(isNewerProfile(one, one)).toBe(false)
  })

  it('is not taken from a time to come', async () => {
    const made = await profile({ time: 1_000 + CLOCK_TOLERANCE_MS })
    expect([isFromTheFuture(made, 1_000), isFromTheFuture(made, 999)]).toEqual([false, true])
  })

  it('lies at its account and at each name elsewhere, whatever its capitals', async () => {
    const linked = await signLinkedAccount(network, node, accountId, { provider: 'x', handle: 'Ada', time: 5 })
    const nameless = await signLinkedAccount(network, node, accountId, { provider: 'google', handle: null, time: 5 })
    const made = await profile({ foundBy: { username: 'ada', accounts: [linked, nameless] } })
    expect(placesOf(crypto, network, made)).toEqual([accountId, handlePlace(crypto, network, 'x', 'aDA')])
  })
})
