import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AppDatabase } from '../../../../node/app-database.ts'
import { KeyDirectory } from '../../../../node/key-directory/key-directory.ts'
import {
  EARLY_BUNDLES_PER_HOUR,
  KeyDistributionService,
  RECORDS_PER_ACCOUNT_PER_HOUR
} from '../../../../node/key-directory/key-distribution-service.ts'
import { KeyStore } from '../../../../node/key-directory/key-store.ts'
import { MAX_POOL_RECORDS_PER_NODE, RecordPool } from '../../../../node/key-directory/record-pool.ts'
import { RecordOutbox } from '../../../../node/key-directory/record-outbox.ts'
import type { AuthenticatedDevice } from '../../../../node/ports.ts'
import { encodeCbor } from '../../../../protocol/cbor.ts'
import { checkProof, decodeProof } from '../../../../protocol/directory/proofs/proof.ts'
import { checkReleaseProof, decodeReleaseProof } from '../../../../protocol/directory/proofs/release-proof.ts'
import {
  buildCreate,
  buildNameCommit,
  buildNameReveal,
  buildRelease,
  buildRotate
} from '../../../../protocol/identity/build-record.ts'
import { encodeBundle, signBundle } from '../../../../protocol/identity/bundle.ts'
import { deviceIdOf, messagingKeyHash, type AccountId, type RecordId } from '../../../../protocol/identity/device.ts'
import { nameCommitment } from '../../../../protocol/identity/name-commitment.ts'
import { encodeRecord, type DirectoryRecord } from '../../../../protocol/identity/record.ts'
import { MAX_ACCOUNT_PROOF_BYTES, WEEKLY_KEY_PERIOD_MS } from '../../../../protocol/limits.ts'
import { utf8 } from '../../../../protocol/bytes.ts'
import type { NodeKey } from '../../../../protocol/wire/placement.ts'
import { MAX_PROOF_BYTES } from '../../../../protocol/wire/peer-frames.ts'
import { bytesOf, castDevice, crypto, genesis, network, releaseKey, signer } from '../../../support/directory/cast.ts'
import { random } from '../../../support/network/in-process/fixtures.ts'
import { createRecord, idOf, timeOf } from '../../../support/directory/test-chain.ts'
import { changeOf, followed } from '../../../support/chain/followed.ts'
import { silentLogger } from '../../../support/silent-logger.ts'
import { waitFor } from '../../../support/wait-for.ts'

const create = await createRecord('ada')
const accountId = idOf(create) as Uint8Array as AccountId
const ada = await castDevice('ada1')
const bob = await castDevice('bob1')
const messaging = await crypto.messagingKeyFromSeed(bytesOf('messaging'))
const device: AuthenticatedDevice = { accountId, deviceId: ada.deviceId, keys: ada.keys }

let folder: string
let node: ReturnType<typeof makeNode>

function makeNode() {
  const time = { now: timeOf(10) }
  const clock = (): number => time.now
  const keyDirectory = new KeyDirectory({ crypto, clock }, { network, genesis })
  const keyStore = new KeyStore(join(folder, 'keys'))
  const database = new AppDatabase(join(folder, 'app'))
  const published: Uint8Array[] = []
  const told: Uint8Array[] = []
  const others: Uint8Array[] = []
  const ledger = new Map<string, Uint8Array>()
  const publisher = { enqueue: async (record: Uint8Array) => void published.push(record) }
  const base = { crypto, clock, logger: silentLogger, keyDirectory }
  const peers = {
    broadcastRecords: async (records: Uint8Array[]) => void told.push(...records),
    putBundle: (account: AccountId, bundle: Uint8Array): Promise<void> => service.storeLocalBundle(account, bundle),
    getBundles: async () => others
  }
  const recordOutbox = new RecordOutbox({ ...base, database, publisher, relay: peers }, { network })
  const transactions = { transactionBytes: async (id: string) => ledger.get(id) }
  const service = new KeyDistributionService(
    { ...base, keyStore, recordOutbox, relay: peers, transactions },
    { network }
  )
  return { time, keyDirectory, keyStore, database, published, told, others, ledger, recordOutbox, service }
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'volo-directory-'))
  node = makeNode()
  await node.database.open()
  await node.keyStore.open()
})

