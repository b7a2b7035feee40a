import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { allBackends } from '../../../vectors/backends.ts'
import { runVectorFolder, type Summary } from '../../../vectors/vector-files.ts'
import type { Report } from '../../../vectors/verdict.ts'

const PUBLISHED = resolve(process.env['VOLO_VECTORS_DIR'] ?? join(import.meta.dirname, '../../../../../shared/vectors'))
const RUNNER = join(import.meta.dirname, '../../../vectors/run-vectors.ts')

async function run(directory: string): Promise<{ reports: Report[]; summary: Summary }> {
  const reports: Report[] = []
  const summary = await runVectorFolder(directory, await allBackends(), report => reports.push(report))
  return { reports, summary }
}

const present = existsSync(PUBLISHED)
if (!present) console.warn(`\n*** SKIPPED: published test vectors are not at ${PUBLISHED}; set VOLO_VECTORS_DIR ***\n`)

describe.skipIf(!present)('the published vectors', () => {
  it('pass on every backend, Ed25519 completely', async () => {
    const { reports, summary } = await run(PUBLISHED)
    expect(reports.filter(report => report.failed > 0)).toEqual([])
    expect(summary.ed25519Skipped).toEqual([])
    expect(reports).toHaveLength(3 * summary.files)
    for (const report of reports) expect(report.passed).toBeGreaterThan(0)
  })
})

