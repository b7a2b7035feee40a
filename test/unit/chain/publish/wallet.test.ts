import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeAddress } from '../../../../chain/devnet/cardano-address.ts'
import type { ProtocolParameters, TransactionId, Utxo } from '../../../../chain/source/chain-source.ts'
import { parseRawTransaction } from '../../../../chain/source/raw-transaction.ts'
import { MAINNET_MAGIC, Wallet, type PaymentRequest } from '../../../../chain/publish/wallet.ts'
import { encodeCbor } from '../../../../protocol/cbor.ts'
import { encodeMetadata, recordsOfTransaction } from '../../../../protocol/directory/metadata.ts'

const LABEL = 86_070
const PARAMETERS: ProtocolParameters = {
  feePerByte: 44n,
  feeBase: 155_381n,
  lovelacePerUtxoByte: 4_310n,
  maxTransactionSize: 16_384,
  maxValueSize: 5_000,
  keyDeposit: 2_000_000n,
  poolDeposit: 500_000_000n
}

let folder: string
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'volo-wallet-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

const coin = (lovelace: bigint, byte = 1): Utxo => ({
  transaction: byte.toString(16).padStart(2, '0').repeat(32) as TransactionId,
  index: 0,
  lovelace
})
const recordOf = (size: number): Uint8Array =>
  encodeCbor([1, ...Array.from({ length: size }, () => new Uint8Array(60))])
const request = (overrides: Partial<PaymentRequest> = {}): PaymentRequest => ({
  auxiliaryData: encodeMetadata(LABEL, [recordOf(2)]),
  coins: [coin(10_000_000n)],
  parameters: PARAMETERS,
  timeToLive: 1_000,
  feeCap: 1_000_000n,
  ...overrides
})

describe('the key file', () => {
  test('is made for its owner alone, and gives the same address again', async () => {
    const path = join(folder, 'new.key')
    const wallet = await Wallet.open(path, 42)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await Wallet.open(path, 42)).address).toBe(wallet.address)
    expect(wallet.address).toMatch(/^addr_test1v/)
    expect((await Wallet.open(path, MAINNET_MAGIC)).address).toMatch(/^addr1v/)
  })

  test('is refused when others may read it', async () => {
    const path = join(folder, 'open.key')
    await Wallet.open(path, 42)
    await chmod(path, 0o640)
    await expect(Wallet.open(path, 42)).rejects.toMatchObject({ code: 'BAD_KEY_FILE' })
  })

  test('is refused when it is no key, without repeating what stands in it', async () => {
    const path = join(folder, 'bad.key')
    await writeFile(path, 'not a key but secret', { mode: 0o600 })
    const failure = await Wallet.open(path, 42).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'BAD_KEY_FILE' })
    expect(inspect(failure)).not.toContain('secret')
  })

  test('stays out of logs', async () => {
    const path = join(folder, 'logged.key')
    const wallet = await Wallet.open(path, 42)
    const key = (await readFile(path, 'utf8')).trim()
    expect(inspect(wallet, { depth: 9, showHidden: true }) + JSON.stringify({ wallet })).not.toContain(key)
  })
})

describe('a transaction', () => {
  test('carries the records, pays itself, and is named by its body', async () => {
    const wallet = await Wallet.open(join(folder, 'pay.key'), 42)
    const built = wallet.build(request())
    const { transactionId, metadata } = recordsOfTransaction(built.bytes, LABEL)
    expect(Buffer.from(transactionId).toString('hex')).toBe(built.id)
    expect(metadata).toMatchObject({ kind: 'records', records: [recordOf(2)] })
    expect(parseRawTransaction(built.bytes)).toMatchObject({ fee: Number(built.fee), timeToLive: 1_000 })
    expect(built.change.lovelace + built.fee).toBe(10_000_000n)
    expect(Buffer.from(built.bytes).includes(Buffer.from(decodeAddress(wallet.address)))).toBe(true)
  })

  test('spends the largest coin, and more only when needed', async () => {
    const wallet = await Wallet.open(join(folder, 'pay.key'), 42)
    const coins = [coin(1_500_000n, 1), coin(5_000_000n, 2), coin(3_000_000n, 3)]
    expect(wallet.build(request({ coins })).inputs).toEqual([coins[1]])
    const small = [coin(1_200_000n, 1), coin(1_500_000n, 2)]
    expect(wallet.build(request({ coins: small })).inputs).toHaveLength(2)
  })

  test('spends the change of the one before it, however small', async () => {
    const wallet = await Wallet.open(join(folder, 'pay.key'), 42)
    const chained = coin(1_200_000n, 9)
    const { inputs } = wallet.build(request({ chained, coins: [coin(50_000_000n)] }))
    expect(inputs).toContainEqual(chained)
  })

  test.each([
    ['too little ADA', { coins: [coin(1_000_000n)] }, 'INSUFFICIENT_FUNDS'],
    ['no coins', { coins: [] }, 'INSUFFICIENT_FUNDS'],
    ['a fee above the cap', { feeCap: 100_000n }, 'FEE_TOO_HIGH'],
    ['more records than fit', { auxiliaryData: encodeMetadata(LABEL, [recordOf(280)]) }, 'TOO_LARGE'],
    ['65 bytes in a row', { auxiliaryData: encodeMetadata(LABEL, [encodeCbor(new Uint8Array(65))]) }, 'MALFORMED'],
    ['null in a record', { auxiliaryData: encodeMetadata(LABEL, [encodeCbor([null])]) }, 'MALFORMED']
  ] as [string, Partial<PaymentRequest>, string][])('is not built with %s', async (_name, overrides, code) => {
    const wallet = await Wallet.open(join(folder, 'pay.key'), 42)
    expect(() => wallet.build(request(overrides))).toThrow(expect.objectContaining({ code }))
  })
})