afterEach(async () => {
  node.recordOutbox.stop()
  await node.database.close()
  await node.keyStore.close()
  rmSync(folder, { recursive: true })
})

const take = (...records: DirectoryRecord[]) => node.recordOutbox.add(records.map(encodeRecord))
const rotate = (prev: Uint8Array, name: string) => buildRotate(network, signer(ada, prev), bytesOf(name))

describe('answers about devices and accounts', () => {
  it('serves a pending device like a live one, and says which it is', async () => {
    expect(await node.service.device(ada.deviceId)).toBeUndefined()
    await take(create)
    expect(await node.service.device(ada.deviceId)).toEqual({ accountId, keys: ada.keys, state: 'pending' })
    await node.service.onChainChange(changeOf(7, [followed([create], 7)]))
    expect(await node.service.device(ada.deviceId)).toMatchObject({ state: 'live' })
  })

  it('proves an account from pending, from provisional and from final transactions', async () => {
    expect(await node.service.accountProof(accountId, MAX_ACCOUNT_PROOF_BYTES)).toBeUndefined()
    const second = await rotate(accountId, 'second')
    const third = await rotate(idOf(second), 'third')
    await take(create, second, third)
    const check = async () => {
      const proof = decodeProof((await node.service.accountProof(accountId, MAX_ACCOUNT_PROOF_BYTES))!)
      return checkProof(crypto, network, genesis.metadataLabel, accountId, proof)
    }
    expect(await check()).toMatchObject({ pendingCount: 3, confirmations: 0 })
    const first = followed([create, second], 7)
    await node.service.onChainChange(changeOf(8, [first]))
    expect(await check()).toMatchObject({ pendingCount: 1, confirmations: 2 })
    node.ledger.set(first.id, first.bytes)
    await node.service.onChainChange(changeOf(3000, [followed([third], 2990)], { final: [first] }))
    expect(await check()).toMatchObject({ pendingCount: 0, confirmations: 11, account: { head: idOf(third) } })
  })
})

describe('answers about releases', () => {
  const release = (version: string): Promise<DirectoryRecord> =>
    buildRelease(network, releaseKey, { version: utf8(version), manifestHash: bytesOf(version), time: 1 })
  const versions = async (): Promise<string[]> => {
    const proof = decodeReleaseProof(await node.service.releaseProof())
    const { releases } = await checkReleaseProof(crypto, network, genesis, proof)
    return releases.map(({ version }) => Buffer.from(version).toString())
  }

  it('proves those on the chain, from provisional and from final transactions', async () => {
    expect(await versions()).toEqual([])
    const [first, second] = [followed([create, await release('1')], 7), followed([await release('2')], 2990)]
    await node.service.onChainChange(changeOf(8, [first]))
    expect(await versions()).toEqual(['1'])
    node.ledger.set(first.id, first.bytes)
    await node.service.onChainChange(changeOf(3000, [second], { final: [first] }))
    expect(await versions()).toEqual(['1', '2'])
    await node.service.onChainChange(changeOf(3001, [], { rolledBack: [second] }))
    expect(await versions()).toEqual(['1'])
  })
})

