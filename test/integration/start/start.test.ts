import { mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../protocol/bytes.ts'
import { CommandProcess, NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { registerDevice } from '../../support/sign-in.ts'
import { eventually } from '../../support/wait-for.ts'

const ANY_PORTS = ['--port', '0', '--admin-port', '0']
const folder = mkdtempSync(join(tmpdir(), 'volo-start-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A start that must fail: how it ended. */
async function failedStart(flags: string[], env: Record<string, string> = {}) {
  const data = flags.includes('--data') ? [] : ['--data', temporaryFolder()]
  const result = await new CommandProcess('node/main.ts', ['start', ...data, ...flags], { env }).ended
  expect(result.code).toBe(1)
  expect(result.stdout).toBe('')
  expect(result.stderr).toMatch(/^volo-node: [^\n]+\n$/)
  return result.stderr
}

function listen(port = 0): Promise<Server> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

const close = (server: Server): Promise<void> => new Promise(resolve => server.close(() => resolve()))

describe('a node that starts', () => {
  let node: NodeProcess
  let accountId: string

  beforeAll(async () => {
    node = await NodeProcess.start({ isBare: true })
    accountId = toHex((await registerDevice(node.url, 'ada')).accountId)
  })
  afterAll(() => node.dispose())

  it('prints one line with its URL, and answers there', async () => {
    expect(node.stdout).toBe(`Volo is ready at ${node.url}\n`)
    expect(await (await fetch(`${node.url}/healthz`)).json()).toMatchObject({ status: 'alive' })
    expect(await (await fetch(`${node.url}/readyz`)).json()).toEqual({ ready: true, warnings: expect.any(Array) })
  })

  it('keeps its keys where only their owner can read them', () => {
    for (const file of ['node.key', 'wallet.key']) {
      expect(statSync(join(node.dataDir, file)).mode & 0o777).toBe(0o600)
    }
  })

  it('lets no other node use its data folder', async () => {
    const said = await failedStart(['--data', node.dataDir, ...ANY_PORTS])
    expect(said).toContain(`Another node uses ${node.dataDir}`)
  })

  it('tells its operator, on this machine only, how it is', async () => {
    const status = (await (await fetch(`${node.adminUrl}/status`)).json()) as { directory: unknown }
    expect(status.directory).toMatchObject({ accounts: 1 })
    const metrics = await (await fetch(`${node.adminUrl}/metrics`)).text()
    expect(metrics).toContain('volo_registrations_total 1')
    expect(metrics).toContain('\nprocess_cpu_seconds_total ')
    expect((await fetch(`${node.url}/metrics`)).status).toBe(404)
  })

  it('stops cleanly on SIGTERM and goes on where it was when started again', async () => {
    const before = readFileSync(join(node.dataDir, 'network.json'), 'utf8')
    const { code, signal, stderr } = await node.stop('SIGTERM')
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' })
    node = await NodeProcess.start({ dataDir: node.dataDir, isBare: true })
    expect(readFileSync(join(node.dataDir, 'network.json'), 'utf8')).toBe(before)
    expect((await fetch(`${node.url}/v1/accounts/${accountId}/proof`)).status).toBe(200)
    const bundles = await (await fetch(`${node.url}/v1/accounts/${accountId}/bundles`)).json()
    expect(bundles).toMatchObject({ bundles: [expect.any(String)] })
  })

  it('stops on SIGINT as well', async () => {
    expect(await node.stop('SIGINT')).toMatchObject({ code: 0, signal: null })
  })
})

describe('a start that cannot be', () => {
  it('says that an explicitly given port is taken', async () => {
    const server = await listen()
    const { port } = server.address() as AddressInfo
    expect(await failedStart(['--port', String(port)])).toContain(`Port ${port} on 127.0.0.1 is taken`)
    expect(await failedStart([], { PORT: String(port) })).toContain(`Port ${port} on 127.0.0.1 is taken`)
    await close(server)
  })

  it('says that browsers refuse to connect to a port, unless they come through another address', async () => {
    expect(await failedStart(['--port', '10080'])).toContain('Browsers refuse to connect to port 10080: choose another')
    const server = await listen(10_080).catch(() => undefined)
    // Taken, or by whoever else has it: in either case it was tried.
    const said = await failedStart(['--port', '10080', '--public-url', 'https://chat.example'])
    expect(said).toContain('Port 10080 on 127.0.0.1 is taken')
    if (server) await close(server)
  })

  it('says that the data folder cannot be written', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(await failedStart(['--data', join(file, 'data'), ...ANY_PORTS])).toContain('Cannot write to the data folder')
  })

  it('says what is wrong with the configuration', async () => {
    expect(await failedStart(['--port', 'eighty'])).toContain('--port: expected a whole number')
    expect(await failedStart([...ANY_PORTS, '--network-file', '/nowhere'])).toContain('Cannot use the network file')
    expect(await failedStart([...ANY_PORTS, '--chain-url', 'http://127.0.0.1:9/'])).toContain('VOLO_NETWORK_FILE')
  })

  it('says that the port for links is taken', async () => {
    const server = await listen()
    const { port } = server.address() as AddressInfo
    const said = await failedStart([...ANY_PORTS, '--link-listen', `/ip4/127.0.0.1/tcp/${port}`])
    expect(said).toContain(`Cannot listen for links on /ip4/127.0.0.1/tcp/${port} (EADDRINUSE)`)
    await close(server)
  })

  it('says that others may read a key', async () => {
    const dataDir = join(folder, 'open')
    mkdirSync(dataDir, { mode: 0o700 })
    writeFileSync(join(dataDir, 'node.key'), '00'.repeat(32), { mode: 0o644 })
    expect(await failedStart(['--data', dataDir, ...ANY_PORTS])).toContain('chmod 600')
    writeFileSync(join(folder, 'short.key'), 'abc', { mode: 0o600 })
    expect(await failedStart([...ANY_PORTS, '--node-key-file', join(folder, 'short.key')])).toContain('64 hex')
  })
})

describe('the default port', () => {
  it('is traded for the next free one, and that is said', async () => {
    // Somebody else may hold it on this machine already: that is the very case.
    const server = await listen(8787).catch(() => undefined)
    const node = await NodeProcess.start({ flags: ['--admin-port', '0'], isBare: true })
    expect(node.stdout).toMatch(/^Volo is ready at http:\/\/127\.0\.0\.1:\d+ \(port 8787 is taken\)\n$/)
    expect(Number(new URL(node.url).port)).toBeGreaterThan(8787)
    await eventually(async () => (await fetch(`${node.url}/readyz`)).status === 200, 'it is ready')
    await node.dispose()
    if (server) await close(server)
  })
})

describe('a chain that does not answer', () => {
  it('leaves the node running, and /readyz says so', async () => {
    const first = await NodeProcess.start({ isBare: true })
    await first.stop()
    const chain = await listen()
    const { port } = chain.address() as AddressInfo
    await close(chain)
    const node = new CommandProcess('node/main.ts', [
      'start',
      ...['--data', first.dataDir, ...ANY_PORTS],
      ...['--network-file', join(first.dataDir, 'network.json'), '--chain-url', `http://127.0.0.1:${port}`]
    ])
    const [, url] = await node.printed(/ready at (http:\S+)/)
    const answer = await fetch(`${url}/readyz`)
    expect(answer.status).toBe(503)
    const { reasons } = (await answer.json()) as { reasons: { code: string; message: string }[] }
    expect(reasons.map(reason => reason.code)).toContain('chain-unreachable')
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect(node.stderr).toContain('people cannot chat through it yet')
    expect(await node.stop()).toMatchObject({ code: 0 })
    rmSync(first.dataDir, { recursive: true })
  })
})

describe('other commands', () => {
  const run = (...args: string[]) => new CommandProcess('node/main.ts', args).ended

  it('explain themselves', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('VOLO_DATA_DIR') })
    expect(await run('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
    expect(await run('nonsense')).toMatchObject({ code: 2, stderr: expect.stringContaining('no command "nonsense"') })
  })

  it('check and print the configuration', async () => {
    expect(await run('config', 'check')).toMatchObject({ code: 0, stdout: 'The configuration is fine.\n' })
    expect(await run('config', 'check', '--port', 'x')).toMatchObject({ code: 1 })
    expect(await run('config', 'check', '--web-dir', '/nowhere')).toMatchObject({ code: 1 })
    expect(await run('config', 'print')).toMatchObject({ code: 0, stdout: expect.stringContaining('8787  [default]') })
  })

  it('show the key of a node, the same each time', async () => {
    const dataDir = join(folder, 'key')
    const first = await run('key', 'show', '--data', dataDir)
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/) })
    expect(await run('key', 'show', '--data', dataDir)).toMatchObject({ stdout: first.stdout })
  })
})
