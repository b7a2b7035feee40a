import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalNetwork } from '../../support/network/real-processes/local-network.ts'
import { CommandProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { verify, type VerifyRun } from '../../support/verify/run-verify.ts'

let network: LocalNetwork
let folder: string
let account: { accountId: string; deviceId: string }

const peer = (...args: string[]): CommandProcess =>
  new CommandProcess('peer/cli/main.ts', [...args, '--data', join(folder, 'ada'), '--json'])

beforeAll(async () => {
  folder = temporaryFolder()
  network = await LocalNetwork.start({ nodes: 2, devnet: ['--block-ms', '500'] })
  const { code, stdout, stderr } = await peer('register', '--username', 'ada', '--node', network.urls[0]!).ended
  if (code !== 0) throw new Error(`no registration: ${stderr}`)
  account = JSON.parse(stdout) as typeof account
})

afterAll(async () => {
  await network?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const nodes = (): string[] => network.urls.flatMap(url => ['--node', url])
const chain = (): string[] => ['--blockfrost', network.chainUrl, '--network', network.networkFile]

/** Asks until the chain has come so far. */
async function eventuallyVerified(...args: string[]): Promise<VerifyRun> {
  for (const end = Date.now() + 60_000; ;) {
    const run = await verify(...args)
    if (run.code === 0) return run
    // On the way a record is pending or one node is a block behind; nothing else may be said of honest nodes.
    expect([3, 4]).toContain(run.code)
    if (Date.now() > end) throw new Error(`not verified in time: ${run.stdout}`)
  }
}

describe('the tool and real nodes', () => {
  it('verifies a fresh account at two nodes, and its device', async () => {
    const run = await eventuallyVerified('account', account.accountId, ...nodes())
    expect(run.json.trust).toEqual({ asked: 'L2', reached: 'L2', confirmed: true })
    expect(run.json.facts['account']).toMatchObject({ devices: [{ deviceId: account.deviceId, state: 'live' }] })
    expect((await verify('device', account.accountId, account.deviceId, ...nodes())).code).toBe(0)
  })

  it('verifies its name once that is opened, and finds nodes and chain in agreement', async () => {
    const listening = peer('listen', '--node', network.urls[0]!)
    try {
      const run = await eventuallyVerified('account', '@ada', ...nodes())
      expect(run.json.facts['account']).toMatchObject({ accountId: account.accountId, username: 'ada' })
    } finally {
      await listening.stop()
    }
    const audit = await eventuallyVerified('audit', ...chain(), ...nodes())
    expect(audit.json.facts['directory']).toMatchObject({ accounts: 1, names: 1 })
    expect((await verify('doctor', ...chain(), ...nodes())).code).toBe(0)
  })

  it('says which node is gone', async () => {
    await network.kill(1)
    const run = await verify('account', account.accountId, ...nodes())
    expect(run.code).toBe(5)
    expect((await verify('account', account.accountId, '--node', network.urls[0]!)).code).toBe(0)
  })
})
