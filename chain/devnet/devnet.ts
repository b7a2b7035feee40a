/**
 * A chain of one's own: blocks, a mempool and rollbacks around emulated ledger rules. Everything that changes it runs one
 * after the other; what is read is the state after the last change.
 */
import { randomBytes } from 'node:crypto'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'
import { decodeAddress } from './cardano-address.ts'
import type { BlockHash, TransactionId } from '../source/chain-source.ts'
import { ChainError } from '../errors.ts'
import { SILENT_LOGGER, type Logger } from '../logger.ts'
import { parseRawTransaction, type RawTransaction } from '../source/raw-transaction.ts'
import { BlockStore, MAX_ROLLBACK, type StoredBlock } from './block-store.ts'
import { DEFAULT_GIFT, Faucet, GENESIS_LOVELACE, MAX_GIFT, MIN_GIFT, singleUtxo } from './faucet.ts'
import { Ledger, parseUtxos, type LedgerUtxo } from './ledger.ts'

/** Network magic of every devnet. */
export const DEVNET_MAGIC = 42
/** How the devnet must be named wherever people or programs see it. */
export const DEVNET_LABEL = 'local devnet (emulated ledger rules)'
/** Milliseconds between blocks unless said otherwise. */
export const DEFAULT_BLOCK_MS = 2_000
/** Bytes of transactions in one block, as on Cardano's mainnet. */
export const MAX_BLOCK_BYTES = 90_112
/** Bytes of transactions that wait for a block: two blocks' worth, as in a Cardano node. */
export const MEMPOOL_BYTES = 2 * MAX_BLOCK_BYTES
const MAX_SLOT_MS = 1_000
const SECOND_MS = 1_000

export interface DevnetInit {
  /** Folder of the chain; made if absent. */
  dataDir: string
  /** Milliseconds between blocks ({@link DEFAULT_BLOCK_MS}); 0 for none but those that {@link Devnet.forge} makes. */
  blockMs?: number
  clock?: () => number
  logger?: Logger
}

/** Faults that the devnet commits on demand; all off at start. */
export interface DevnetFaults {
  /** No block is made by time. */
  pauseBlocks: boolean
  /** Transactions are answered with their id and forgotten. */
  dropSubmissions: boolean
}

interface MempoolEntry extends RawTransaction {
  bytes: Uint8Array
  /** The ledger once this transaction is applied on top of all before it. */
  after: Ledger
}

export class Devnet {
  readonly faults: DevnetFaults = { pauseBlocks: false, dropSubmissions: false }
  readonly #init: Required<DevnetInit>
  readonly #store: BlockStore
  #faucet: Faucet | undefined
  #tip: StoredBlock | undefined
  #fork = 0
  /** Unspent outputs after the tip. */
  #utxos: LedgerUtxo[] = []
  /** State after the tip, loaded when the first transaction comes. */
  #ledger: Ledger | undefined
  #mempool: MempoolEntry[] = []
  #timer: NodeJS.Timeout | undefined
  /** Everything that changes the chain, one change after another. */
  readonly #changes = new SerialQueue()

  constructor(init: DevnetInit) {
    this.#init = { blockMs: DEFAULT_BLOCK_MS, clock: Date.now, logger: SILENT_LOGGER, ...init }
    this.#store = new BlockStore(init.dataDir)
  }

