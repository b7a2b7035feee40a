/** The Blockfrost endpoints that publisher and follower use, with every field that Blockfrost requires. */
import { toHex } from '../../protocol/bytes.ts'
import { parseBlockHash, parseTransactionId } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'
import { metadataOf, parseRawTransaction } from '../source/raw-transaction.ts'
import { MAX_ROLLBACK, type StoredBlock, type StoredTransaction } from './block-store.ts'
import { DEVNET_LABEL, DEVNET_MAGIC, type Devnet } from './devnet.ts'
import { NOT_FOUND, type Answer } from './answer.ts'
import { GENESIS_LOVELACE } from './faucet.ts'
import { movesOf } from './ledger.ts'
import { EPOCH_SLOTS, PROTOCOL_PARAMETERS } from './protocol-parameters.ts'

type Route = (devnet: Devnet, query: URLSearchParams, body: Uint8Array) => Answer | Promise<Answer>
type Parameters = Record<string, string>

const MAX_PAGE_ROWS = 100
const MAX_PAGE = 21_474_836
const SECOND_MS = 1_000
const SLOT_LEADER = 'volo-local-devnet'

const ok = (body: unknown): Answer => ({ status: 200, body })

const ROUTES: [string, string, (parameters: Parameters) => Route][] = [
  ['GET', '/', () => () => ok({ url: DEVNET_LABEL, version: '0.1.0' })],
  ['GET', '/health', () => () => ok({ is_healthy: true })],
  ['GET', '/health/clock', () => () => ok({ server_time: Date.now() })],
  ['GET', '/genesis', () => devnet => ok(genesis(devnet))],
  ['GET', '/blocks/latest', () => devnet => block(devnet, 'latest')],
  [
    'GET',
    '/blocks/:block',
    ({ block: which }) =>
      devnet =>
        block(devnet, which!)
  ],
  [
    'GET',
    '/blocks/:block/txs',
    ({ block: which }) =>
      (devnet, query) =>
        blockTransactions(devnet, which!, query)
  ],
  ['GET', '/epochs/latest/parameters', () => devnet => ok(parameters(devnet))],
  [
    'GET',
    '/addresses/:address/utxos',
    ({ address }) =>
      (devnet, query) =>
        utxos(devnet, address!, query)
  ],
  [
    'GET',
    '/metadata/txs/labels/:label/cbor',
    ({ label }) =>
      (devnet, query) =>
        labelled(devnet, label!, query)
  ],
  [
    'GET',
    '/txs/:hash',
    ({ hash }) =>
      devnet =>
        withTransaction(devnet, hash!, transactionContent)
  ],
  [
    'GET',
    '/txs/:hash/cbor',
    ({ hash }) =>
      devnet =>
        withTransaction(devnet, hash!, ({ bytes }) => ({ cbor: toHex(bytes) }))
  ],
  [
    'GET',
    '/txs/:hash/metadata/cbor',
    ({ hash }) =>
      devnet =>
        withTransaction(devnet, hash!, metadataContent)
  ],
  [
    'GET',
    '/mempool',
    () => (devnet, query) =>
      ok(
        page(
          query,
          devnet.mempool.map(({ id }) => ({ tx_hash: id }))
        )
      )
  ],
  ['POST', '/tx/submit', () => async (devnet, _query, body) => ok(await devnet.submit(body))]
]

/** The route for a request, or `undefined`. */
export function findRoute(method: string, path: string): Route | undefined {
  const segments = path.split('/')
  for (const [routeMethod, pattern, route] of ROUTES) {
    const wanted = pattern.split('/')
    if (routeMethod !== method || wanted.length !== segments.length) continue
    const found: Parameters = {}
    const matches = wanted.every((segment, i) => {
      if (!segment.startsWith(':')) return segment === segments[i]
      found[segment.slice(1)] = segments[i]!
      return segments[i] !== ''
    })
    if (matches) return route(found)
  }
  return undefined
}

interface PageRange {
  skip: number
  count: number
  reverse: boolean
}

/** @throws {@link ChainError} `MALFORMED` for what Blockfrost refuses too. */
function pageRange(query: URLSearchParams): PageRange {
  const number = (name: string, fallback: number, max: number): number => {
    const text = query.get(name) ?? String(fallback)
    const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
    if (value < 1 || value > max) throw new ChainError('MALFORMED', `querystring/${name} must be 1 to ${max}`)
    return value
  }
  const count = number('count', MAX_PAGE_ROWS, MAX_PAGE_ROWS)
  const order = query.get('order') ?? 'asc'
  if (order !== 'asc' && order !== 'desc') throw new ChainError('MALFORMED', 'querystring/order must be asc or desc')
  return { skip: (number('page', 1, MAX_PAGE) - 1) * count, count, reverse: order === 'desc' }
}

function page<T>(query: URLSearchParams, rows: T[]): T[] {
  const { skip, count, reverse } = pageRange(query)
  return (reverse ? rows.toReversed() : rows).slice(skip, skip + count)
}

/** Seconds since 1970. */
const blockTime = (devnet: Devnet, slot: number): number => Math.floor(devnet.slotTime(slot) / SECOND_MS)

function findBlock(devnet: Devnet, which: string): Promise<StoredBlock | undefined> | StoredBlock {
  if (which === 'latest') return devnet.tip
  if (/^\d{1,12}$/.test(which)) return devnet.chain.block(Number(which))
  if (/^[0-9a-f]{64}$/.test(which)) return devnet.chain.blockOfHash(parseBlockHash(which))
  throw new ChainError('MALFORMED', 'Missing, out of range or malformed hash or number.')
}

