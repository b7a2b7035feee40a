import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../../../protocol/bytes.ts'
import { CellStore } from '../../../../../protocol/directory/tables/cell-store.ts'
import { foldAccount } from '../../../../../protocol/directory/fold-account.ts'
import { bytesKey } from '../../../../../protocol/directory/order.ts'
import { PackedMap } from '../../../../../protocol/directory/tables/packed-map.ts'
import { PackReader, PackWriter, type Packing } from '../../../../../protocol/directory/tables/packing.ts'
import type { Table } from '../../../../../protocol/directory/tables/table.ts'
import {
  buildNameCommit,
  buildNameReveal,
  buildNode,
  buildRecover,
  buildRotate
} from '../../../../../protocol/identity/build-record.ts'
import { nameCommitment } from '../../../../../protocol/identity/name-commitment.ts'
import { NAME_REVEAL_MIN_BLOCKS } from '../../../../../protocol/limits.ts'
import { bytesOf, castDevice, castKey, CHAIN_START, crypto, network } from '../../../../support/directory/cast.ts'
import { ordered, TestAccount, TestChain } from '../../../../support/directory/test-chain.ts'

const text: Packing<string> = { write: (writer, value) => writer.text(value), read: reader => reader.text() }
const KEYS = Array.from({ length: 40 }, (_, i) => bytesKey(bytesOf(`key ${i}`)))

describe('packing', () => {
  it('gives any number back', () => {
    const number = fc.oneof(fc.maxSafeNat(), fc.double({ noNaN: true }), fc.nat(300))
    fc.assert(
      fc.property(fc.array(number), values => {
        const writer = new PackWriter()
        for (const value of values) writer.number(value)
        const reader = new PackReader(writer.finish().slice())
        for (const value of values) expect(reader.number()).toBe(value === 0 ? 0 : value)
      })
    )
  })
})

describe('a packed map', () => {
  it('reads like the map it stands for, however its values grow and shrink, and so do its forks', () => {
    const change = fc.record({
      key: fc.constantFrom(...KEYS),
      length: fc.option(fc.oneof(fc.nat(50), fc.nat(3_000)), { freq: 4 })
    })
    const run = (map: Table<string>, model: Map<string, string>, changes: { key: string; length: number | null }[]) => {
      for (const [i, { key, length }] of changes.entries()) {
        if (length === null) {
          map.delete(key)
          model.delete(key)
        } else {
          map.set(key, `${i} `.padEnd(length, 'x'))
          model.set(key, `${i} `.padEnd(length, 'x'))
        }
      }
      expect(map.size).toBe(model.size)
      expect(new Map(map.entries())).toEqual(model)
      expect([...map.values()].sort()).toEqual([...model.values()].sort())
      for (const key of KEYS) expect([map.get(key), map.has(key)]).toEqual([model.get(key), model.has(key)])
    }
    const changes = fc.array(change, { maxLength: 80 })
    fc.assert(
      fc.property(changes, changes, fc.nat(), (first, second, hashSeed) => {
        const map = new PackedMap(text, { keyBytes: 32, hashSeed })
        const model = new Map<string, string>()
        run(map, model, first)
        run(map.fork(), new Map(model), second)
        run(map, model, second)
      })
    )
  })

  it('finds each of many entries, and knows none by a key of another length', () => {
    const map = new PackedMap(text, { keyBytes: 32 })
    const keys = Array.from({ length: 20_000 }, (_, i) => bytesKey(crypto.sha256(utf8(`${i}`))))
    keys.forEach((key, i) => map.set(key, `${i}`))
    keys.forEach((key, i) => expect(map.get(key)).toBe(`${i}`))
    keys.forEach((key, i) => expect(bytesKey(map.keyAt(map.entryOf(key)!))).toBe(keys[i]))
    expect(map.get(keys[0]!.slice(1))).toBeUndefined()
    expect(() => map.set(keys[0]!.slice(1), '')).toThrow('32 bytes')
    expect(map.byteLength).toBeLessThan(keys.length * 80)
  })

  it('does not grow when values are replaced', () => {
    const map = new PackedMap(text, { keyBytes: 32 })
    const fill = (): void => KEYS.forEach((key, i) => map.set(key, 'x'.repeat(1 + ((i * 37) % 900))))
    const drain = (): void => KEYS.forEach(key => map.delete(key))
    fill()
    const before = map.byteLength
    for (let round = 0; round < 200; round++) {
      drain()
      fill()
    }
    expect(map.byteLength).toBe(before)
  })
})

describe('a cell store', () => {
  it('keeps what is larger than its chunks', () => {
    const cells = new CellStore()
    const sizes = [10, 3_000_000, 20, 1_048_575, 900_000, 200_000, 30]
    const kept = sizes.map((length, i) => ({ cell: cells.add(new Uint8Array(length).fill(i)), length, i }))
    for (const { cell, length, i } of kept) {
      const bytes = cells.copy(cell, length)
      expect([bytes.length, bytes.every(byte => byte === i)]).toEqual([length, true])
    }
  })
})

describe('a directory that keeps accounts as bytes', () => {
  it('gives each account as it was folded', async () => {
    const chain = new TestChain()
    const ada = await TestAccount.create(chain, 'ada', 'recovery 1', 4)
    const same = async (): Promise<void> => {
      const fold = await foldAccount(crypto, network, ada.accountId, chain.entries)
      expect(ada.state).toEqual(fold!.account)
    }
    await same()
    await chain.accept(await buildRotate(network, await ada.as('ada2'), bytesOf('fresh')))
    await same()
    for (const name of ['one', 'two', 'three']) {
      const [tag, salt] = [bytesOf(`tag ${name}`), bytesOf(`salt ${name}`)]
      const commitment = nameCommitment(crypto, network, tag, ada.accountId, salt)
      await chain.accept(await buildNameCommit(network, await ada.as('ada1'), commitment))
      chain.mine(NAME_REVEAL_MIN_BLOCKS)
      // The last one stays a commitment.
      if (name !== 'three') await chain.accept(await buildNameReveal(network, await ada.as('ada1'), tag, salt))
      await same()
    }
    await chain.accept(await buildNode(network, await ada.as('ada1'), await castKey('node'), ['wss://node.example/']))
    await same()
    // A younger device revokes an older one, which answers; then a plain revocation.
    await ada.revoke('ada3', 'ada2')
    await same()
    await ada.revoke('ada2', 'ada3')
    await same()
    await ada.revoke('ada1', 'ada4')
    await same()
    const rescue = await castDevice('ada5')
    const [old, next] = [await castKey('recovery 1'), await castKey('recovery 2')]
    const { messagingKeyHash } = rescue.keys
    const recovery = { prev: ada.state.head, messagingKeyHash, recoveryKey: next.publicKey, time: CHAIN_START }
    await chain.accept(await buildRecover(network, old, rescue.key, recovery))
    await same()
    expect(chain.directory.device(rescue.deviceId)!.account).toEqual(ada.state)
    expect(chain.directory.accountOfRecord(ada.state.head)).toEqual(ada.state)
    const pending = ordered(await ada.addRecord('ada5', 'ada6'), null)
    chain.entries.push(pending)
    await chain.directory.apply(pending)
    await same()
  })
})
