import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { getSchemaForEndpoint } from '@blockfrost/openapi'
import { Ajv } from 'ajv'
import { createChainSource } from '../../../chain/source/blockfrost-source.ts'
import { DEVNET_LABEL } from '../../../chain/devnet/devnet.ts'
import { startDevnet } from '../../../chain/devnet/start-devnet.ts'
import { encodeMetadata } from '../../../protocol/directory/metadata.ts'
import type { ChainSource } from '../../../chain/source/chain-source.ts'
import { Wallet } from '../../../chain/publish/wallet.ts'
import { ChainHarness, Cleanup, LABEL, MAGIC, temporaryFolder } from '../../support/chain/chain-harness.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

async function record(harness: ChainHarness): Promise<string> {
  const parameters = await harness.source.parameters()
  const coins = await harness.source.utxos(harness.wallet.address)
  const auxiliaryData = encodeMetadata(LABEL, [Uint8Array.of(0x81, 0x01)])
  const timeToLive = harness.devnet.tip.slot + 1_000
  const built = harness.wallet.build({ auxiliaryData, coins, parameters, timeToLive, feeCap: 1_000_000n })
  const id = await harness.source.submit(built.bytes)
  await harness.devnet.forge()
  return id
}

async function start(): Promise<ChainHarness> {
  const harness = await ChainHarness.start(cleanup)
  await harness.fundWallet()
  return harness
}

/** Blockfrost's own description uses keywords that are not JSON Schema's. */
const ajv = new Ajv({ strict: false, validateFormats: false })

const get = (harness: ChainHarness, path: string): Promise<Response> => fetch(harness.running.url + path)

describe('the API', () => {
  test('answers as Blockfrost describes it, and says what it is', async () => {
    const harness = await start()
    const id = await record(harness)
    const { address } = harness.wallet
    const answers: [string, string][] = [
      ['/', '/'],
      ['/health', '/health'],
      ['/health/clock', '/health/clock'],
      ['/genesis', '/genesis'],
      ['/blocks/latest', '/blocks/latest'],
      ['/blocks/{hash_or_number}', '/blocks/1'],
      ['/blocks/{hash_or_number}/txs', '/blocks/2/txs'],
      ['/epochs/latest/parameters', '/epochs/latest/parameters'],
      ['/addresses/{address}/utxos', `/addresses/${address}/utxos`],
      ['/metadata/txs/labels/{label}/cbor', `/metadata/txs/labels/${LABEL}/cbor`],
      ['/txs/{hash}', `/txs/${id}`],
      ['/txs/{hash}/cbor', `/txs/${id}/cbor`],
      ['/txs/{hash}/metadata/cbor', `/txs/${id}/metadata/cbor`]
    ]
    for (const [schema, path] of answers) {
      const response = await get(harness, path)
      expect(response.headers.get('x-volo-chain')).toBe(DEVNET_LABEL)
      const described = getSchemaForEndpoint(schema) as { response: { 200: object } }
      const isAsDescribed = ajv.compile(described.response[200])
      isAsDescribed(await response.json())
      expect(isAsDescribed.errors, path).toBeNull()
    }
  })

  test('pages a label in both directions, and tells a page past the end from an unknown label', async () => {
    const harness = await start()
    const ids: string[] = []
    for (let i = 0; i < 5; i++) ids.push(await record(harness))
    const page = async (query: string): Promise<string[]> => {
      const rows = (await (await get(harness, `/metadata/txs/labels/${LABEL}/cbor${query}`)).json()) as {
        tx_hash: string
      }[]
      return rows.map(row => row.tx_hash)
    }
    expect(await page('')).toEqual(ids)
    expect(await page('?count=2&page=2')).toEqual(ids.slice(2, 4))
    expect(await page('?count=2&page=1&order=desc')).toEqual([ids[4], ids[3]])
    expect(await page('?count=2&page=9')).toEqual([])
    expect((await get(harness, '/metadata/txs/labels/5/cbor')).status).toBe(404)
  })

  test.each([
    ['/blocks/999999', 404],
    [`/blocks/${'0'.repeat(64)}`, 404],
    [`/txs/${'0'.repeat(64)}`, 404],
    ['/txs/short', 400],
    ['/blocks/minus-one', 400],
    ['/addresses/nobody/utxos', 400],
    ['/metadata/txs/labels/volo/cbor', 400],
    [`/metadata/txs/labels/${LABEL}/cbor?count=101`, 400],
    [`/metadata/txs/labels/${LABEL}/cbor?page=0`, 400],
    [`/metadata/txs/labels/${LABEL}/cbor?order=up`, 400],
    ['/no/such/path', 400]
  ])('answers %s with %i and a body of Blockfrost’s form', async (path, status) => {
    const harness = await start()
    const response = await get(harness, path)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ status_code: status, error: expect.any(String) })
  })

  test('refuses what is no transaction, too long, or not for it', async () => {
    const harness = await start()
    const submit = (body: Uint8Array): Promise<Response> =>
      fetch(`${harness.running.url}/tx/submit`, { method: 'POST', body: body as never })
    expect((await submit(new Uint8Array(100))).status).toBe(400)
    expect((await submit(new Uint8Array())).status).toBe(400)
    expect((await submit(new Uint8Array(70_000))).status).toBe(413)
    expect((await harness.control('rollback', { depth: 0 })).status).toBe(400)
    expect((await harness.control('rollback', { depth: 'all' })).status).toBe(400)
    expect((await harness.control('fund', { address: 'nobody' })).status).toBe(400)
    expect((await harness.control('nothing', {})).status).toBe(404)
    // A form on some page in a browser can send this, but not application/json.
    const form = await fetch(`${harness.running.url}/devnet/rollback`, { method: 'POST', body: '{"depth":1}' })
    expect(form.status).toBe(400)
    expect(harness.devnet.tip.height).toBe(1)
  })

  test('commits the faults it is told to, as often as it is told to', async () => {
    const harness = await start()
    await harness.control('faults', { status: 503, path: '/blocks', count: 2 })
    expect((await get(harness, '/blocks/latest')).status).toBe(503)
    expect((await get(harness, '/genesis')).status).toBe(200)
    expect((await get(harness, '/blocks/latest')).status).toBe(503)
    expect((await get(harness, '/blocks/latest')).status).toBe(200)
    await harness.control('faults', { latencyMs: 100, path: '/genesis' })
    const began = performance.now()
    await get(harness, '/genesis')
    expect(performance.now() - began).toBeGreaterThan(90)
  })

  test('a full mempool answers 425', async () => {
    const harness = await start()
    const chunk = Uint8Array.of(0x58, 0x40, ...new Uint8Array(64))
    const auxiliaryData = encodeMetadata(
      LABEL,
      Array.from({ length: 230 }, () => chunk)
    )
    const parameters = await harness.source.parameters()
    let coins = await harness.source.utxos(harness.wallet.address)
    const submit = async (): Promise<void> => {
      const request = { auxiliaryData, coins, parameters, timeToLive: 10_000, feeCap: 1_000_000n }
      const built = harness.wallet.build(request)
      await harness.devnet.submit(built.bytes)
      coins = [built.change]
    }
    await expect(
      (async () => {
        for (let i = 0; i < 20; i++) await submit()
      })()
    ).rejects.toMatchObject({ code: 'BUSY' })
    expect(harness.devnet.mempool.length).toBeGreaterThan(8)
    await harness.devnet.forge()
    // One block takes half of what waits.
    expect(harness.devnet.mempool.length).toBeGreaterThan(3)
    await submit()
  })
})

