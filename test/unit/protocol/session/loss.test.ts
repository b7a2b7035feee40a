/** What is done about Opens that did not arrive, and what must not be done. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Roster } from '../../../../protocol/roster/roster.ts'
import {
  acknowledgeOpen,
  devicesToReopen,
  eraseDelivery,
  isDeliveryFinished,
  openDeliveryState,
  REOPEN_DELAY_MS,
  RESEAL_DELAY_MS,
  UNHEARD_DELAY_MS,
  type DeviceSituation
} from '../../../../protocol/session/open-delivery.ts'
import type { OpenedSession } from '../../../../protocol/session/open.ts'
import { reopenSession } from '../../../../protocol/session/reopen.ts'
import type { SealKeyId } from '../../../../protocol/session/seal-key.ts'
import {
  acceptAs,
  createAccount,
  openTo,
  partFor,
  rosterOf,
  START,
  testEnvironment,
  type TestAccount,
  type TestDevice
} from './fixtures.ts'

const env = testEnvironment('loss')
let bobs: TestAccount
let adas: TestAccount
let ada: TestDevice
let b1: TestDevice
let b2: TestDevice
let roster: Roster
let opened: OpenedSession

beforeAll(async () => {
  adas = await createAccount(env, 1)
  bobs = await createAccount(env, 2)
  ada = adas.devices[0]!
  ;[b1, b2] = bobs.devices as [TestDevice, TestDevice]
  roster = rosterOf(env, adas, bobs)
  opened = await openTo(env, ada, roster, [b1, b2])
})

const others = () => [b1.deviceId, b2.deviceId]
const nothing = (): DeviceSituation => ({ keyId: undefined, heardAt: undefined })

describe('an Open under way', () => {
  it('is finished once every device has acknowledged it, and its secret wiped', () => {
    const delivery = openDeliveryState.decode(openDeliveryState.encode(opened.delivery))
    expect(delivery).toEqual(opened.delivery)
    const one = acknowledgeOpen(delivery, b1.deviceId)
    expect(isDeliveryFinished(one, START)).toBe(false)
    expect(acknowledgeOpen(one, b1.deviceId)).toBe(one)
    const both = acknowledgeOpen(one, b2.deviceId)
    expect(isDeliveryFinished(both, START)).toBe(true)
    eraseDelivery(both)
    expect(both.secret).toEqual(new Uint8Array(32))
  })

  it('goes again to a device that is heard of but does not acknowledge, less and less often', () => {
    const heard = (): DeviceSituation => ({ keyId: undefined, heardAt: START + 1 })
    const due = (delivery = opened.delivery, at = START) => devicesToReopen(delivery, others(), heard, at)
    expect(due(opened.delivery, START + REOPEN_DELAY_MS - 1)).toEqual([])
    expect(due(opened.delivery, START + REOPEN_DELAY_MS)).toHaveLength(2)
    const third = {
      ...opened.delivery,
      waiting: opened.delivery.waiting.map(entry => ({ ...entry, attempts: 3 }))
    }
    expect(due(third, START + 4 * REOPEN_DELAY_MS - 1)).toEqual([])
    expect(due(third, START + 4 * REOPEN_DELAY_MS)).toHaveLength(2)
  })

  it('a lost Open with nobody to ask: goes again by time alone, and not after it would be refused', () => {
    expect(devicesToReopen(opened.delivery, others(), nothing, START + UNHEARD_DELAY_MS - 1)).toEqual([])
    expect(devicesToReopen(opened.delivery, others(), nothing, START + UNHEARD_DELAY_MS)).toHaveLength(2)
    const { expiry } = opened.delivery
    expect(devicesToReopen(opened.delivery, others(), nothing, expiry + 1)).toEqual([])
    expect(isDeliveryFinished(opened.delivery, expiry + 1)).toBe(true)
  })

  it('is sealed again soon when a device’s key has changed', () => {
    const changed = (): DeviceSituation => ({ keyId: new Uint8Array(32) as SealKeyId, heardAt: undefined })
    expect(devicesToReopen(opened.delivery, others(), changed, START + RESEAL_DELAY_MS - 1)).toEqual([])
    expect(devicesToReopen(opened.delivery, others(), changed, START + RESEAL_DELAY_MS)).toHaveLength(2)
  })

  it('goes to nobody who has left the roster', () => {
    const later = START + UNHEARD_DELAY_MS
    expect(devicesToReopen(opened.delivery, [b2.deviceId], nothing, later)).toEqual([b2.deviceId])
  })

  it('opens the same session when it is sealed again', async () => {
    const first = await acceptAs(env, b1, roster, opened.openBody, partFor(opened, b1.deviceId))
    const sources = { peerKeys: [], bundles: [b1.bundle, b2.bundle] }
    const again = await reopenSession(env, ada.signingKey, opened.delivery, roster, [b1.deviceId], sources)
    expect(again.parts.map(({ deviceId }) => deviceId)).toEqual([b1.deviceId])
    expect(again.parts[0]!.part).not.toEqual(partFor(opened, b1.deviceId))
    const second = await acceptAs(env, b1, roster, opened.openBody, again.parts[0]!.part)
    expect(second.inbound).toEqual(first.inbound)
    expect(again.delivery.waiting.map(({ attempts }) => attempts).sort()).toEqual([1, 2])
  })

  it('is not sealed again for those who acknowledged or left, even if asked', async () => {
    const sources = { peerKeys: [], bundles: [b1.bundle, b2.bundle] }
    const delivery = acknowledgeOpen(opened.delivery, b1.deviceId)
    const toBoth = await reopenSession(env, ada.signingKey, delivery, roster, others(), sources)
    expect(toBoth.parts.map(({ deviceId }) => deviceId)).toEqual([b2.deviceId])
    const smaller = {
      ...roster,
      members: roster.members.map(member => ({
        ...member,
        devices: member.devices.filter(device => device.deviceId !== b2.deviceId)
      }))
    }
    const toNobody = await reopenSession(env, ada.signingKey, delivery, smaller, others(), sources)
    expect(toNobody.parts).toEqual([])
    expect(toNobody.delivery.waiting).toEqual([])
  })

  it('reaches a device later that had no key at first', async () => {
    const partial = await openTo(env, ada, roster, [b2])
    expect(partial.unsealed.map(({ deviceId }) => deviceId)).toEqual([b1.deviceId])
    const known = (): DeviceSituation => ({ keyId: new Uint8Array(32) as SealKeyId, heardAt: undefined })
    expect(devicesToReopen(partial.delivery, others(), nothing, START + 1)).toEqual([])
    expect(devicesToReopen(partial.delivery, others(), known, START + 1)).toEqual([b1.deviceId])
    const sources = { peerKeys: [], bundles: [b1.bundle] }
    const { parts } = await reopenSession(env, ada.signingKey, partial.delivery, roster, [b1.deviceId], sources)
    await expect(acceptAs(env, b1, roster, partial.openBody, parts[0]!.part)).resolves.toBeDefined()
  })

  it('that still cannot be sealed is tried less and less often', async () => {
    const partial = await openTo(env, ada, roster, [b2])
    const known = (): DeviceSituation => ({ keyId: new Uint8Array(32) as SealKeyId, heardAt: undefined })
    const sources = { peerKeys: [], bundles: [] }
    const { delivery, unsealed } = await reopenSession(
      env,
      ada.signingKey,
      partial.delivery,
      roster,
      [b1.deviceId],
      sources
    )
    expect(unsealed).toHaveLength(1)
    expect(devicesToReopen(delivery, [b1.deviceId], known, START + REOPEN_DELAY_MS - 1)).toEqual([])
    expect(devicesToReopen(delivery, [b1.deviceId], known, START + REOPEN_DELAY_MS)).toEqual([b1.deviceId])
  })
})