describe('proofs of accounts whose records stand in stuffed transactions', () => {
  const stuffing = Array.from({ length: 14 }, (_, i) => encodeCbor(new Uint8Array(1_000).fill(i)))

  async function history(count: number) {
    const records: DirectoryRecord[] = [create]
    while (records.length < count) records.push(await rotate(idOf(records.at(-1)!), `key ${records.length}`))
    return records
  }

  it('are refused past what a frame holds, and served whole to who can take them', async () => {
    const records = await history(16)
    const blocks = records.map((record, i) => followed([...stuffing, record], 10 + i))
    await node.service.onChainChange(changeOf(60, blocks))
    await expect(node.service.accountProof(accountId, MAX_PROOF_BYTES)).rejects.toMatchObject({ code: 'too-large' })
    const whole = (await node.service.accountProof(accountId, MAX_ACCOUNT_PROOF_BYTES))!
    expect(whole.length).toBeGreaterThan(MAX_PROOF_BYTES)
    await expect(node.service.accountProof(accountId, whole.length - 1)).rejects.toMatchObject({ code: 'too-large' })
    const { places } = await checkProof(crypto, network, genesis.metadataLabel, accountId, decodeProof(whole))
    expect(places).toHaveLength(16)
  })

  it('name only the transactions in which the records were accepted first', async () => {
    const records = await history(16)
    const first = followed(records, 10)
    await node.service.onChainChange(changeOf(60, [first]))
    const before = (await node.service.accountProof(accountId, MAX_PROOF_BYTES))!
    const again = records.map((record, i) => followed([...stuffing, record], 11 + i))
    await node.service.onChainChange(changeOf(60, [first, ...again]))
    expect(await node.service.accountProof(accountId, MAX_PROOF_BYTES)).toEqual(before)
  })

  it('do not hold up blocks while the log is read', async () => {
    const block = followed([create], 7)
    await node.service.onChainChange(changeOf(3000, [], { final: [block] }))
    const reading = Promise.withResolvers<Uint8Array>()
    node.ledger.get = () => reading.promise as never
    const proof = node.service.accountProof(accountId, MAX_PROOF_BYTES)
    await node.service.onChainChange(changeOf(3001, []))
    reading.resolve(block.bytes)
    expect(decodeProof((await proof)!).transactions).toHaveLength(1)
  })
})

describe('records of own devices', () => {
  it('go to the other nodes and to the publisher, and are on disk', async () => {
    await take(create)
    expect(node.published).toEqual([encodeRecord(create)])
    expect(node.told).toEqual([encodeRecord(create)])
    expect(await node.database.ownRecords()).toMatchObject([{ recordId: idOf(create) }])
  })

  it('are taken in full although another node told of them first: it may be gone', async () => {
    node.service.onRecords([encodeRecord(create)])
    await waitFor(async () => expect(await node.service.device(ada.deviceId)).toBeDefined())
    await take(create)
    expect(node.published).toEqual([encodeRecord(create)])
    expect(await node.database.ownRecords()).toMatchObject([{ recordId: idOf(create) }])
  })

  it('survive a restart until the chain has settled over them', async () => {
    await take(create)
    await node.database.close()
    await node.keyStore.close()
    node = makeNode()
    await node.database.open()
    await node.keyStore.open()
    await node.recordOutbox.start()
    expect(await node.service.device(ada.deviceId)).toMatchObject({ state: 'pending' })
    await node.service.onChainChange(changeOf(5, []))
    expect(node.published).toEqual([encodeRecord(create)])
    const block = followed([create], 7)
    await node.service.onChainChange(changeOf(12, [block]))
    expect(await node.database.ownRecords()).toHaveLength(1)
    await node.service.onChainChange(changeOf(21, [block]))
    expect(await node.database.ownRecords()).toEqual([])
    expect(await node.service.device(ada.deviceId)).toMatchObject({ state: 'live' })
  })

  it('hold a reveal, and what follows it, until its commitment is deep enough', async () => {
    const [tag, salt] = [bytesOf('tag'), bytesOf('salt')]
    const commitment = nameCommitment(crypto, network, tag, accountId, salt)
    const commit = await buildNameCommit(network, signer(ada, accountId), commitment)
    const reveal = await buildNameReveal(network, signer(ada, idOf(commit)), tag, salt)
    const next = await rotate(idOf(reveal), 'next')
    await take(create, commit, reveal, next)
    expect(node.published).toHaveLength(2)
    const blocks = [followed([create, commit], 7)]
    await node.service.onChainChange(changeOf(8, blocks))
    expect(node.published).toHaveLength(2)
    // A transaction made now lands in block 10, three after the commitment.
    await node.service.onChainChange(changeOf(9, blocks))
    expect(node.published.slice(2)).toEqual([encodeRecord(reveal), encodeRecord(next)])
    expect((await node.service.names(tag.slice(0, 2))).matches).toMatchObject([{ accountId, state: 'pending' }])
  })

  it('are taken only from a device of their account', async () => {
    await take(create)
    const record = encodeRecord(await rotate(accountId, 'x'))
    const stranger = { ...device, accountId: new Uint8Array(32) as AccountId }
    await expect(node.service.publishRecords([record], stranger)).rejects.toMatchObject({ code: 'refused' })
    const orphan = encodeRecord(await rotate(new Uint8Array(32), 'x'))
    await expect(node.service.publishRecords([orphan], device)).rejects.toMatchObject({ code: 'refused' })
    const account = encodeRecord(await createRecord('carol'))
    await expect(node.service.publishRecords([account], device)).rejects.toMatchObject({ code: 'refused' })
    await expect(node.service.publishRecords([new Uint8Array(3)], device)).rejects.toMatchObject({ code: 'malformed' })
    await node.service.publishRecords([record], device)
    expect(node.published).toHaveLength(2)
  })

  it('are limited for each account, so that none can drain the wallet', async () => {
    await take(create)
    const blocks: ReturnType<typeof followed>[] = []
    let prev: RecordId = idOf(create)
    const hand = async (name: string): Promise<void> => {
      const record = await rotate(prev, name)
      prev = idOf(record)
      await node.service.publishRecords([encodeRecord(record)], device)
    }
    for (let i = 0; i < RECORDS_PER_ACCOUNT_PER_HOUR; i++) {
      await hand(`key ${i}`)
      // Settle each, so that only the hourly limit counts.
      const records = i === 0 ? [encodeRecord(create), node.published.at(-1)!] : [node.published.at(-1)!]
      blocks.push(followed(records, 20 + i))
      await node.service.onChainChange(changeOf(60, blocks))
    }
    await expect(hand('one more')).rejects.toMatchObject({ code: 'rate-limited' })
  })
})

