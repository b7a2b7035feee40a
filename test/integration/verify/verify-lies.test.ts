import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LieField, runForgedAnswers } from '../../adversary/campaigns/forged-answers.ts'
import { LIES } from '../../support/verify/lies.ts'

/** A short form; the campaign takes any number. */
const SHORT_LIES = 130
const SEED = 20_260_730

let field: LieField

beforeAll(async () => {
  field = await LieField.start()
})

afterAll(async () => {
  await field?.stop()
})

describe('a lying node', () => {
  it('is never believed beside an honest one', async () => {
    const report = await runForgedAnswers(field, { seed: SEED, lies: SHORT_LIES, secondSource: true })
    expect(report.failures).toEqual([])
    expect(report).toMatchObject({ lies: SHORT_LIES, accepted: 0, forgedKeys: 0, shownUnconfirmed: 0 })
    expect(Object.keys(report.kinds).sort()).toEqual(Object.keys(LIES).sort())
  })

  it('alone cannot forge a key of a known account, and whatever else it says is shown as unconfirmed', async () => {
    const report = await runForgedAnswers(field, { seed: SEED + 1, lies: SHORT_LIES, secondSource: false })
    expect(report.failures).toEqual([])
    expect(report).toMatchObject({ lies: SHORT_LIES, accepted: 0, forgedKeys: 0 })
    // Withheld and invented records are what one source can always get away with: the lies were real.
    expect(report.shownUnconfirmed).toBeGreaterThan(0)
    expect(report.verdicts.contradiction).toBeGreaterThan(SHORT_LIES / 3)
  })
})
