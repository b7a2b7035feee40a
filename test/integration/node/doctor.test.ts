/** `volo-node doctor` beside a node that runs, and beside one that does not. */
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CommandProcess, NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'

interface Report {
  ok: boolean
  running: boolean
  findings: { check: string; result: 'ok' | 'warn' | 'fail'; message: string; change?: string }[]
}

let node: NodeProcess
beforeAll(async () => {
  node = await NodeProcess.start()
})
afterAll(() => node?.dispose())

async function doctor(env: Record<string, string>): Promise<{ code: number | null; stderr: string; report: Report }> {
  const settings = { VOLO_DATA_DIR: node.dataDir, ...env }
  const { code, stdout, stderr } = await new CommandProcess('node/main.ts', ['doctor', '--json'], { env: settings })
    .ended
  return { code, stderr, report: JSON.parse(stdout) as Report }
}

const resultOf = ({ findings }: Report, check: string) => findings.find(finding => finding.check === check)?.result

describe('volo-node doctor', () => {
  it('finds a running node that answers under its address well', async () => {
    const { code, report } = await doctor({ VOLO_PUBLIC_URL: node.url })
    expect(report.findings.filter(({ result }) => result === 'fail')).toEqual([])
    expect(report).toMatchObject({ ok: true, running: true })
    expect(code).toBe(0)
    for (const check of ['node', 'dns', 'dial', 'websocket', 'secrets'])
      expect(resultOf(report, check), check).toBe('ok')
    for (const { result, change } of report.findings) expect(change === undefined).toBe(result === 'ok')
  })

  it('fails for a name without an address, an unreachable chain source and an open secret, and says what to change', async () => {
    const wallet = join(node.dataDir, 'wallet.key')
    chmodSync(wallet, 0o644)
    const { code, stderr, report } = await doctor({
      VOLO_PUBLIC_URL: 'https://node.invalid',
      VOLO_CHAIN_URL: 'http://127.0.0.1:9'
    })
    chmodSync(wallet, 0o600)
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'volo-node: 3 checks failed.\n' })
    for (const check of ['dns', 'chain', 'secrets']) expect(resultOf(report, check), check).toBe('fail')
    expect(report.findings.find(({ check }) => check === 'dns')?.change).toMatch(/A or AAAA record for node\.invalid/)
  })

  it('works while no node runs', async () => {
    const empty = temporaryFolder()
    const { code, report } = await doctor({ VOLO_DATA_DIR: empty })
    rmSync(empty, { recursive: true })
    expect({ code, running: report.running }).toEqual({ code: 0, running: false })
    expect(resultOf(report, 'node')).toBe('warn')
  })
})
