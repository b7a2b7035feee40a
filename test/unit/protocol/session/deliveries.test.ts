/** How many deliveries a message costs as the devices of a conversation grow. */
import { describe, expect, it } from 'vitest'
import { countDeliveries, countGroupDeliveries } from './delivery-count.ts'

describe('one hello in a fresh roster', () => {
  it.each([2, 3, 4, 8, 16, 32, 64])(
    'of %d devices causes at most three deliveries for each, receipts included',
    async n => {
      const counted = await countDeliveries(n)
      expect(counted.shown).toBe(n - 1)
      expect(counted.hello / n).toBeLessThanOrEqual(3)
      expect(counted.further / n).toBeLessThanOrEqual(1.2)
      expect(counted.opens).toBe(1)
      expect(counted.refusals).toEqual([])
      expect(counted.unacknowledged).toBe(0)
    }
  )

  it('of a group is as cheap', async () => {
    const counted = await countGroupDeliveries(12)
    expect(counted).toMatchObject({ shown: 11, opens: 1, refusals: [], unacknowledged: 0 })
    expect(counted.hello / 12).toBeLessThanOrEqual(3)
    expect(counted.further / 12).toBeLessThanOrEqual(1.2)
  })
})
