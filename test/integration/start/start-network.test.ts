import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { CommandProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { registerDevice } from '../../support/sign-in.ts'

/** Far from what people use by hand, and different for tests that run at the same time. */
const BASE_PORT = 20_000 + (process.pid % 1_000) * 10
const dataDir = temporaryFolder()
const url = (index: number): string => `http://127.0.0.1:${BASE_PORT + index - 1}`

let network: CommandProcess

async function start(): Promise<void> {
  const settings = ['--nodes', '3', '--base-port', String(BASE_PORT), '--data', dataDir]
  network = new CommandProcess('node/devnet/local-network.ts', settings)
  await network.printed(/node 3: \S+\n/)
}

beforeAll(start)

afterAll(async () => {
  await network.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

/** Process id of a node, as it tells itself. */
function processOf(index: number): number {
  return (JSON.parse(readFileSync(join(dataDir, `node-${index}`, 'listening.json'), 'utf8')) as { pid: number }).pid
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie has ended; it only waits for its parent to look.
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z')
  } catch {
    return false
  }
}

const isReady = (index: number): Promise<boolean> =>
  fetch(`${url(index)}/readyz`).then(
    answer => answer.ok,
    () => false
  )

describe('a network on this machine', () => {
  it('prints the URL of each node, one a line, once all are ready', async () => {
    expect(network.stdout).toBe([1, 2, 3].map(index => `node ${index}: ${url(index)}\n`).join(''))
    for (const index of [1, 2, 3]) expect(await isReady(index)).toBe(true)
  })

  it('lists all nodes, of different operators, at every node', async () => {
    const answers = await Promise.all([1, 2, 3].map(index => fetch(`${url(index)}/v1/network`).then(a => a.json())))
    const [first, second] = answers as { node: string; epoch: { nodes: { url: string; operator: string }[] } }[]
    expect(first!.epoch).toEqual(second!.epoch)
    expect(first!.node).not.toBe(second!.node)
    expect(first!.epoch.nodes.map(node => node.url)).toEqual([1, 2, 3].map(url))
    expect(new Set(first!.epoch.nodes.map(node => node.operator)).size).toBe(3)
  })

  it('lets the app of one node go on through the others', async () => {
    const policy = (await fetch(url(1))).headers.get('content-security-policy')
    for (const index of [1, 2, 3]) expect(policy).toContain(url(index))
  })

  it('knows at every node, within seconds, who registered at one', async () => {
    const account = toHex((await registerDevice(url(1), 'ada')).accountId)
    for (const index of [2, 3]) {
      const read = async (what: string): Promise<Response> => fetch(`${url(index)}/v1/accounts/${account}/${what}`)
      await expect.poll(async () => (await read('proof')).status).toBe(200)
      expect(await (await read('bundles')).json()).toMatchObject({ bundles: [expect.any(String)] })
    }
  })

  it('goes on when a node is killed: nothing else stops, and nobody starts it again', async () => {
    const killed = processOf(2)
    process.kill(killed, 'SIGKILL')
    await sleep(3_000)
    expect(isAlive(killed)).toBe(false)
    expect(await isReady(2)).toBe(false)
    expect(network.child.exitCode).toBeNull()
    expect([await isReady(1), await isReady(3)]).toEqual([true, true])
    await registerDevice(url(3), 'bob')
  })

  it('ends as a whole on SIGTERM, and is the same when started again', async () => {
    const processes = [1, 3].map(processOf)
    const before = readFileSync(join(dataDir, 'network.json'), 'utf8')
    expect(await network.stop()).toMatchObject({ code: 0, signal: null })
    expect(processes.map(isAlive)).toEqual([false, false])
    await start()
    expect(readFileSync(join(dataDir, 'network.json'), 'utf8')).toBe(before)
    expect(await isReady(2)).toBe(true)
  })

  it('ends even when its launcher is killed outright', async () => {
    const processes = [1, 2, 3].map(processOf)
    await network.stop('SIGKILL')
    await expect.poll(() => processes.map(isAlive), { timeout: 60_000 }).toEqual([false, false, false])
  })
})