describe('bundles', () => {
  /** A new account, and bundles of its device. */
  async function person(name: string) {
    const key = await crypto.signingKeyFromSeed(bytesOf(`person ${name}`))
    const hash = messagingKeyHash(crypto, network, messaging.publicKey)
    const record = await buildCreate(network, key, { messagingKeyHash: hash, recoveryKey: null, time: 1 })
    const deviceId = deviceIdOf(crypto, network, record.device)
    const bundle = async (weeklyIndex: number, registeredKey = messaging.publicKey): Promise<Uint8Array> =>
      encodeBundle(
        await signBundle(network, key, {
          deviceId,
          keys: record.device,
          registeredKey,
          weeklyIndex,
          weeklyKey: messaging.publicKey,
          weeklyExpiry: node.time.now + WEEKLY_KEY_PERIOD_MS
        })
      )
    const account = idOf(record) as Uint8Array as AccountId
    return { key, record, deviceId, bundle, account, as: { accountId: account, deviceId, keys: record.device } }
  }

  it('come newest first from all who keep them, only for live devices', async () => {
    const carol = await person('carol')
    await node.service.storeBundle(await carol.bundle(1), carol.as)
    expect(await node.service.bundles(carol.account)).toEqual([])
    await take(carol.record)
    expect(await node.service.bundles(carol.account)).toHaveLength(1)
    const newer = await carol.bundle(2)
    const flipped = Uint8Array.from(await carol.bundle(3))
    flipped[flipped.length - 1]! ^= 1
    node.others.push(newer, flipped, new Uint8Array(5))
    expect(await node.service.bundles(carol.account)).toEqual([newer])
  })

  it('are those of the key that the directory has now: a ROTATE ends the old ones and admits new ones', async () => {
    const carol = await person('carol')
    await take(carol.record)
    await node.service.storeBundle(await carol.bundle(1), carol.as)
    const rotated = await crypto.messagingKeyFromSeed(bytesOf('rotated'))
    const early = await carol.bundle(2, rotated.publicKey)
    await expect(node.service.storeBundle(early, carol.as)).rejects.toMatchObject({ code: 'refused' })
    const signing = { key: carol.key, deviceId: carol.deviceId, prev: idOf(carol.record), time: 2 }
    await take(await buildRotate(network, signing, messagingKeyHash(crypto, network, rotated.publicKey)))
    expect(await node.service.bundles(carol.account)).toEqual([])
    await node.service.storeBundle(early, carol.as)
    expect((await node.service.bundles(carol.account)).map(bytes => Uint8Array.from(bytes))).toEqual([early])
    await expect(node.service.storeBundle(await carol.bundle(3), carol.as)).rejects.toMatchObject({ code: 'refused' })
  })

  it('that other nodes bring of accounts without a record are few from each of them; recorded ones are taken all the same', async () => {
    const [carol, dave] = [await person('carol'), await person('dave')]
    await take(dave.record)
    const hostile = random(32) as NodeKey
    const bytes = await carol.bundle(1)
    for (let i = 0; i < EARLY_BUNDLES_PER_HOUR; i++) {
      await node.service.storeLocalBundle(random(32) as AccountId, bytes, hostile)
    }
    const next = node.service.storeLocalBundle(carol.account, bytes, hostile)
    await expect(next).rejects.toMatchObject({ code: 'rate-limited' })
    await node.service.storeLocalBundle(carol.account, bytes, random(32) as NodeKey)
    await node.service.storeLocalBundle(dave.account, await dave.bundle(1), hostile)
    expect(await node.service.bundles(dave.account)).toHaveLength(1)
  })

  it('are checked once, not at each read, and end with their week all the same', async () => {
    const carol = await person('carol')
    await take(carol.record)
    await node.service.storeBundle(await carol.bundle(1), carol.as)
    const verify = vi.spyOn(crypto, 'verify')
    for (let i = 0; i < 10; i++) expect(await node.service.bundles(carol.account)).toHaveLength(1)
    expect(verify).not.toHaveBeenCalled()
    node.time.now += 3 * WEEKLY_KEY_PERIOD_MS
    expect(await node.service.bundles(carol.account)).toEqual([])
  })

  it('are taken only whole, in time, and from their own device', async () => {
    const carol = await person('carol')
    const dave = await person('dave')
    await expect(node.service.storeBundle(await carol.bundle(1), dave.as)).rejects.toMatchObject({ code: 'refused' })
    const forged = await carol.bundle(1)
    forged[forged.length - 1]! ^= 1
    await expect(node.service.storeBundle(forged, carol.as)).rejects.toMatchObject({ code: 'refused' })
    await expect(node.service.storeLocalBundle(carol.account, forged)).rejects.toMatchObject({ code: 'refused' })
    const old = await carol.bundle(1)
    node.time.now += 3 * WEEKLY_KEY_PERIOD_MS
    await expect(node.service.storeLocalBundle(carol.account, old)).rejects.toMatchObject({ code: 'refused' })
    await expect(node.service.storeBundle(new Uint8Array(9000), carol.as)).rejects.toMatchObject({ code: 'too-large' })
  })
})

