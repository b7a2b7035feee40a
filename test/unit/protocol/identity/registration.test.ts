import { beforeAll, describe, expect, it } from 'vitest'
import { decodeBundle, encodeBundle, signBundle, verifyBundle } from '../../../../protocol/identity/bundle.ts'
import { buildCreate, buildNameCommit } from '../../../../protocol/identity/build-record.ts'
import { deviceIdOf, messagingKeyHash, type DevicePublicKeys } from '../../../../protocol/identity/device.ts'
import { encodeRecord } from '../../../../protocol/identity/record.ts'
import {
  decodeRegistration,
  encodeRegistration,
  signDeviceChallenge,
  verifyRegistration,
  type Registration
} from '../../../../protocol/identity/registration.ts'
import type { MessagingKey, SigningKey } from '../../../../protocol/crypto/crypto.ts'
import { WEEKLY_KEY_PERIOD_MS } from '../../../../protocol/limits.ts'
import { bytesOf, castKey, CHAIN_START as NOW, crypto, network, otherNetwork } from '../../../support/directory/cast.ts'
import { createRecord, idOf } from '../../../support/directory/test-chain.ts'

const nodeKey = bytesOf('node')
let key: SigningKey
let messaging: MessagingKey
let weekly: MessagingKey
let keys: DevicePublicKeys

beforeAll(async () => {
  key = await castKey('registering device')
  messaging = await crypto.messagingKeyFromSeed(bytesOf('messaging'))
  weekly = await crypto.messagingKeyFromSeed(bytesOf('weekly'))
  keys = { signingKey: key.publicKey, messagingKeyHash: messagingKeyHash(crypto, network, messaging.publicKey) }
})

async function bundle(net = network): Promise<Uint8Array> {
  return encodeBundle(
    await signBundle(net, key, {
      deviceId: deviceIdOf(crypto, network, keys),
      keys,
      registeredKey: messaging.publicKey,
      weeklyIndex: 0,
      weeklyKey: weekly.publicKey,
      weeklyExpiry: NOW + WEEKLY_KEY_PERIOD_MS
    })
  )
}

async function registration(change: Partial<Registration> = {}): Promise<Registration> {
  const create = await buildCreate(network, key, {
    messagingKeyHash: keys.messagingKeyHash,
    recoveryKey: null,
    time: NOW
  })
  const deviceId = deviceIdOf(crypto, network, keys)
  const nonce = bytesOf('nonce')
  const commit = await buildNameCommit(network, { key, deviceId, prev: idOf(create), time: NOW }, bytesOf('commitment'))
  return {
    nonce,
    signature: await signDeviceChallenge(network, key, { nodeKey, nonce, deviceId, recordId: idOf(create) }),
    record: encodeRecord(create),
    bundle: await bundle(),
    signInCode: 'code',
    nameCommit: encodeRecord(commit),
    ...change
  }
}

const verify = (value: Registration, node = nodeKey): ReturnType<typeof verifyRegistration> =>
  verifyRegistration(crypto, network, node, value, NOW)

describe('a registration', () => {
  it('names the account, its device and its name commitment once all of it holds', async () => {
    const value = await registration()
    const verified = await verify(decodeRegistration(encodeRegistration(value)))
    expect(verified.accountId).toEqual(idOf(verified.create))
    expect(verified.deviceId).toEqual(deviceIdOf(crypto, network, keys))
    expect(verified.nameCommit!.commitment).toEqual(bytesOf('commitment'))
    expect((await verify(await registration({ nameCommit: null }))).nameCommit).toBeNull()
  })

  it('is good at one node and for one nonce only', async () => {
    await expect(verify(await registration(), bytesOf('other node'))).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
    await expect(verify(await registration({ nonce: bytesOf('other') }))).rejects.toMatchObject({
      code: 'BAD_SIGNATURE'
    })
  })

  it('is refused with the record, bundle or commitment of another device', async () => {
    const others = encodeRecord(await createRecord('ada'))
    await expect(verify(await registration({ record: others }))).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
    await expect(verify(await registration({ nameCommit: others }))).rejects.toMatchObject({ code: 'INVALID' })
    const changed = { ...decodeBundle(await bundle()), deviceId: bytesOf('x').slice(0, 16) as never }
    await expect(verify(await registration({ bundle: encodeBundle(changed) }))).rejects.toMatchObject({
      code: 'INVALID'
    })
    await expect(verify(await registration({ bundle: await bundle(otherNetwork) }))).rejects.toMatchObject({
      code: 'BAD_SIGNATURE'
    })
  })

  it('is refused when the commitment does not follow the first record, or is not signed', async () => {
    const signer = { key, deviceId: deviceIdOf(crypto, network, keys), time: NOW }
    const elsewhere = await buildNameCommit(network, { ...signer, prev: bytesOf('x') as never }, bytesOf('c'))
    await expect(verify(await registration({ nameCommit: encodeRecord(elsewhere) }))).rejects.toMatchObject({
      code: 'INVALID'
    })
    const prev = (await verify(await registration())).accountId as Uint8Array
    const unsigned = {
      ...(await buildNameCommit(network, { ...signer, prev: prev as never }, bytesOf('c'))),
      deviceSignature: new Uint8Array(64)
    }
    await expect(verify(await registration({ nameCommit: encodeRecord(unsigned) }))).rejects.toMatchObject({
      code: 'BAD_SIGNATURE'
    })
  })

  it('is refused with another record than CREATE', async () => {
    const { nameCommit } = await registration()
    await expect(verify(await registration({ record: nameCommit! }))).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('has bounded bytes', () => {
    expect(() => decodeRegistration(new Uint8Array(9_000))).toThrow('at most')
    expect(() => decodeRegistration(Uint8Array.of(0x80))).toThrow('fields')
  })
})

describe('a bundle', () => {
  it('is checked against the messaging key that the directory has now', async () => {
    const fresh = await crypto.messagingKeyFromSeed(bytesOf('rotated'))
    const rotated = await signBundle(network, key, { ...decodeBundle(await bundle()), registeredKey: fresh.publicKey })
    const now = messagingKeyHash(crypto, network, fresh.publicKey)
    await verifyBundle(crypto, network, rotated, NOW, now)
    await expect(verifyBundle(crypto, network, rotated, NOW)).rejects.toMatchObject({ code: 'BAD_KEY' })
    await expect(verifyBundle(crypto, network, decodeBundle(await bundle()), NOW, now)).rejects.toMatchObject({
      code: 'BAD_KEY'
    })
  })

  it('is refused past its week, ahead of it, and with any part changed', async () => {
    const good = decodeBundle(await bundle())
    await verifyBundle(crypto, network, good, NOW)
    await expect(verifyBundle(crypto, network, good, NOW + 8 * 86_400_000)).rejects.toMatchObject({ code: 'EXPIRED' })
    await expect(verifyBundle(crypto, network, good, NOW - 8 * 86_400_000)).rejects.toMatchObject({ code: 'EXPIRED' })
    for (const change of [{ weeklyIndex: 1 }, { weeklyKey: messaging.publicKey }, { weeklyExpiry: NOW }]) {
      await expect(verifyBundle(crypto, network, { ...good, ...change }, NOW)).rejects.toMatchObject({
        code: 'BAD_SIGNATURE'
      })
    }
  })
})