async function block(devnet: Devnet, which: string): Promise<Answer> {
  const found = await findBlock(devnet, which)
  if (!found) return NOT_FOUND
  const previous = found.height === 0 ? undefined : await devnet.chain.block(found.height - 1)
  const next = await devnet.chain.block(found.height + 1)
  return ok({
    time: blockTime(devnet, found.slot),
    height: found.height,
    hash: devnet.chain.hashOf(found),
    slot: found.slot,
    epoch: Math.floor(found.slot / EPOCH_SLOTS),
    epoch_slot: found.slot % EPOCH_SLOTS,
    slot_leader: SLOT_LEADER,
    size: found.size,
    tx_count: found.transactions.length,
    output: null,
    fees: found.transactions.length === 0 ? null : String(found.fees),
    block_vrf: null,
    op_cert: null,
    op_cert_counter: null,
    previous_block: previous ? devnet.chain.hashOf(previous) : null,
    next_block: next ? devnet.chain.hashOf(next) : null,
    confirmations: Math.max(0, devnet.tip.height - found.height)
  })
}

async function blockTransactions(devnet: Devnet, which: string, query: URLSearchParams): Promise<Answer> {
  const found = await findBlock(devnet, which)
  return found ? ok(page(query, found.transactions)) : NOT_FOUND
}

async function labelled(devnet: Devnet, label: string, query: URLSearchParams): Promise<Answer> {
  if (!/^\d{1,20}$/.test(label)) throw new ChainError('MALFORMED', 'params/label must be a number')
  const range = pageRange(query)
  const ids = await devnet.chain.labelled(label, range)
  // Blockfrost tells an unknown label from a page past the end.
  const isUnknown =
    ids.length === 0 && (await devnet.chain.labelled(label, { ...range, skip: 0, count: 1 })).length === 0
  if (isUnknown) return NOT_FOUND
  const rows = await Promise.all(
    ids.map(async id => {
      const transaction = await devnet.chain.transaction(id)
      const entry = transaction && metadataContent(transaction).find(found => found.label === label)
      return { tx_hash: id, cbor_metadata: entry?.cbor_metadata ?? null, metadata: entry?.metadata ?? null }
    })
  )
  return ok(rows)
}

function utxos(devnet: Devnet, address: string, query: URLSearchParams): Answer {
  const found = devnet.utxosOf(address)
  if (found.length === 0) return NOT_FOUND
  const rows = found.map(utxo => ({
    address,
    tx_hash: utxo.transaction,
    tx_index: utxo.index,
    output_index: utxo.index,
    amount: utxo.amount.map(({ unit, quantity }) => ({ unit, quantity: String(quantity) })),
    block: devnet.chain.hashOf(devnet.tip),
    data_hash: null,
    inline_datum: null,
    reference_script_hash: null
  }))
  return ok(page(query, rows))
}

async function withTransaction(
  devnet: Devnet,
  hash: string,
  content: (transaction: StoredTransaction, block: StoredBlock, devnet: Devnet) => unknown
): Promise<Answer> {
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new ChainError('MALFORMED', 'params/hash must be 64 hex characters')
  const transaction = await devnet.chain.transaction(parseTransactionId(hash))
  const found = transaction && (await devnet.chain.block(transaction.height))
  return transaction && found ? ok(content(transaction, found, devnet)) : NOT_FOUND
}

function transactionContent(transaction: StoredTransaction, found: StoredBlock, devnet: Devnet): object {
  const { bytes, index } = transaction
  const { id, fee, validFrom, timeToLive } = parseRawTransaction(bytes)
  const { inputCount, outputs } = movesOf(bytes)
  return {
    hash: id,
    block: devnet.chain.hashOf(found),
    block_height: found.height,
    block_time: blockTime(devnet, found.slot),
    slot: found.slot,
    index,
    output_amount: [{ unit: 'lovelace', quantity: String(outputs.reduce((sum, value) => sum + value, 0n)) }],
    fees: String(fee),
    deposit: '0',
    size: bytes.length,
    invalid_before: validFrom === undefined ? null : String(validFrom),
    invalid_hereafter: timeToLive === undefined ? null : String(timeToLive),
    utxo_count: inputCount + outputs.length,
    withdrawal_count: 0,
    mir_cert_count: 0,
    delegation_count: 0,
    stake_cert_count: 0,
    pool_update_count: 0,
    pool_retire_count: 0,
    asset_mint_or_burn_count: 0,
    redeemer_count: 0,
    valid_contract: true,
    treasury_donation: '0'
  }
}

function metadataContent({ bytes }: StoredTransaction): { label: string; cbor_metadata: string; metadata: string }[] {
  const { auxiliaryData } = parseRawTransaction(bytes)
  return (auxiliaryData ? metadataOf(auxiliaryData) : []).map(({ label, key, value }) => {
    const metadata = `a1${toHex(key)}${toHex(value)}`
    return { label: String(label), cbor_metadata: `\\x${metadata}`, metadata }
  })
}

function genesis(devnet: Devnet): object {
  return {
    active_slots_coefficient: 1,
    update_quorum: 5,
    max_lovelace_supply: String(GENESIS_LOVELACE),
    network_magic: DEVNET_MAGIC,
    epoch_length: EPOCH_SLOTS,
    system_start: Math.floor(devnet.systemStart / SECOND_MS),
    slots_per_kes_period: 129_600,
    // In seconds; a devnet with faster slots cannot say so here.
    slot_length: 1,
    max_kes_evolutions: 62,
    security_param: MAX_ROLLBACK
  }
}

function parameters(devnet: Devnet): object {
  const { slot } = devnet.tip
  return { epoch: Math.floor(slot / EPOCH_SLOTS), ...PROTOCOL_PARAMETERS }
}
