/** The operator's commands against a network of three real nodes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalNetwork } from '../../support/network/real-processes/local-network.ts'
import { CommandProcess, type CommandResult } from '../../support/network/real-processes/node-process.ts'
import { eventually } from '../../support/wait-for.ts'

const AWAY = 2
const SHARDS = 4_096

let network: LocalNetwork
beforeAll(async () => {
  network = await LocalNetwork.start({ nodes: 3 })
})
afterAll(() => network?.stop())

function run(...args: string[]): Promise<CommandResult> {
  return new CommandProcess('node/main.ts', args, { env: network.settingsOf(0) }).ended
}

async function json<T>(...args: string[]): Promise<T> {
  const result = await run(...args, '--json')
  expect(result, result.stderr).toMatchObject({ code: 0 })
  return JSON.parse(result.stdout) as T
}

describe('volo-node', () => {
  it('status shows version, network, chain, stores and clients', async () => {
    const status = await json<Record<string, unknown>>('status')
    expect(status).toMatchObject({
      version: expect.any(String) as string,
      network: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      readiness: { reasons: [] },
      peers: { clients: 0, pendingCount: 0 },
      chain: { follower: { reachable: true, tip: { height: expect.any(Number) as number } } }
    })
    expect((status['store'] as { total: number }).total).toBeGreaterThan(0)
    const { stdout } = await run('status')
    expect(stdout).toMatch(/^ready +yes$/m)
    expect(stdout).toMatch(/^nodes +2 of 2 others connected/m)
  })

  it('peers shows who is connected with operator and latency, and who is away', async () => {
    interface Peers {
      connected: number
      nodes: { url: string; operator: string; connected: boolean; latencyMs: number | null }[]
    }
    const all = await json<Peers>('peers')
    expect(all).toMatchObject({ connected: 2, nodes: [{ connected: true }, { connected: true }] })
    for (const { operator, latencyMs } of all.nodes) {
      expect(operator).toMatch(/^[0-9a-f]{64}$/)
      expect(latencyMs).toBeGreaterThan(0)
    }
    await network.stopNode(AWAY)
    await eventually(async () => (await json<Peers>('peers')).connected === 1, { lookMs: 200 })
    const away = (await json<Peers>('peers')).nodes.find(({ url }) => url === network.urls[AWAY])
    expect(away).toMatchObject({ connected: false, latencyMs: null })
    expect((await run('peers')).stdout).toMatch(/ away /)
    await network.startNode(AWAY)
  })

  it('shards shows what this node keeps, where else it is kept, and what is to be repaired', async () => {
    interface Shards {
      held: number
      shards: { replicas: { self: boolean }[]; pending: number; repairBacklog: number | null }[]
    }
    await eventually(
      async () => (await json<Shards>('shards')).shards.every(({ repairBacklog }) => repairBacklog === 0),
      {
        lookMs: 500
      }
    )
    const { held, shards } = await json<Shards>('shards')
    expect(held).toBe(SHARDS)
    for (const { replicas, pending } of shards) {
      expect(replicas).toHaveLength(3)
      expect(replicas.filter(({ self }) => self)).toHaveLength(1)
      expect(pending).toBe(0)
    }
    expect((await run('shards')).stdout.split('\n')[0]).toMatch(
      /^FIRST +SHARDS +REACHED +MAILBOXES +PENDING +BACKLOG +REPLICAS$/
    )
  })

  it('ends with 2 for what is written wrongly, and with 1 where no node runs', async () => {
    expect(await run('status', '--jsn')).toMatchObject({ code: 2, stderr: 'volo-node: status does not take "--jsn"\n' })
    expect(await run('peers', 'of', 'mine')).toMatchObject({ code: 2 })
    const elsewhere = await run('shards', '--data-dir', network.dataOf(9))
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('No node answers') as string })
    expect(elsewhere.stderr.trim().split('\n')).toHaveLength(1)
  })
})
