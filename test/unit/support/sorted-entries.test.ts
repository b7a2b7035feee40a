import { expect, test } from 'vitest'
import { SeededRandom } from '../../support/seeded-random.ts'
import { SortedEntries } from '../../support/peer/sorted-entries.ts'

const KEYS = 3_000
const CHANGES = 12_000

test('ranges of sorted entries are those of a map that is sorted for each question', () => {
  const random = new SeededRandom(3)
  const plain = new Map<string, Uint8Array>()
  const sorted = new SortedEntries()
  const key = (): string => `${random.pick(['a', 'b', 'c'])}/${random.below(KEYS)}`
  for (let change = 1; change <= CHANGES; change++) {
    const name = key()
    const isSet = random.chance(change < CHANGES / 2 ? 0.8 : 0.3)
    for (const entries of [plain, sorted]) {
      if (isSet) entries.set(name, new Uint8Array([change & 0xff]))
      else entries.delete(name)
    }
    if (change % 100 !== 0) continue
    const [gte = '', lt = ''] = [key(), key()].sort()
    const all = [...plain].filter(([name]) => name >= gte && name < lt).sort(([a], [b]) => (a < b ? -1 : 1))
    expect(sorted.range({ gte, lt })).toEqual(all)
    expect(sorted.range({ gte, lt, reverse: true, limit: 5 })).toEqual(all.reverse().slice(0, 5))
  }
  sorted.clear()
  expect(sorted.range({ gte: '', lt: '~' })).toEqual([])
})