  /** Opens or makes the chain and begins to make blocks. @throws when the folder is held by another process. */
  async start(): Promise<void> {
    await this.#store.open()
    if (this.#store.isEmpty) await this.#create()
    this.#faucet = new Faucet(fromHex(this.#store.genesis.faucetSeed))
    this.#tip = await this.#store.tip()
    this.#fork = this.#tip.fork
    this.#utxos = parseUtxos(await this.#store.utxosAt(this.#tip.height))
    if (this.#init.blockMs > 0) this.#timer = setInterval(() => this.#forgeByTime(), this.#init.blockMs)
  }

  /** Stops making blocks and closes the folder. The mempool is forgotten, as a Cardano node forgets its own. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#changes.idle()
    await this.#store.close()
  }

  /** Milliseconds since 1970 of slot 0. */
  get systemStart(): number {
    return this.#store.genesis.systemStart
  }

  get tip(): StoredBlock {
    if (!this.#tip) throw new ChainError('MALFORMED', 'the devnet has not started')
    return this.#tip
  }

  get mempool(): { id: TransactionId; size: number }[] {
    return this.#mempool.map(({ id, bytes }) => ({ id, size: bytes.length }))
  }

  /** The chain for readers; they must not write. */
  get chain(): Pick<BlockStore, 'block' | 'blockOfHash' | 'hashOf' | 'transaction' | 'labelled' | 'snapshot'> {
    return this.#store
  }

  /** Unspent outputs of an address on the chain; those in the mempool are not there yet. @param address - bech32. */
  utxosOf(address: string): LedgerUtxo[] {
    const wanted = toHex(decodeAddress(address))
    return this.#utxos.filter(utxo => utxo.address === wanted)
  }

  /** Milliseconds since 1970 at which a slot begins. */
  slotTime(slot: number): number {
    const { systemStart, slotMs } = this.#store.genesis
    return systemStart + slot * slotMs
  }

  /**
   * Judges a transaction and keeps it for the next block.
   * @throws {@link ChainError} `REJECTED` by the rules, `BUSY` with a full mempool.
   */
  submit(bytes: Uint8Array): Promise<TransactionId> {
    return this.#changes.run(async () => {
      const id = await this.#admit(bytes)
      if (this.faults.dropSubmissions) this.#mempool.pop()
      return id
    })
  }

  /** Sends ADA from the faucet; there once the next block is made. @param address - bech32. */
  fund(address: string, lovelace: bigint = DEFAULT_GIFT): Promise<TransactionId> {
    const recipient = decodeAddress(address)
    if (lovelace < MIN_GIFT || lovelace > MAX_GIFT) {
      throw new ChainError('MALFORMED', `the faucet gives ${MIN_GIFT} to ${MAX_GIFT} lovelace at once`)
    }
    return this.#changes.run(async () => {
      const utxos = parseUtxos((await this.#head()).dump())
      return this.#admit(this.#faucet!.pay(utxos, recipient, lovelace))
    })
  }

  /** Makes blocks now. @returns the newest. */
  forge(count = 1): Promise<BlockHash> {
    return this.#changes.run(async () => {
      for (let i = 0; i < count; i++) await this.#forgeOne()
      return this.#store.hashOf(this.tip)
    })
  }

  /**
   * Takes the newest blocks away. Their transactions go back to the mempool, or are lost with `drop`; the mempool's own
   * stay if they are still valid.
   * @param depth - blocks, 1 to {@link MAX_ROLLBACK}; fewer on a shorter chain.
   */
  rollback(depth: number, { drop = false }: { drop?: boolean } = {}): Promise<void> {
    if (!Number.isInteger(depth) || depth < 1 || depth > MAX_ROLLBACK) {
      throw new ChainError('MALFORMED', `a rollback takes 1 to ${MAX_ROLLBACK} blocks`)
    }
    return this.#changes.run(async () => {
      const height = Math.max(0, this.tip.height - depth)
      const utxos = await this.#store.utxosAt(height)
      const lost = await this.#store.truncate(height)
      this.#tip = await this.#store.tip()
      this.#fork++
      this.#utxos = parseUtxos(utxos)
      this.#ledger = undefined
      await this.#refill([...(drop ? [] : lost), ...this.#mempool.map(entry => entry.bytes)])
    })
  }

  async #create(): Promise<void> {
    const { blockMs, clock } = this.#init
    const salt = toHex(randomBytes(32))
    const faucetSeed = randomBytes(32)
    const systemStart = Math.floor(clock() / SECOND_MS) * SECOND_MS
    // Blocks faster than slots would run ahead of the clock.
    const slotMs = blockMs > 0 ? Math.min(MAX_SLOT_MS, blockMs) : MAX_SLOT_MS
    const utxos = singleUtxo(salt as TransactionId, new Faucet(faucetSeed).address, GENESIS_LOVELACE)
    await this.#store.create({ version: 1, systemStart, slotMs, salt, faucetSeed: toHex(faucetSeed) }, utxos)
  }

  #forgeByTime(): void {
    if (this.faults.pauseBlocks) return
    this.forge().catch((error: unknown) => this.#init.logger.error({ error }, 'the devnet could not make a block'))
  }

  async #forgeOne(): Promise<void> {
    const slot = Math.max(this.tip.slot + 1, this.#slotNow())
    if (this.#mempool.some(entry => entry.timeToLive !== undefined && entry.timeToLive <= slot)) {
      await this.#refill(
        this.#mempool.map(entry => entry.bytes),
        slot
      )
    }
    const taken: MempoolEntry[] = []
    let size = 0
    for (const entry of this.#mempool) {
      if (size + entry.bytes.length > MAX_BLOCK_BYTES) break
      size += entry.bytes.length
      taken.push(entry)
    }
    const fees = taken.reduce((sum, entry) => sum + entry.fee, 0)
    const transactions = taken.map(entry => entry.id)
    const block: StoredBlock = { height: this.tip.height + 1, slot, fork: this.#fork, size, fees, transactions }
    const after = taken.at(-1)?.after
    const utxos = after?.dump()
    await this.#store.append(
      block,
      taken.map(entry => entry.bytes),
      utxos
    )
    this.#tip = block
    this.#mempool.splice(0, taken.length)
    if (after && utxos) {
      this.#ledger = after
      this.#utxos = parseUtxos(utxos)
    }
  }

  /** Judges a transaction on top of the mempool and puts it at the end. */
  async #admit(bytes: Uint8Array, slot = Math.max(this.tip.slot, this.#slotNow())): Promise<TransactionId> {
    const waiting = this.#mempool.reduce((sum, entry) => sum + entry.bytes.length, 0)
    if (waiting + bytes.length > MEMPOOL_BYTES) throw new ChainError('BUSY', 'the mempool is full')
    const after = (await this.#head()).copy()
    after.setSlot(slot)
    const id = after.apply(bytes)
    const transaction = parseRawTransaction(bytes)
    if (transaction.id !== id) throw new ChainError('REJECTED', 'the transaction cannot be named')
    this.#mempool.push({ ...transaction, bytes: Uint8Array.from(bytes), after })
    return id
  }

  /** Rebuilds the mempool without the transactions that are no longer valid. */
  async #refill(transactions: Uint8Array[], slot?: number): Promise<void> {
    this.#mempool = []
    for (const bytes of transactions) {
      try {
        await this.#admit(bytes, slot)
      } catch (error) {
        if (!(error instanceof ChainError)) throw error
        this.#init.logger.info({ reason: error.message }, 'a transaction fell out of the mempool')
      }
    }
  }

  /** State after the mempool. */
  async #head(): Promise<Ledger> {
    const last = this.#mempool.at(-1)
    if (last) return last.after
    const { systemStart, slotMs } = this.#store.genesis
    this.#ledger ??= await Ledger.load(await this.#store.utxosAt(this.tip.height), systemStart, slotMs)
    return this.#ledger
  }

  #slotNow(): number {
    const { systemStart, slotMs } = this.#store.genesis
    return Math.floor((this.#init.clock() - systemStart) / slotMs)
  }
}
