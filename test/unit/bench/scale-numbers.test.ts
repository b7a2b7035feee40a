import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../support/network/real-processes/node-process.ts'
import { markdownTable } from '../../bench/scale/markdown.ts'
import { withNumbers } from '../../bench/scale/page.ts'
import { batchOf, CHECKPOINT, FIRST_YEAR, fullBatch, PARAMETERS, RECORDS } from '../../bench/scale/scale-model.ts'
import { SCALE_TABLES } from '../../bench/scale/scale-tables.ts'

const PAGE = join(root, 'docs', 'decisions', '0006-scale.md')

describe('the page about scale', () => {
  it('says what is computed: "npm run scale-numbers -- --write" brings it up to date', () => {
    const page = readFileSync(PAGE, 'utf8')
    expect(withNumbers(page, SCALE_TABLES)).toBe(page)
  })

  it('cannot lose a table, or keep one that nobody computes', () => {
    const page = 'a\n\n<!-- numbers: one -->\n\nold\n\n<!-- end -->\n\nb\n'
    expect(withNumbers(page, { one: () => 'new' })).toBe(page.replace('old', 'new'))
    expect(() => withNumbers(page, { one: () => '', two: () => '' })).toThrow('two')
    expect(() => withNumbers(page, {})).toThrow('one')
  })
})

describe('the numbers', () => {
  it('are fees that the ledger asks for, and not a tenth of a percent more', () => {
    for (const count of [1, 20, 84]) {
      const { bytes, fee } = batchOf(FIRST_YEAR, count)!
      const least = (Number(PARAMETERS.feePerByte) * (bytes - 1) + Number(PARAMETERS.feeBase)) / 1e6
      expect(fee).toBeGreaterThanOrEqual(least)
      expect(fee).toBeLessThan(least * 1.002)
    }
  })

  it('come from transactions as large as the chain takes, and no larger', () => {
    const { count, bytes } = fullBatch(FIRST_YEAR)
    expect(bytes).toBeLessThanOrEqual(PARAMETERS.maxTransactionSize)
    expect(batchOf(FIRST_YEAR, count + 1)).toBeUndefined()
  })

  it('cover every kind of record, and a checkpoint that costs about one of them', () => {
    expect(Object.keys(RECORDS)).toHaveLength(12)
    const lone = batchOf([RECORDS['RECOVER']!], 1)!
    expect(Math.abs(CHECKPOINT.fee - lone.fee)).toBeLessThan(0.01)
  })

  it('stand in tables that the formatter leaves alone', () => {
    expect(markdownTable([{ title: 'a' }, { title: 'long', right: true }], [['bcde', '1']])).toBe(
      '| a    | long |\n| ---- | ---: |\n| bcde |    1 |'
    )
  })
})
