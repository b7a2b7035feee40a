import { describe, expect, it } from 'vitest'
import { renderHuman } from '../../../../chain/verify/report/render-human.ts'
import { renderJson, renderJsonError } from '../../../../chain/verify/report/render-json.ts'
import {
  EXIT_CODES,
  verdictOf,
  type Check,
  type Outcome,
  type TrustLevel,
  type VerificationReport
} from '../../../../chain/verify/report/report.ts'

const OUTCOMES: Outcome[] = ['passed', 'failed', 'absent', 'unconfirmed', 'unreachable', 'skipped']

const check = (outcome: Outcome, more: Partial<Check> = {}): Check => ({
  id: outcome,
  outcome,
  claim: 'a claim',
  ...more
})

function reportOf(checks: Check[], asked: TrustLevel = 1, reached: TrustLevel = 1): VerificationReport {
  return {
    command: 'account',
    subject: ['@ada'],
    network: { id: 'ab'.repeat(32), cardanoMagic: 42, metadataLabel: 86_070, from: 'network.json' },
    sources: [{ name: 'node.example', kind: 'node' }],
    trust: { asked, reached },
    tips: [{ source: 'node.example', height: 7, hash: 'cd'.repeat(32), time: 1_750_000_000_000 }],
    checkedAt: 1_750_000_004_000,
    checks,
    facts: { answer: 42 },
    lines: ['a line']
  }
}

const codeOf = (...args: Parameters<typeof reportOf>): number => EXIT_CODES[verdictOf(reportOf(...args))]

describe('the exit code', () => {
  it('is 0 only if all checks passed, or were left out because somebody asked', () => {
    expect(codeOf([check('passed')])).toBe(0)
    expect(codeOf([check('passed'), check('skipped', { asked: true })])).toBe(0)
    expect(codeOf([check('passed'), check('skipped', { asked: false })])).toBe(3)
    expect(codeOf([check('passed'), check('skipped')])).toBe(3)
  })

  it('is not 0 when nothing was checked', () => {
    expect(codeOf([])).toBe(3)
    expect(codeOf([check('skipped', { asked: true })])).toBe(3)
  })

  it('is 3 below the trust asked for', () => {
    expect(codeOf([check('passed')], 2, 1)).toBe(3)
    expect(codeOf([check('passed')], 2, 2)).toBe(0)
    expect(codeOf([check('passed')], 0, 0)).toBe(0)
  })

  it('is that of the weightiest outcome: contradiction, unreachable, absent, unconfirmed', () => {
    const weights: [Outcome, number][] = [
      ['failed', 1],
      ['unreachable', 5],
      ['absent', 4],
      ['unconfirmed', 3],
      ['passed', 0]
    ]
    weights.forEach(([outcome, code], i) => {
      for (const [lighter] of weights.slice(i)) {
        expect(codeOf([check(lighter), check(outcome), check('passed')])).toBe(code)
      }
    })
  })
})

describe('the checklist for people', () => {
  it('has one line a check, marked ✓, ✗ or –', () => {
    const text = renderHuman(
      reportOf(OUTCOMES.map(outcome => check(outcome, { detail: 'why', source: 'node.example' })))
    )
    expect(text).toMatchInlineSnapshot(`
      "volo-verify account @ada
        network abababababababab…, parameters from network.json
      ✓ a claim: why [node.example]
      ✗ a claim: why [node.example]
      ✗ a claim: why [node.example]
      – unconfirmed: a claim: why [node.example]
      ✗ a claim: why [node.example]
      – skipped: a claim: why [node.example]
      ✓ trust L1: hashes and signatures hold; unconfirmed by a second source, and one alone could withhold or invent transactions
        tip of node.example: block 7, 4 s old
        a line
      CONTRADICTION: do not trust this (exit 1)
      "
    `)
  })

  it('says of what one source says that it is unconfirmed, and why, beside the verdict', () => {
    const alone = renderHuman(reportOf([check('passed')]))
    expect(alone).toMatch(/^! one source only: it could withhold the latest records, a revocation too/m)
    expect(alone).toMatch(/^VERIFIED AT L1, UNCONFIRMED by a second source \(exit 0\)$/m)
    const report = reportOf([check('passed')])
    const agreed = renderHuman({ ...report, trust: { asked: 2, reached: 2 } })
    expect(agreed).not.toMatch(/one source only/)
    expect(agreed).toMatch(/^VERIFIED \(exit 0\)$/m)
  })

  it('shows control characters of strangers instead of obeying them', () => {
    const detail = 'a\u001b[2Jb\nc\u202ed\u2028e'
    const text = renderHuman(reportOf([check('failed', { detail })]))
    expect(text).toContain('a\\u{1b}[2Jb\\u{a}c\\u{202e}d\\u{2028}e')
    expect(text.split('\n')).toHaveLength(8)
  })

  it('cuts what has no end', () => {
    expect(renderHuman(reportOf([check('failed', { detail: 'x'.repeat(100_000) })])).length).toBeLessThan(3_000)
  })
})

describe('the JSON form', () => {
  it('keeps its schema', () => {
    expect(
      JSON.parse(renderJson(reportOf([check('passed', { detail: 'why', source: 'node.example', about: '@ada' })])))
    ).toMatchInlineSnapshot(`
        {
          "checkedAt": 1750000004000,
          "checks": [
            {
              "about": "@ada",
              "claim": "a claim",
              "detail": "why",
              "id": "passed",
              "outcome": "passed",
              "source": "node.example",
            },
          ],
          "command": "account",
          "exitCode": 0,
          "facts": {
            "answer": 42,
          },
          "network": {
            "cardanoMagic": 42,
            "from": "network.json",
            "id": "abababababababababababababababababababababababababababababababab",
            "metadataLabel": 86070,
          },
          "schema": "volo-verify/1",
          "sources": [
            {
              "kind": "node",
              "name": "node.example",
            },
          ],
          "subject": [
            "@ada",
          ],
          "tips": [
            {
              "ageSeconds": 4,
              "hash": "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
              "height": 7,
              "source": "node.example",
              "time": 1750000000000,
            },
          ],
          "trust": {
            "asked": "L1",
            "confirmed": false,
            "reached": "L1",
          },
          "verdict": "verified",
        }
      `)
  })

  it('has one for a command line that is not understood', () => {
    expect(renderJsonError(null, 'no')).toBe(
      '{"schema":"volo-verify/1","command":null,"verdict":"usage","exitCode":2,"error":"no"}'
    )
  })

  it('says the same as text and exit code, whatever the outcome', () => {
    for (const outcome of OUTCOMES) {
      const report = reportOf([check('passed'), check(outcome)])
      const { exitCode } = JSON.parse(renderJson(report)) as { exitCode: number }
      expect(exitCode).toBe(EXIT_CODES[verdictOf(report)])
      expect(renderHuman(report)).toContain(`(exit ${exitCode})`)
    }
  })
})