describe('the vector runner', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'volo-vectors-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const write = (name: string, content: unknown): Promise<void> =>
    writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))

  /** RFC 8032 7.1, test 1, in the shape of Wycheproof. */
  const ed25519 = (change: Record<string, unknown> = {}, curve = 'edwards25519'): unknown => ({
    algorithm: 'EDDSA',
    testGroups: [
      {
        type: 'EddsaVerify',
        publicKey: { curve, pk: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a' },
        tests: [
          {
            tcId: 1,
            msg: '',
            sig:
              'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
              '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
            result: 'valid',
            ...change
          }
        ]
      }
    ]
  })
  const counts = ({ tests, passed, failed, skipped, acceptable }: Report): number[] => [
    tests,
    passed,
    failed,
    skipped,
    acceptable
  ]

  it('counts a good vector as passed on each backend', async () => {
    await write('a.json', ed25519())
    const { reports } = await run(folder)
    expect(reports.map(report => report.backend)).toEqual(['noble', 'node', 'webcrypto'])
    for (const report of reports) expect(counts(report)).toEqual([1, 1, 0, 0, 0])
  })

  it('notices a valid vector that is refused and an invalid one that is accepted', async () => {
    await write('a.json', ed25519({ msg: '00' }))
    await write('b.json', ed25519({ result: 'invalid' }))
    const { reports, summary } = await run(folder)
    expect(summary.failed).toBe(6)
    expect(reports[0]?.reason).toBe('test 1: refused a good signature')
    expect(reports[3]?.reason).toBe('test 1: accepted a bad signature')
  })

  it('counts "acceptable" as neither, and does not take Ed25519 without a verdict for tested', async () => {
    await write('a.json', ed25519({ result: 'acceptable' }))
    const { reports, summary } = await run(folder)
    for (const report of reports) expect(counts(report)).toEqual([1, 0, 0, 0, 1])
    expect(summary.ed25519Skipped).toHaveLength(3)
  })

  it('skips what Volo does not use, and says why', async () => {
    await write('a.json', ed25519({}, 'edwards448'))
    await write('b.json', { algorithm: 'RSASSA-PSS', testGroups: [{ tests: [{ tcId: 1, result: 'valid' }] }] })
    await write('c.json', [{ mode: 0, kem_id: 32, kdf_id: 1, aead_id: 1, encryptions: [{}, {}] }])
    const { reports, summary } = await run(folder)
    expect(summary).toMatchObject({ failed: 0, ed25519Skipped: [] })
    expect(reports.filter(report => report.backend === 'node').map(report => [report.skipped, report.reason])).toEqual([
      [1, 'skipped: Ed448 is not used by Volo'],
      [1, 'skipped: algorithm not used by Volo'],
      [5, 'skipped: only the KEM X-Wing is used (5)']
    ])
  })

  it('reports hostile files as failed and goes on', async () => {
    const hostile: unknown[] = [
      '{"algorithm":',
      '',
      '[]',
      'null',
      '17',
      '{}',
      `${'['.repeat(100_000)}`,
      { algorithm: 7 },
      { algorithm: 'EDDSA' },
      { algorithm: 'EDDSA', testGroups: {} },
      { algorithm: 'EDDSA', testGroups: [] },
      { algorithm: 'EDDSA', testGroups: [null] },
      { algorithm: 'EDDSA', testGroups: [{ tests: [null, 1, [], {}] }] },
      { algorithm: 'EDDSA', testGroups: [{ publicKey: { curve: 'other' }, tests: [{ result: 'valid' }] }] },
      { algorithm: '__proto__', testGroups: [] },
      ed25519({ sig: 'zz' }),
      ed25519({ msg: null }),
      ed25519({ result: 'maybe' }),
      {
        algorithm: 'HKDF-SHA-256',
        testGroups: [{ tests: [{ result: 'valid', ikm: '', salt: '', info: '', size: 1e9, okm: '' }] }]
      },
      {
        algorithm: 'PBKDF2-HMACSHA512',
        testGroups: [{ tests: [{ result: 'valid', password: '', salt: '', iterationCount: 1e15, dkLen: 8, dk: '' }] }]
      },
      [{ kem_id: 'x' }],
      [{ mode: 0, kem_id: 25722, kdf_id: 1, aead_id: 3 }],
      [{ mode: 0, kem_id: 25722, kdf_id: 1, aead_id: 3, encryptions: 'many' }]
    ]
    for (const [index, content] of hostile.entries()) await write(`${String(index).padStart(2, '0')}.json`, content)
    await write('zz.json', ed25519())
    const { reports } = await run(folder)
    expect(reports).toHaveLength(3 * (hostile.length + 1))
    for (const report of reports.slice(0, -3)) {
      expect(report, JSON.stringify(hostile[Number.parseInt(report.file, 10)])).toMatchObject({
        reason: expect.any(String) as unknown
      })
      expect(report.failed).toBeGreaterThan(0)
      expect(report.passed).toBe(0)
    }
    for (const report of reports.slice(-3)) expect(report.failed).toBe(0)
  })

  it('finds files in subfolders and behind links, and survives links that lead in a circle', async () => {
    await mkdir(join(folder, 'deep'))
    await write('deep/a.json', ed25519())
    await symlink(join(folder, 'deep/a.json'), join(folder, 'b.json'))
    await symlink(folder, join(folder, 'deep/circle'))
    const { reports } = await run(folder)
    expect([...new Set(reports.map(report => report.file))].sort()).toEqual(['b.json', 'deep/a.json'])
  })

  const command = (...args: string[]): { code: number | null; out: string; error: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [RUNNER, ...args], {
      encoding: 'utf8'
    })
    return { code: status, out: stdout, error: stderr }
  }

  it('prints JSON lines and ends with 0 only if nothing failed', async () => {
    await write('a.json', ed25519())
    const good = command(folder)
    expect(good).toMatchObject({ code: 0, error: '' })
    expect(
      good.out
        .trim()
        .split('\n')
        .map(line => (JSON.parse(line) as Report).passed)
    ).toEqual([1, 1, 1])
    await write('b.json', ed25519({ msg: '00' }))
    expect(command(folder)).toMatchObject({ code: 1, error: 'vectors: 3 failed\n' })
  })

  it('says what is wrong with its arguments in one sentence', async () => {
    expect(command()).toMatchObject({ code: 2, out: '' })
    expect(command('--fast', folder)).toMatchObject({ code: 2, out: '' })
    expect(command(folder, folder)).toMatchObject({ code: 2, out: '' })
    expect(command('--help')).toMatchObject({ code: 0, error: '' })
    for (const path of [join(folder, 'absent'), folder]) {
      const { code, out, error } = command(path)
      expect([code, out, error.trim().split('\n').length]).toEqual([1, '', 1])
    }
  })
})
