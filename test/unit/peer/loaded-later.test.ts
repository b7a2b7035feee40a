import { expect, it } from 'vitest'
import { loadedLater } from '../../../peer/loaded-later.ts'

class Greeting {
  readonly #name = 'Ada'

  async greet(word: string): Promise<string> {
    return `${word}, ${this.#name}`
  }
}

it('loads an area once, at the first call, and again after a load that failed', async () => {
  let loads = 0
  const area = loadedLater<Pick<Greeting, 'greet'>>({ greet: 'repeat' }, async () => {
    loads++
    if (loads === 1) throw new Error('no connection')
    return new Greeting()
  })
  expect(loads).toBe(0)
  await expect(area.greet('Hello')).rejects.toThrow('no connection')
  expect(await Promise.all([area.greet('Hello'), area.greet('Bye')])).toEqual(['Hello, Ada', 'Bye, Ada'])
  expect(loads).toBe(2)
})