describe('records of other nodes', () => {
  it('of one node leave room for those of others', () => {
    const pool = new RecordPool({ clock: () => 0 })
    const add = (index: number, from: string): boolean => {
      const accountId = crypto.sha256(new TextEncoder().encode(`${from}${index}`)) as Uint8Array as AccountId
      if (!pool.hasRoom(accountId, false, from)) return false
      pool.add({ parsed: { id: accountId } as never, bytes: new Uint8Array(), own: false, from, accountId })
      return true
    }
    const taken = Array.from({ length: 20_000 }, (_, i) => add(i, 'hostile')).filter(Boolean)
    expect(taken).toHaveLength(MAX_POOL_RECORDS_PER_NODE)
    expect(add(1, 'honest')).toBe(true)
    for (const { parsed } of pool.values()) pool.delete(parsed.id)
    expect(add(2, 'hostile')).toBe(true)
  })

  it('are shown, but not published here', async () => {
    node.service.onRecords([encodeRecord(create), new Uint8Array(4)])
    await waitFor(async () => expect(await node.service.device(ada.deviceId)).toMatchObject({ state: 'pending' }))
    expect(node.published).toEqual([])
    expect(await node.database.ownRecords()).toEqual([])
  })

  it('never throw, however many and whatever they are', async () => {
    const junk = Array.from({ length: 5_000 }, (_, i) => crypto.sha256(Uint8Array.of(i >> 8, i & 255)))
    node.service.onRecords(junk)
    const record = encodeRecord(await createRecord('bob'))
    await waitFor(async () => {
      node.service.onRecords([record])
      expect(await node.service.device(bob.deviceId)).toMatchObject({ state: 'pending' })
    })
    expect(node.keyDirectory.pool.size).toBe(1)
  })
})