describe('the chain', () => {
  test('is there again after a restart, in less than a second after thousands of blocks', async () => {
    const harness = await start()
    const id = await record(harness)
    await harness.devnet.forge(5_000)
    const tip = await harness.source.tip()
    await harness.running.stop()
    // Time of the processor, four times what a quiet machine needs: the clock also counts what others do.
    const began = process.cpuUsage()
    await harness.startDevnet()
    expect(await harness.source.tip()).toEqual(tip)
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1000).toBeLessThan(4_000)
    expect((await harness.source.transaction(id as never))!.height).toBe(2)
    expect(await record(harness)).toMatch(/^[0-9a-f]{64}$/)
  })

  test('rolls back below a restart, and the ledger with it', async () => {
    const harness = await start()
    const before = await harness.source.utxos(harness.wallet.address)
    const id = await record(harness)
    await harness.devnet.forge(50)
    await harness.running.stop()
    await harness.startDevnet()
    await harness.devnet.rollback(51, { drop: true })
    expect(await harness.source.transaction(id as never)).toBeUndefined()
    expect(await harness.source.utxos(harness.wallet.address)).toEqual(before)
    expect(await harness.source.labelPage(LABEL, { page: 1 })).toEqual([])
    expect(await record(harness)).toBeTruthy()
  })

  test('a block made anew after a rollback has another hash', async () => {
    const harness = await start()
    const first = await harness.devnet.forge()
    await harness.devnet.rollback(1)
    const second = await harness.devnet.forge()
    expect(second).not.toBe(first)
    expect(await harness.source.block(first)).toBeUndefined()
    expect((await harness.source.block(second))!.height).toBe(2)
  })

  test('a transaction past its time to live leaves the mempool', async () => {
    const harness = await start()
    // On-demand blocks run ahead of the clock, so slots here move with blocks alone.
    await harness.devnet.forge(100)
    const parameters = await harness.source.parameters()
    const coins = await harness.source.utxos(harness.wallet.address)
    const auxiliaryData = encodeMetadata(LABEL, [])
    const timeToLive = harness.devnet.tip.slot + 1
    const built = harness.wallet.build({ auxiliaryData, coins, parameters, timeToLive, feeCap: 1_000_000n })
    await harness.devnet.submit(built.bytes)
    await harness.devnet.forge()
    expect(await harness.source.transaction(built.id)).toBeUndefined()
    expect(harness.devnet.mempool).toEqual([])
  })

  test('makes blocks by itself, unless paused', async () => {
    const running = await startDevnet({ dataDir: await temporaryFolder(cleanup), blockMs: 20 })
    cleanup.add(() => running.stop())
    const source = createChainSource({ url: running.url })
    await expect.poll(async () => (await source.tip()).height).toBeGreaterThan(3)
    running.devnet.faults.pauseBlocks = true
    const before = Date.now()
    await running.devnet.forge()
    const { height, time } = await source.tip()
    expect(time).toBeGreaterThan(before - 3_000)
    expect(time).toBeLessThan(Date.now() + 3_000)
    await new Promise(resolve => setTimeout(resolve, 100))
    expect((await source.tip()).height).toBe(height)
  })
})

