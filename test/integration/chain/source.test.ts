import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createChainSource } from '../../../chain/source/blockfrost-source.ts'
import type { ChainSource, TransactionId } from '../../../chain/source/chain-source.ts'
import { ChainHarness, Cleanup } from '../../support/chain/chain-harness.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const ID = 'ab'.repeat(32) as TransactionId

/** A source whose server does whatever the test wants. */
async function sourceOf(listener: RequestListener): Promise<{ source: ChainSource; requests: () => number }> {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    listener(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanup.add(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const source = createChainSource({ url, attempts: 3, retryMs: 5, requestTimeoutMs: 500 })
  return { source, requests: () => requests }
}

const answer =
  (status: number, body: unknown): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

const failure = (status: number): RequestListener =>
  answer(status, { status_code: status, error: 'Error', message: 'on purpose' })

describe('a source', () => {
  test.each([
    [425, 'BUSY', 3],
    [429, 'BUSY', 3],
    [500, 'UNREACHABLE', 3],
    [503, 'UNREACHABLE', 3],
    [400, 'REJECTED', 1],
    [402, 'BUSY', 1],
    [418, 'BUSY', 1],
    [403, 'FORBIDDEN', 1]
  ])('turns %i into %s after %i requests', async (status, code, requests) => {
    const { source, requests: made } = await sourceOf(failure(status))
    await expect(source.tip()).rejects.toMatchObject({ code })
    expect(made()).toBe(requests)
  })

  test('does not repeat a submission whose fate is unknown', async () => {
    const { source, requests } = await sourceOf(failure(500))
    await expect(source.submit(new Uint8Array(10))).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(requests()).toBe(1)
  })

  test('takes 404 for an answer', async () => {
    const { source } = await sourceOf(failure(404))
    expect(await source.transaction(ID)).toBeUndefined()
    expect(await source.transactionBytes(ID)).toBeUndefined()
    expect(await source.block(5)).toBeUndefined()
    expect(await source.utxos('addr_test1')).toEqual([])
    expect(await source.labelPage(1, { page: 1 })).toEqual([])
  })

  test.each([
    ['no JSON', 'not json'],
    ['null', null],
    ['a block without a hash', { height: 1, slot: 1, time: 1 }],
    ['a hash that is none', { hash: '<script>', height: 1, slot: 1, time: 1 }],
    ['a negative height', { hash: ID, height: -1, slot: 1, time: 1 }]
  ])('refuses %s as an answer', async (_name, body) => {
    const { source } = await sourceOf(answer(200, body))
    await expect(source.tip()).rejects.toMatchObject({ code: expect.stringMatching(/BAD_ANSWER|UNREACHABLE/) })
  })

  test('refuses bytes that are not the transaction asked for', async () => {
    const harness = await ChainHarness.start(cleanup)
    const id = await harness.devnet.fund(harness.wallet.address)
    await harness.devnet.forge()
    const bytes = Buffer.from((await harness.source.transactionBytes(id))!)
    const { source } = await sourceOf(answer(200, { cbor: bytes.toString('hex') }))
    expect(await source.transactionBytes(id)).toEqual(Uint8Array.from(bytes))
    await expect(source.transactionBytes(ID)).rejects.toMatchObject({ code: 'BAD_ANSWER' })
    bytes[40]! ^= 1
    const { source: flipped } = await sourceOf(answer(200, { cbor: bytes.toString('hex') }))
    await expect(flipped.transactionBytes(id)).rejects.toMatchObject({ code: 'BAD_ANSWER' })
  })

  test('gives up on an answer that does not come, and on one that does not end', async () => {
    const { source: silent } = await sourceOf(() => undefined)
    await expect(silent.submit(new Uint8Array(1))).rejects.toMatchObject({ code: 'UNREACHABLE' })
    const { source: endless } = await sourceOf((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const timer = setInterval(() => response.write('x'.repeat(1_000_000)), 1)
      response.on('close', () => clearInterval(timer))
    })
    await expect(endless.submit(new Uint8Array(1))).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })

  test('stops waiting when the call is cancelled', async () => {
    const { source } = await sourceOf(() => undefined)
    const abort = new AbortController()
    const call = source.tip({ signal: abort.signal })
    abort.abort()
    await expect(call).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })

  test('keeps the protocol parameters for an hour, and not because a clock that ran ahead read them', async () => {
    const parameters = {
      min_fee_a: 44,
      min_fee_b: 155_381,
      max_tx_size: 16_384,
      key_deposit: '2000000',
      pool_deposit: '500000000',
      max_val_size: '5000',
      coins_per_utxo_size: '4310'
    }
    const { source, requests } = await sourceOf(answer(200, parameters))
    const now = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: now + 86_400_000 })
    try {
      await source.parameters()
      await source.parameters()
      expect(requests()).toBe(1)
      vi.setSystemTime(now)
      await source.parameters()
      expect(requests()).toBe(2)
    } finally {
      vi.useRealTimers()
    }
  })

  test('takes fee terms that are fractions, and rounds them up', async () => {
    const parameters = {
      min_fee_a: 44.25,
      min_fee_b: 155_381.5,
      max_tx_size: 16_384,
      key_deposit: '2000000',
      pool_deposit: '500000000',
      max_val_size: '5000',
      coins_per_utxo_size: '4310'
    }
    const { source } = await sourceOf(answer(200, parameters))
    expect(await source.parameters()).toMatchObject({ feePerByte: 45n, feeBase: 155_382n })
  })

  test('needs an address or a project id', () => {
    expect(() => createChainSource({})).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
    expect(() => createChainSource({ url: 'not a url' })).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
  })
})
