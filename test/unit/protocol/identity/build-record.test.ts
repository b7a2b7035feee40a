import { describe, expect, it } from 'vitest'
import * as build from '../../../../protocol/identity/build-record.ts'
import {
  decodeRecord,
  encodeRecord,
  recordSigningBytes,
  type DirectoryRecord
} from '../../../../protocol/identity/record.ts'
import { signaturesOf } from '../../../../protocol/directory/parsed-record.ts'
import type { AccountId, RecordId } from '../../../../protocol/identity/device.ts'
import { utf8 } from '../../../../protocol/bytes.ts'
import {
  bytesOf,
  castDevice,
  castKey,
  CHAIN_START,
  crypto,
  network,
  releaseKey,
  signer
} from '../../../support/directory/cast.ts'
import { idOf } from '../../../support/directory/test-chain.ts'

const [ada, added] = [await castDevice('ada1'), await castDevice('ada2')]
const [recovery, node] = [await castKey('recovery'), await castKey('node')]
const by = signer(ada, bytesOf('prev'))
const { messagingKeyHash } = added.keys

/** Every kind, with the keys of its signatures in order. */
const records: [DirectoryRecord, Uint8Array[]][] = [
  [await build.buildCreate(network, ada.key, { messagingKeyHash, recoveryKey: null, time: 5 }), [ada.key.publicKey]],
  [
    await build.buildCreate(network, ada.key, { messagingKeyHash, recoveryKey: recovery.publicKey, time: 5 }),
    [ada.key.publicKey]
  ],
  [await build.buildAdd(network, by, added.key, messagingKeyHash), [added.key.publicKey, ada.key.publicKey]],
  [await build.buildRevoke(network, by, added.deviceId, 'lost'), [ada.key.publicKey]],
  [await build.buildRotate(network, by, bytesOf('fresh')), [ada.key.publicKey]],
  [await build.buildNameCommit(network, by, bytesOf('commitment')), [ada.key.publicKey]],
  [await build.buildNameReveal(network, by, bytesOf('tag'), bytesOf('salt')), [ada.key.publicKey]],
  [await build.buildNameRelease(network, by, bytesOf('tag')), [ada.key.publicKey]],
  [
    await build.buildRecover(network, recovery, added.key, {
      prev: bytesOf('prev') as RecordId,
      messagingKeyHash,
      recoveryKey: null,
      time: CHAIN_START
    }),
    [added.key.publicKey, recovery.publicKey]
  ],
  [
    await build.buildNode(network, by, node, ['wss://a.example/', `wss://${'b'.repeat(200)}.example/`]),
    [node.publicKey, ada.key.publicKey]
  ],
  [await build.buildVouch(network, by, bytesOf('operator') as AccountId), [ada.key.publicKey]],
  [
    await build.buildRelease(network, releaseKey, {
      version: utf8('1.0.0'),
      manifestHash: bytesOf('manifest'),
      time: 5
    }),
    [releaseKey.publicKey]
  ]
]

describe('a built record', () => {
  it.each(records.map(([record, keys], index) => [`${record.kind} (${index})`, record, keys] as const))(
    '%s survives its encoding and carries the signatures of its kind',
    async (_, record, keys) => {
      expect(decodeRecord(encodeRecord(record))).toEqual(record)
      const signatures = signaturesOf(record)
      expect(signatures).toHaveLength(keys.length)
      for (const [index, key] of keys.entries()) {
        expect(await crypto.verify(key, recordSigningBytes(network, record), signatures[index]!)).toBe(true)
      }
    }
  )

  it('has an id that its signatures do not change', async () => {
    for (const [record] of records) {
      const other = { ...record }
      for (const field of Object.keys(other).filter(name => name.endsWith('Signature')))
        Object.assign(other, { [field]: new Uint8Array(64) })
      expect(idOf(other)).toEqual(idOf(record))
    }
    expect(new Set(records.map(([record]) => idOf(record).join())).size).toBe(records.length)
  })

  it('of an ADD is signed by two devices in either order', async () => {
    const draft = build.draftAdd(added.keys, by)
    const oneWay = await build.signRecord(
      network,
      await build.signRecord(network, draft, 'deviceSignature', ada.key),
      'newDeviceSignature',
      added.key
    )
    const other = await build.signRecord(
      network,
      await build.signRecord(network, draft, 'newDeviceSignature', added.key),
      'deviceSignature',
      ada.key
    )
    expect(oneWay).toEqual(other)
  })

  it('refuses a node address that the directory would refuse', async () => {
    for (const address of ['', 'wss://nöde/', 'a b', 'x'.repeat(257)]) {
      await expect(build.buildNode(network, by, node, [address])).rejects.toMatchObject({ code: 'INVALID' })
    }
  })
})
