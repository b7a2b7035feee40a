/** A form of the campaign `established-lies` that takes seconds. */
import { expect, test } from 'vitest'
import { runEstablishedLies } from '../../../adversary/campaigns/established-lies.ts'

const SEED = 20_261_129
const LIES = 60

test('a lie of one of two operators about people who are known lasts no longer than five minutes', async () => {
  const report = await runEstablishedLies({ seed: SEED, lies: LIES, operators: 2 })
  expect(report.failures).toEqual([])
  expect(report).toMatchObject({ lies: LIES, accepted: 0, forgedKeys: 0, shown: 0 })
  expect(report.undeceived).toBeGreaterThan(LIES / 2)
})

test('a lie of the only operator is shown as the word of one, and forges no key', async () => {
  const report = await runEstablishedLies({ seed: SEED, lies: LIES, operators: 1 })
  expect(report.failures).toEqual([])
  expect(report).toMatchObject({ lies: LIES, accepted: 0, forgedKeys: 0 })
  // The lies were real.
  expect(report.shown).toBeGreaterThan(0)
})
