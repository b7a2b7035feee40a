import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDevnet, type RunningDevnet } from '../../../chain/devnet/start-devnet.ts'
import {
  CommandProcess,
  temporaryFolder,
  type CommandResult
} from '../../support/network/real-processes/node-process.ts'

const folder = temporaryFolder()
let devnet: RunningDevnet

beforeAll(async () => {
  devnet = await startDevnet({ dataDir: join(folder, 'devnet'), blockMs: 0 })
})

afterAll(async () => {
  await devnet.stop()
  rmSync(folder, { recursive: true, force: true })
})

const smoke = (args: string[], env: Record<string, string> = {}): Promise<CommandResult> =>
  new CommandProcess('chain/smoke/main.ts', args, { env, cwd: folder }).ended

const linesOf = ({ stdout }: CommandResult): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)

describe('npm run smoke:preprod', () => {
  it('takes an account through its whole life, here on a devnet', async () => {
    const result = await smoke(['--devnet', '--json'])
    expect(result.stderr).toBe('')
    expect(result.code).toBe(0)
    const lines = linesOf(result)
    expect(lines.map(({ step, result }) => step ?? result)).toEqual([
      'source',
      'wallet',
      'create',
      'follow',
      'reveal',
      'name',
      'verify account',
      'verify name',
      'export proof',
      'check proof offline',
      'passed'
    ])
    const [create, reveal] = ['create', 'reveal'].map(name => lines.find(({ step }) => step === name)!)
    // CREATE and commitment travel together; the reveal cannot.
    expect(create!['transactions']).toHaveLength(1)
    expect(Number(reveal!['height'])).toBeGreaterThanOrEqual(Number(create!['height']) + 3)
    expect(lines.at(-1)).toEqual({ result: 'passed', devnet: true })
  })

  it('says that it was not run, and why, without a project id', async () => {
    const { code, stdout } = await smoke([])
    expect(code).toBe(3)
    expect(stdout).toMatch(/^NOT RUN: no project id is given: set BLOCKFROST_PROJECT_ID/)
    expect(linesOf(await smoke(['--json']))).toMatchObject([{ result: 'not-run' }])
  })

  it('says that it was not run with an empty wallet, and where test ADA should go', async () => {
    const wallet = join(folder, 'keys', 'wallet.key')
    const result = await smoke(['--url', devnet.url, '--wallet', wallet, '--json'])
    expect(result.code).toBe(3)
    expect(linesOf(result).at(-1)).toMatchObject({
      result: 'not-run',
      reason: expect.stringMatching(/addr_test1\w+ holds 0 ADA/)
    })
    expect(statSync(wallet).mode & 0o777).toBe(0o600)
  })

  it('fails where the chain stands still', async () => {
    const result = await smoke(['--url', devnet.url, '--timeout', '0'])
    expect(result.code).toBe(1)
    expect(result.stdout).toContain('FAILED')
  })

  it('fails where nobody answers', async () => {
    const result = await smoke(['--url', 'http://127.0.0.1:1'])
    expect(result.code).toBe(1)
    expect(result.stdout).toContain('FAILED: 127.0.0.1:1 does not answer')
  })

  it('refuses mainnet, and never prints a project id', async () => {
    const file = join(folder, 'project-id')
    writeFileSync(file, 'mainnetSecretSecretSecret\n')
    for (const env of [{ BLOCKFROST_PROJECT_ID: 'mainnetSecretSecretSecret' }, { BLOCKFROST_PROJECT_ID_FILE: file }]) {
      const { code, stdout, stderr } = await smoke([], env)
      expect(code).toBe(2)
      expect(stderr).toContain('mainnet')
      expect(stdout + stderr).not.toContain('Secret')
    }
  })

  it('refuses what it does not understand', async () => {
    const missing = await smoke([], { BLOCKFROST_PROJECT_ID_FILE: join(folder, 'missing') })
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('cannot be read')])
    for (const args of [
      ['--nope'],
      ['--timeout', 'x'],
      ['--devnet', '--url', 'http://a.example'],
      ['--url', 'ftp://a']
    ]) {
      expect((await smoke(args)).code, args.join(' ')).toBe(2)
    }
    expect((await smoke(['--help'])).stdout).toContain('Exit codes')
  })
})
