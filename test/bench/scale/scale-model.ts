/**
 * What the directory costs on Cardano, by building real transactions with the library that the publisher uses: sizes and fees
 * come from it, everything else is arithmetic on them.
 */
import type { ProtocolParameters, TransactionId } from '../../../chain/source/chain-source.ts'
import { PROTOCOL_PARAMETERS } from '../../../chain/devnet/protocol-parameters.ts'
import { ChainError } from '../../../chain/errors.ts'
import { buildTransaction, enterpriseAddress } from '../../../chain/publish/transaction-builder.ts'
import { encodeCbor, type Cbor } from '../../../protocol/cbor.ts'
import { concatBytes, utf8 } from '../../../protocol/bytes.ts'
import { encodeMetadata } from '../../../protocol/directory/metadata.ts'
import {
  buildAdd,
  buildCreate,
  buildNameCommit,
  buildNameRelease,
  buildNameReveal,
  buildNode,
  buildRecover,
  buildRelease,
  buildRevoke,
  buildRotate,
  buildVouch
} from '../../../protocol/identity/build-record.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { encodeRecord, type DirectoryRecord } from '../../../protocol/identity/record.ts'
import {
  bytesOf,
  castDevice,
  castKey,
  CHAIN_START,
  genesis,
  network,
  releaseKey,
  signer
} from '../../support/directory/cast.ts'

/** Mainnet's, as the devnet tells them: fee a, fee b, sizes. */
export const PARAMETERS: ProtocolParameters = {
  feePerByte: BigInt(PROTOCOL_PARAMETERS.min_fee_a),
  feeBase: BigInt(PROTOCOL_PARAMETERS.min_fee_b),
  lovelacePerUtxoByte: BigInt(PROTOCOL_PARAMETERS.coins_per_utxo_size),
  maxTransactionSize: PROTOCOL_PARAMETERS.max_tx_size,
  maxValueSize: Number(PROTOCOL_PARAMETERS.max_val_size),
  keyDeposit: BigInt(PROTOCOL_PARAMETERS.key_deposit),
  poolDeposit: BigInt(PROTOCOL_PARAMETERS.pool_deposit)
}
/** Bytes of transactions in one block. */
export const BLOCK_BYTES = PROTOCOL_PARAMETERS.max_block_size
/** Mean time between blocks. */
export const BLOCK_SECONDS = 20
export const LOVELACE_PER_ADA = 1_000_000

const SEED = new Uint8Array(32).fill(7)
const ADDRESS = enterpriseAddress(SEED, true)
const COIN = { transaction: 'a'.repeat(64) as TransactionId, index: 0, lovelace: 10_000_000_000n }
/** A slot of these years; its length counts. */
const TIME_TO_LIVE = 200_000_000
const NO_CAP = 10_000_000n

/** One transaction as it would go to the chain. */
export interface MeasuredTransaction {
  bytes: number
  /** ADA. */
  fee: number
}

/** @returns `undefined` if it would be longer than the chain accepts. */
function measure(auxiliaryData: Uint8Array): MeasuredTransaction | undefined {
  const plan = { auxiliaryData, coins: [COIN], parameters: PARAMETERS, timeToLive: TIME_TO_LIVE, feeCap: NO_CAP }
  try {
    const { bytes, fee } = buildTransaction(SEED, ADDRESS, plan)
    return { bytes: bytes.length, fee: Number(fee) / LOVELACE_PER_ADA }
  } catch (error) {
    if (error instanceof ChainError && error.code === 'TOO_LARGE') return undefined
    throw error
  }
}

/** A transaction with so many records, taken from a list over and over. */
export function batchOf(records: readonly Uint8Array[], count: number): MeasuredTransaction | undefined {
  const chosen = Array.from({ length: count }, (_, i) => records[i % records.length]!)
  return measure(encodeMetadata(genesis.metadataLabel, chosen))
}

/** The largest transaction with such records. */
export function fullBatch(records: readonly Uint8Array[]): MeasuredTransaction & { count: number } {
  let [fits, tooMany] = [1, PARAMETERS.maxTransactionSize / 16]
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2)
    if (batchOf(records, middle)) fits = middle
    else tooMany = middle
  }
  return { ...batchOf(records, fits)!, count: fits }
}

const device = await castDevice('scale1')
const second = await castDevice('scale2')
const by = signer(device, bytesOf('previous'), CHAIN_START)
const { messagingKeyHash } = second.keys
const recoveryKey = await castKey('scale recovery')
const nodeKey = await castKey('scale node')
const created = { messagingKeyHash, time: CHAIN_START }

const ofKind: Record<string, DirectoryRecord> = {
  CREATE: await buildCreate(network, device.key, { ...created, recoveryKey: null }),
  'CREATE with recovery key': await buildCreate(network, device.key, {
    ...created,
    recoveryKey: recoveryKey.publicKey
  }),
  ADD: await buildAdd(network, by, second.key, messagingKeyHash),
  REVOKE: await buildRevoke(network, by, second.deviceId, 'stolen'),
  ROTATE: await buildRotate(network, by, messagingKeyHash),
  'NAME commit': await buildNameCommit(network, by, bytesOf('commitment')),
  'NAME reveal': await buildNameReveal(network, by, bytesOf('tag'), bytesOf('salt')),
  'NAME release': await buildNameRelease(network, by, bytesOf('tag')),
  RECOVER: await buildRecover(network, recoveryKey, second.key, {
    ...created,
    prev: by.prev,
    recoveryKey: nodeKey.publicKey
  }),
  'NODE with one address': await buildNode(network, by, nodeKey, ['/dns4/node.example.org/tcp/443/tls/ws']),
  VOUCH: await buildVouch(network, by, bytesOf('operator') as AccountId),
  RELEASE: await buildRelease(network, releaseKey, {
    version: utf8('1.0.0'),
    manifestHash: bytesOf('manifest'),
    time: CHAIN_START
  })
}

/** One record of each kind, encoded. */
export const RECORDS: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  Object.entries(ofKind).map(([kind, record]) => [kind, encodeRecord(record)])
)

/** What somebody publishes in the first year: an account, a name, a second device. */
export const FIRST_YEAR = ['CREATE', 'NAME commit', 'NAME reveal', 'ADD'].map(kind => RECORDS[kind]!)
/** The part of it that stays in the chain's own order whatever else moves. */
export const NAMES = ['NAME commit', 'NAME reveal'].map(kind => RECORDS[kind]!)
/** And in every later one, half of each: devices last two years. */
export const LATER_YEARS = ['ADD', 'REVOKE'].map(kind => RECORDS[kind]!)

/**
 * A checkpoint of a log, as version 2 of the metadata could hold it: `[log id, size, root, map root, hash of the transaction
 * before, time, signature]`.
 */
export const CHECKPOINT: MeasuredTransaction = (() => {
  const hash = new Uint8Array(32).fill(1)
  const fields: Cbor = [hash.slice(16), 1_000_000_000, hash, hash, hash, CHAIN_START, concatBytes(hash, hash)]
  const records = encodeMetadata(genesis.metadataLabel, [encodeCbor(fields)])
  return measure(records)!
})()

/** A transaction of the greatest size that holds nothing of worth, per byte: what junk costs its author. */
export const FULL_TRANSACTION = fullBatch([encodeCbor([new Uint8Array(64)])])
