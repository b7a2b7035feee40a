/** A chain as told by Blockfrost, hosted or self-hosted, or by the devnet: only address and project id differ. */
import { BlockFrostAPI, BlockfrostServerError } from '@blockfrost/blockfrost-js'
import {
  parseBlock,
  parseIdentity,
  parseLabelRows,
  parseParameters,
  parsePlace,
  parseTransactionCbor,
  parseUtxoRows
} from './blockfrost-answers.ts'
import {
  LABEL_PAGE_SIZE,
  parseTransactionId,
  type Block,
  type BlockHash,
  type CallOptions,
  type ChainIdentity,
  type ChainSource,
  type LabelPageOptions,
  type ProtocolParameters,
  type TransactionId,
  type TransactionPlace,
  type Utxo
} from './chain-source.ts'
import { ChainError } from '../errors.ts'
import { checkTransactionBytes } from './raw-transaction.ts'
import { isRecent } from '../recent.ts'
import { retry, untilAborted } from './retry.ts'

export interface ChainSourceOptions {
  /** Base URL of a Blockfrost-compatible server; without one, hosted Blockfrost of the project's network. */
  url?: string
  /** Hosted Blockfrost's project id, such as `preprod…`; a secret, sent as a header and never logged. */
  projectId?: string
  /** The server is a local devnet and has a faucet. */
  devnet?: boolean
  /** Milliseconds until one request is given up: {@link DEFAULT_REQUEST_TIMEOUT_MS}. */
  requestTimeoutMs?: number
  /** Requests for one answer, the first included: {@link DEFAULT_ATTEMPTS}. */
  attempts?: number
  /** Pause after a failed request, doubled each time: {@link DEFAULT_RETRY_MS}. */
  retryMs?: number
}

export const DEFAULT_REQUEST_TIMEOUT_MS = 10_000
export const DEFAULT_ATTEMPTS = 4
export const DEFAULT_RETRY_MS = 500
/** Longest answer: a page of 100 rows that each tell a full transaction's metadata twice, in hex. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024
/** Pages of unspent outputs that a wallet looks at. */
const MAX_UTXO_PAGES = 10
const UTXO_PAGE_SIZE = 100
const PARAMETERS_TTL_MS = 3_600_000

/** A source for the address given. @throws {@link ChainError} `MALFORMED` without address and project id. */
export function createChainSource(options: ChainSourceOptions): ChainSource {
  return new BlockfrostSource(options)
}

class BlockfrostSource implements ChainSource {
  readonly name: string
  readonly fund?: (address: string, options?: CallOptions) => Promise<void>
  readonly #api: BlockFrostAPI
  readonly #options: ChainSourceOptions
  #parameters: { value: ProtocolParameters; readAt: number } | undefined

