import { expect, test } from 'vitest'
import { isFresh } from '../../../../peer/directory/known-account.ts'

const HOUR_MS = 3_600_000

test('an account checked a moment ago is fresh; one checked in the future, by a clock since put back, is not', () => {
  expect(isFresh({ checkedAt: 1_000 }, 1_000, 10)).toBe(true)
  expect(isFresh({ checkedAt: 1_000 }, 1_009, 10)).toBe(true)
  expect(isFresh({ checkedAt: 1_000 }, 1_010, 10)).toBe(false)
  expect(isFresh({ checkedAt: HOUR_MS }, 0, 10)).toBe(false)
})
