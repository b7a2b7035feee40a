import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compareLedgers, KNOWN_DISAGREEMENTS } from '../../../adversary/campaigns/ledger-rules.ts'
import { root } from '../../../support/network/real-processes/node-process.ts'
import { openSecondLedger, type SecondLedger } from '../../../support/chain/second-ledger.ts'

const page = readFileSync(join(root, 'docs', 'decisions', '0007-ledger-rules.md'), 'utf8')
const second = openSecondLedger()
if (!second) {
  console.warn(
    'NOT RUN: the second implementation of the ledger rules is not installed. "npm run campaign -- ledger-rules" installs it and compares.'
  )
}

describe.skipIf(!second)('two implementations of the ledger rules', () => {
  it('agree on every hand-built transaction and record but the known ones', async () => {
    const report = await compareLedgers(second!)
    expect(report.failures).toEqual([])
    expect(report.cases).toBeGreaterThan(120)
    expect(report.known).toBe(Object.keys(KNOWN_DISAGREEMENTS).length)
    expect(report.agreed + report.known).toBe(report.cases)
    expect(page).toContain(`judge ${report.cases} cases`)
    expect(page).toContain(`agree on ${report.agreed}. The other ${report.known},`)
  })
})

describe('the comparison of two ledgers', () => {
  const lenient: SecondLedger = { name: 'lenient', judge: () => 'accepted' }

  it('reports what a ledger takes that no other does', async () => {
    const { failures } = await compareLedgers(lenient)
    expect(failures).toContain('no signature: the devnet says refused, lenient says accepted')
    // Known disagreements that are gone are told, too.
    expect(failures.join()).toContain('the least fee: the devnet says accepted, lenient says accepted, which is known')
  })

  it('lists each known disagreement, with its reason, where people look for it', () => {
    for (const [name, { wrong, reason }] of Object.entries(KNOWN_DISAGREEMENTS)) {
      const row = page.split('\n').find(line => line.startsWith('|') && line.includes(` ${name} `))
      expect(row, name).toContain(reason)
      expect(row, name).toContain(wrong === 'devnet' ? 'devnet' : 'cquisitor')
    }
  })
})
