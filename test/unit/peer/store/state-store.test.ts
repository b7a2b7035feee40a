import { utf8 } from '../../../../protocol/bytes.ts'
import type { Slot } from '../../../../peer/store/state-store.ts'
import { StateStore } from '../../../../peer/store/state-store.ts'
import { createAesAtRestCipher } from '../../../../peer/store/aes-at-rest-cipher.ts'
import { SealedStore } from '../../../../peer/store/sealed-store.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import { Secret } from '../../../../protocol/secret.ts'
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from '../../../support/peer/memory-store.ts'

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const slot: Slot<string> = {
  space: 'test',
  codec: { encode: utf8, decode: bytes => new TextDecoder().decode(bytes) }
}

async function openStates(faults: unknown[]): Promise<StateStore> {
  const crypto = createNodeCrypto()
  const store = await SealedStore.open(
    new MemoryStore(),
    createAesAtRestCipher(crypto, new Secret(random(32)), random),
    crypto,
    random
  )
  return new StateStore(store, error => faults.push(error))
}

describe('what follows a unit of work', () => {
  it('wakes loops before it tells screens, in whatever order they were named', async () => {
    const order: string[] = []
    const states = await openStates([])
    await states.unit(async unit => {
      unit.tell(() => order.push('screen'))
      unit.after(() => order.push('loop'))
      unit.tell(() => order.push('other screen'))
      unit.write(slot, 'value')
    })
    expect(order).toEqual(['loop', 'screen', 'other screen'])
  })

  it('comes whole, and leaves the unit done, though one of it throws', async () => {
    const faults: unknown[] = []
    const states = await openStates(faults)
    const ran: string[] = []
    const fault = new Error('a screen that is gone')
    const done = states.unit(async unit => {
      unit.write(slot, 'value')
      unit.after(() => {
        throw fault
      })
      unit.after(() => ran.push('after'))
      unit.tell(() => ran.push('tell'))
      return 'done'
    })
    expect(await done).toBe('done')
    expect(await states.read(slot)).toBe('value')
    expect(ran).toEqual(['after', 'tell'])
    expect(faults).toEqual([fault])
  })

  it('does not come if the unit throws', async () => {
    const states = await openStates([])
    let came = 0
    const failing = states.unit(async unit => {
      unit.after(() => came++)
      unit.tell(() => came++)
      unit.write(slot, 'value')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect([came, await states.read(slot)]).toEqual([0, undefined])
  })
})

describe('values sealed one after the other', () => {
  it('never share a nonce, beyond what is drawn at once', async () => {
    const drawn: number[] = []
    const sealer = createAesAtRestCipher(createNodeCrypto(), new Secret(random(32)), length => {
      drawn.push(length)
      return random(length)
    })
    const sealed = await Promise.all(Array.from({ length: 300 }, () => sealer.seal('name', utf8('value'))))
    const nonces = new Set(sealed.map(value => Buffer.from(value.subarray(1, 13)).toString('hex')))
    expect(nonces.size).toBe(300)
    expect(drawn.length).toBeLessThan(10)
    for (const value of sealed) expect(await sealer.open('name', value)).toEqual(utf8('value'))
  })
})

describe('a unit that screens hear of first', () => {
  /** A store whose next write waits for `release`, or fails with what it is given. */
  async function openHeld(): Promise<{ states: StateStore; release: (error?: Error) => void }> {
    const store = new MemoryStore()
    const crypto = createNodeCrypto()
    const sealed = await SealedStore.open(
      store,
      createAesAtRestCipher(crypto, new Secret(random(32)), random),
      crypto,
      random
    )
    const held = Promise.withResolvers<Error | undefined>()
    const batch = store.batch.bind(store)
    store.batch = async changes => {
      store.batch = batch
      const error = await held.promise
      if (error) throw error
      return batch(changes)
    }
    return { states: new StateStore(sealed), release: held.resolve }
  }

  it('tells them once, before it is written; whoever reads then gets what was told', async () => {
    const { states, release } = await openHeld()
    const order: string[] = []
    const told = Promise.withResolvers<void>()
    const unit = states.unit(
      async work => {
        work.write(slot, 'value')
        work.after(() => order.push('after'))
        work.tell(() => {
          order.push('told')
          told.resolve()
        })
      },
      { durable: false, tellFirst: true }
    )
    await told.promise
    const reads = Promise.all([
      states.read(slot),
      states.range('test', undefined, slot.codec).then(entries => entries[0]?.value),
      states.all('test', slot.codec).then(([value]) => value)
    ])
    expect(order).toEqual(['told'])
    release()
    await unit
    expect(order).toEqual(['told', 'after'])
    expect(await reads).toEqual(['value', 'value', 'value'])
  })

  it('that could not be written is undone, and can be told again', async () => {
    const { states, release } = await openHeld()
    let told = 0
    const take = () =>
      states.unit(
        async work => {
          work.write(slot, `value ${told}`)
          work.tell(() => told++)
        },
        { durable: false, tellFirst: true }
      )
    const failing = take()
    release(new Error('the disk is full'))
    await expect(failing).rejects.toThrow('the disk is full')
    expect(await states.read(slot)).toBeUndefined()
    await take()
    expect([told, await states.read(slot)]).toEqual([2, 'value 1'])
  })
})

describe('a read outside of units', () => {
  it('that began before a write does not put the old value back into memory', async () => {
    const store = new MemoryStore()
    const crypto = createNodeCrypto()
    const sealed = await SealedStore.open(
      store,
      createAesAtRestCipher(crypto, new Secret(random(32)), random),
      crypto,
      random
    )
    const before = new StateStore(sealed, () => {})
    await before.unit(async unit => unit.write(slot, 'old'))
    // Another process: nothing is in memory yet.
    const states = new StateStore(sealed, () => {})
    const answered = Promise.withResolvers<void>()
    const get = store.get.bind(store)
    store.get = async key => {
      store.get = get
      const value = await get(key)
      await answered.promise
      return value
    }
    const reading = states.read(slot)
    await states.unit(async unit => unit.write(slot, 'new'))
    answered.resolve()
    expect(await reading).toBe('new')
    expect(await states.read(slot)).toBe('new')
  })
})