describe('the process', () => {
  const MAIN = fileURLToPath(new URL('../../../chain/devnet/main.ts', import.meta.url))

  function run(...parameters: string[]): ChildProcess {
    const child = spawn(process.execPath, [MAIN, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] })
    cleanup.add(async () => void (child.exitCode === null && child.kill('SIGKILL')))
    return child
  }

  test('says where it listens, and ends on SIGTERM with the chain kept', async () => {
    const dataDir = await temporaryFolder(cleanup)
    const heights: number[] = []
    for (let i = 0; i < 2; i++) {
      const child = run('--data', dataDir, '--block-ms', '50')
      const [line] = (await once(child.stdout!, 'data')) as [Buffer]
      const { url, label } = JSON.parse(line.toString()) as { url: string; label: string }
      expect(label).toBe(DEVNET_LABEL)
      const source = createChainSource({ url })
      heights.push((await source.tip()).height)
      await expect.poll(async () => (await source.tip()).height).toBeGreaterThan(heights[0]! + 2)
      child.kill('SIGTERM')
      expect(await once(child, 'exit')).toEqual([0, null])
    }
    expect(heights[1]).toBeGreaterThan(heights[0]!)
  })

  test('keeps what is in a block through a kill', async () => {
    const dataDir = await temporaryFolder(cleanup)
    const wallet = await Wallet.open(join(dataDir, 'wallet.key'), MAGIC)
    const open = async (): Promise<[ChildProcess, ChainSource]> => {
      const child = run('--data', join(dataDir, 'devnet'), '--block-ms', '50')
      const [line] = (await once(child.stdout!, 'data')) as [Buffer]
      const { url } = JSON.parse(line.toString()) as { url: string }
      return [child, createChainSource({ url, devnet: true })]
    }
    const [first, before] = await open()
    await before.fund!(wallet.address)
    await expect.poll(() => before.utxos(wallet.address)).toHaveLength(1)
    const coins = await before.utxos(wallet.address)
    first.kill('SIGKILL')
    await once(first, 'exit')
    const [, after] = await open()
    expect(await after.utxos(wallet.address)).toEqual(coins)
    await after.fund!(wallet.address)
    await expect.poll(() => after.utxos(wallet.address)).toHaveLength(2)
  })

  test('says in one sentence why it cannot start', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    cleanup.add(() => new Promise(resolve => taken.close(resolve)))
    const { port } = taken.address() as AddressInfo
    const fails = async (...parameters: string[]): Promise<[number, string]> => {
      const child = run(...parameters)
      let message = ''
      child.stderr!.on('data', (chunk: Buffer) => (message += chunk.toString()))
      const [code] = (await once(child, 'close')) as [number]
      return [code, message]
    }
    expect(await fails()).toEqual([2, expect.stringMatching(/^volo devnet: --data DIR is required\n$/)])
    expect(await fails('--data', 'x', '--port', 'y')).toEqual([2, expect.stringContaining('--port takes a number')])
    const dataDir = await temporaryFolder(cleanup)
    expect(await fails('--data', dataDir, '--port', String(port))).toEqual([
      1,
      expect.stringContaining('port is taken')
    ])
    const running = await startDevnet({ dataDir, blockMs: 0 })
    cleanup.add(() => running.stop())
    expect(await fails('--data', dataDir)).toEqual([1, expect.stringMatching(/another process uses/i)])
  })
})