  constructor(options: ChainSourceOptions) {
    this.#options = options
    this.#api = connect(options)
    this.name = new URL(this.#api.apiUrl).host
    if (options.devnet) this.fund = (address, call) => this.#askFaucet(address, call)
  }

  async identity(options: CallOptions = {}): Promise<ChainIdentity> {
    return parseIdentity(await this.#call(() => this.#api.genesis(), options))
  }

  async tip(options: CallOptions = {}): Promise<Block> {
    return parseBlock(await this.#call(() => this.#api.blocksLatest(), options))
  }

  async block(heightOrHash: number | BlockHash, options: CallOptions = {}): Promise<Block | undefined> {
    const answer = await this.#find(() => this.#api.blocks(heightOrHash), options)
    const block = answer === undefined ? undefined : parseBlock(answer)
    if (block && block.hash !== heightOrHash && block.height !== heightOrHash) {
      throw new ChainError('BAD_ANSWER', 'the source sent another block than the one asked for')
    }
    return block
  }

  async labelPage(
    label: number,
    { page, newestFirst = false, ...options }: LabelPageOptions
  ): Promise<TransactionId[]> {
    const range = { page, count: LABEL_PAGE_SIZE, order: newestFirst ? 'desc' : 'asc' } as const
    const answer = await this.#find(() => this.#api.metadataTxsLabelCbor(String(label), range), options)
    return answer === undefined ? [] : parseLabelRows(answer)
  }

  async transaction(id: TransactionId, options: CallOptions = {}): Promise<TransactionPlace | undefined> {
    const answer = await this.#find(() => this.#api.txs(id), options)
    const place = answer === undefined ? undefined : parsePlace(answer)
    if (place && place.id !== id) {
      throw new ChainError('BAD_ANSWER', 'the source sent another transaction than the one asked for')
    }
    return place
  }

  async transactionBytes(id: TransactionId, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    const answer = await this.#find(() => this.#api.txsCbor(id), options)
    if (answer === undefined) return undefined
    const bytes = parseTransactionCbor(answer)
    checkTransactionBytes(id, bytes)
    return bytes
  }

  async parameters(options: CallOptions = {}): Promise<ProtocolParameters> {
    const known = this.#parameters
    if (known && isRecent(known.readAt, PARAMETERS_TTL_MS, Date.now())) return known.value
    const value = parseParameters(await this.#call(() => this.#api.epochsLatestParameters(), options))
    this.#parameters = { value, readAt: Date.now() }
    return value
  }

  async utxos(address: string, options: CallOptions = {}): Promise<Utxo[]> {
    const all: Utxo[] = []
    for (let page = 1; page <= MAX_UTXO_PAGES; page++) {
      const range = { page, count: UTXO_PAGE_SIZE } as const
      const answer = await this.#find(() => this.#api.addressesUtxos(address, range), options)
      const { utxos, rows } = parseUtxoRows(answer ?? [])
      all.push(...utxos)
      if (rows < UTXO_PAGE_SIZE) break
    }
    return all
  }

  async submit(transaction: Uint8Array, options: CallOptions = {}): Promise<TransactionId> {
    // A lost answer does not say whether the transaction was taken, so only plain "later" answers are repeated here.
    const answer = await this.#call(() => this.#api.txSubmit(transaction), options, ['BUSY'])
    return parseTransactionId(answer)
  }

  async #find<T>(request: () => Promise<T>, options: CallOptions): Promise<T | undefined> {
    try {
      return await this.#call(request, options)
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
  }

  #call<T>(
    request: () => Promise<T>,
    { signal }: CallOptions,
    transient: ChainError['code'][] = ['BUSY', 'UNREACHABLE']
  ): Promise<T> {
    const { attempts = DEFAULT_ATTEMPTS, retryMs = DEFAULT_RETRY_MS } = this.#options
    const once = async (): Promise<T> => {
      try {
        return await untilAborted(request(), signal)
      } catch (error) {
        throw asChainError(this.name, error)
      }
    }
    const isTransient = (error: unknown): boolean =>
      error instanceof ChainError && transient.includes(error.code) && !(error instanceof QuotaError)
    return retry(once, { attempts, baseMs: retryMs, signal, isTransient })
  }

  async #askFaucet(address: string, options: CallOptions = {}): Promise<void> {
    const ask = async (): Promise<void> => {
      const response = await fetch(`${this.#api.apiUrl}/devnet/fund`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ address }),
        signal: AbortSignal.timeout(this.#options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS)
      })
      await response.body?.cancel()
      if (!response.ok) throw new ChainError('UNREACHABLE', `the devnet's faucet answered ${response.status}`)
    }
    await this.#call(ask, options)
  }
}

/** 404: turned into `undefined` before it leaves this file. */
class NotFoundError extends ChainError {}
/** The day's quota is used up, or we are banned for ignoring it: asking again soon makes it worse. */
class QuotaError extends ChainError {}

function asChainError(name: string, error: unknown): ChainError {
  if (error instanceof ChainError) return error
  if (error instanceof BlockfrostServerError) {
    const { status_code: status, message } = error
    const text = `${name} answered ${status}: ${message.slice(0, 300)}`
    const cause = { cause: error }
    if (status === 404) return new NotFoundError('BAD_ANSWER', text, cause)
    if (status === 400) return new ChainError('REJECTED', text, cause)
    if (status === 401 || status === 403) return new ChainError('FORBIDDEN', text, cause)
    if (status === 402 || status === 418) return new QuotaError('BUSY', text, cause)
    if (status === 425 || status === 429) return new ChainError('BUSY', text, cause)
    return new ChainError(status >= 500 ? 'UNREACHABLE' : 'BAD_ANSWER', text, cause)
  }
  const reason = error instanceof Error ? error.message : String(error)
  return new ChainError('UNREACHABLE', `${name} does not answer: ${reason.slice(0, 300)}`, { cause: error })
}

function connect({ url, projectId, requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS }: ChainSourceOptions): BlockFrostAPI {
  const settings = {
    requestTimeout: requestTimeoutMs,
    // Retries are made above, where they can be cancelled and know what may be sent twice.
    gotOptions: { retry: 0, handlers: [boundAnswer] }
  }
  if (url !== undefined) {
    const customBackend = url.replace(/\/+$/, '')
    if (!URL.canParse(customBackend))
      throw new ChainError('MALFORMED', 'the chain source needs a URL, such as https://…')
    return new BlockFrostAPI({
      customBackend,
      ...settings,
      ...(projectId === undefined ? { rateLimiter: false } : { projectId })
    })
  }
  if (projectId === undefined) throw new ChainError('MALFORMED', 'a chain source needs a URL or a project id')
  return new BlockFrostAPI({ projectId, ...settings })
}

interface CancelableRequest {
  on?(event: 'downloadProgress', listener: (progress: { transferred: number }) => void): unknown
  cancel?(reason: string): void
}

/** A handler of the HTTP client that cuts off an answer without end. */
function boundAnswer<O, R>(options: O, next: (options: O) => R): R {
  const request = next(options)
  const cancelable = request as CancelableRequest
  cancelable.on?.('downloadProgress', ({ transferred }) => {
    if (transferred > MAX_ANSWER_BYTES) cancelable.cancel?.('the answer is too long')
  })
  return request
}
