import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeBundle, encodeBundle, type DeviceBundle } from '../../../../protocol/identity/bundle.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import { KeyStore } from '../../../../node/key-directory/key-store.ts'

const accountId = new Uint8Array(32).fill(1) as AccountId
const otherAccount = new Uint8Array(32).fill(2) as AccountId
const deviceId = (number: number): DeviceId => new Uint8Array(16).fill(number) as DeviceId
const anybody = (): boolean => true

function bundle(device: number, weeklyIndex: number): Uint8Array {
  const value: DeviceBundle = {
    deviceId: deviceId(device),
    keys: { signingKey: new Uint8Array(32), messagingKeyHash: new Uint8Array(32) },
    registeredKey: new Uint8Array(1216),
    weeklyIndex,
    weeklyKey: new Uint8Array(1216),
    weeklyExpiry: 1,
    deviceSignature: new Uint8Array(64)
  }
  return encodeBundle(value)
}

const indexes = (bundles: Uint8Array[]): number[] => bundles.map(bytes => decodeBundle(bytes).weeklyIndex)

let folder: string
let store: KeyStore

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'volo-keys-'))
  store = new KeyStore(join(folder, 'keys'))
  await store.open()
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

describe('key store', () => {
  it('keeps the newest bundle of a device, in whatever order they come', async () => {
    const results = [1, 3, 2, 3].map(index => store.put(accountId, deviceId(1), bundle(1, index), anybody))
    expect(await Promise.all(results)).toEqual([true, true, false, false])
    expect(indexes(await store.get(accountId))).toEqual([3])
  })

  it('keeps accounts apart', async () => {
    await store.put(accountId, deviceId(1), bundle(1, 1), anybody)
    await store.put(otherAccount, deviceId(2), bundle(2, 9), anybody)
    expect(indexes(await store.get(accountId))).toEqual([1])
    expect(await store.get(new Uint8Array(32) as AccountId)).toEqual([])
  })

  it('has what it was given after it was closed and opened again', async () => {
    await store.put(accountId, deviceId(1), bundle(1, 4), anybody)
    await store.close()
    await store.open()
    expect(indexes(await store.get(accountId))).toEqual([4])
  })

  it('gives strangers no room that a known device of the account needs', async () => {
    const isKnown = (id: Uint8Array): boolean => id[0] === 200
    for (let i = 1; i <= 32; i++) await store.put(accountId, deviceId(i), bundle(i, 1), isKnown)
    expect(await store.put(accountId, deviceId(200), bundle(200, 7), isKnown)).toBe(true)
    expect(await store.get(accountId)).toHaveLength(32)
    expect(indexes(await store.get(accountId))).toContain(7)
  })

  it('takes no more than an account may have devices', async () => {
    for (let i = 1; i <= 32; i++) await store.put(accountId, deviceId(i), bundle(i, 1), anybody)
    expect(await store.put(accountId, deviceId(33), bundle(33, 1), anybody)).toBe(false)
    expect(await store.put(accountId, deviceId(5), bundle(5, 2), anybody)).toBe(true)
  })

  it('forgets bundles of accounts whose records never come, at the second sweep', async () => {
    await store.put(accountId, deviceId(1), bundle(1, 1), anybody)
    await store.put(otherAccount, deviceId(2), bundle(2, 1), anybody)
    const isRecorded = (id: AccountId): boolean => id[0] === accountId[0]
    await store.sweep(isRecorded)
    expect(await store.get(otherAccount)).toHaveLength(1)
    await store.sweep(isRecorded)
    expect([await store.get(accountId), await store.get(otherAccount)]).toMatchObject([{ length: 1 }, { length: 0 }])
  })
})
