import { expect, it } from 'vitest'
import { registeredOnly } from '../../../peer/registered-only.ts'

class Counter {
  #value = 0

  async add(step: number): Promise<number> {
    return (this.#value += step)
  }
}

it('a guarded area rejects before the call begins, and passes calls on afterwards', async () => {
  let isRegistered = false
  const counter = registeredOnly({ add: 'give-up' }, new Counter(), () => {
    if (!isRegistered) throw new Error('no account')
  })
  await expect(counter.add(1)).rejects.toThrow('no account')
  isRegistered = true
  expect(await counter.add(2)).toBe(2)
})

it('a guarded area has the listed calls only', () => {
  const area = { listed: async () => {}, hidden: async () => {} }
  expect(Object.keys(registeredOnly<Pick<typeof area, 'listed'>>({ listed: 'repeat' }, area, () => {}))).toEqual([
    'listed'
  ])
})
