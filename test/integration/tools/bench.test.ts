import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { peersFolder } from '../../bench/peers.ts'
import { report, reportRounds, type Figure } from '../../bench/report.ts'
import { CommandProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'

afterEach(() => vi.restoreAllMocks())

/** Runs `npm run bench` with these arguments. */
async function bench(...args: string[]): Promise<{ code: number | null; figures: Figure[]; stderr: string }> {
  const { code, stdout, stderr } = await new CommandProcess('test/bench/main.ts', args).ended
  const lines = stdout.split('\n').filter(line => line !== '')
  return { code, figures: lines.map(line => JSON.parse(line) as Figure), stderr }
}

describe('npm run bench', () => {
  it('prints a JSON object a line, and with a baseline the ratio to it', async () => {
    const { code, figures, stderr } = await bench('records-per-ada', 'lookup', '--accounts', '45')
    expect([code, stderr]).toEqual([0, ''])
    const metrics = figures.map(({ metric }) => metric)
    expect(new Set(metrics).size).toBe(metrics.length)
    expect(metrics).toEqual(
      expect.arrayContaining(['records-per-ada-single', 'records-per-ada-batch-20', 'lookup-name-p99'])
    )
    for (const figure of figures) {
      expect(figure).toMatchObject({ metric: expect.any(String), value: expect.any(Number), unit: expect.any(String) })
      expect([figure.peerValue === null, figure.ratio === null]).toEqual(Array(2).fill(figure.peer === null))
      expect(Object.keys(figure)).toEqual(Object.keys(figures[0]!))
    }
    const proof = figures.find(({ metric }) => metric === 'lookup-account-proof-p99')!
    expect(proof).toMatchObject({ unit: 'us', peer: 'three LevelDB gets of such transactions' })
    expect(proof.spread![0]).toBeLessThanOrEqual(proof.ratio!)
  })

  it('refuses what it does not know', async () => {
    const refused = { code: 2, figures: [], stderr: expect.stringContaining('Usage') }
    expect(await bench('lookup', 'no-such-bench')).toMatchObject(refused)
  })
})

describe('a peer that is absent', () => {
  it('is reported as not run, with neither a ratio nor a verdict', async () => {
    const lines = vi.spyOn(console, 'log').mockReturnValue()
    const folder = temporaryFolder()
    try {
      const { problem } = await peersFolder('ws', { folder, npm: 'no-such-npm' })
      expect(problem).toContain('ws could not be installed')
      const comparison = { peer: 'raw ws relay', target: { atMost: 10 }, note: `peer not run: ${problem}` }
      report('alone', 'ms', 3, { ...comparison, peerValue: null })
      reportRounds(
        'rounds',
        'ms',
        [
          [3, null],
          [4, null]
        ],
        comparison
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
    expect(lines).toHaveBeenCalledTimes(2)
    for (const [line] of lines.mock.calls) {
      expect(JSON.parse(line as string)).toMatchObject({
        peer: 'raw ws relay',
        peerValue: null,
        ratio: null,
        met: null,
        note: expect.stringContaining('peer not run')
      })
    }
  })
})
