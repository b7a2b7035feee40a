import { setTimeout as sleep } from 'node:timers/promises'
import type { FinalTransaction } from '../../chain/follow/chain-change.ts'
import { equalBytes } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'
import type { Logger } from '../ports.ts'
import { KeyDirectory } from './key-directory.ts'
import { LogHash, MAX_WRONG_SIGNATURES, signatureName, type VerifiedLog, type VerifiedMark } from './verified-log.ts'

/** The verification in the background works and rests in turn: clients come first. */
const WORK_MS = 10
const REST_MS = 10

/** Reads the FINAL log in order. */
export type Finals = () => AsyncIterable<FinalTransaction>

export interface DirectoryRestoreComponents {
  crypto: Crypto
  clock: Clock
  logger: Logger
  log: VerifiedLog
  /** Called if the mark that this start trusted turns out to be wrong: the directory may be wrong, and the process must end. */
  onFatal: (error: Error) => void
}

/**
 * Fills the key directory at the start. What an earlier run verified to its end, by the word of {@link VerifiedLog}, is replayed
 * without its signatures; the rest with them. Afterwards the whole log is verified in the background, and only that makes a
 * new mark.
 */
export class DirectoryRestore {
  readonly #components: DirectoryRestoreComponents
  readonly #network: NetworkId
  readonly #genesis: Genesis
  #trusted: VerifiedMark | undefined
  /** Whether signatures are taken as the mark has them. */
  #isTrusting = false
  #isStopped = false
  #verifying: Promise<void> = Promise.resolve()

  constructor(components: DirectoryRestoreComponents, init: { network: NetworkId; genesis: Genesis }) {
    this.#components = components
    this.#network = init.network
    this.#genesis = init.genesis
  }

  /** What the directory checks signatures with. */
  get crypto(): Crypto {
    const { crypto } = this.#components
    return {
      ...crypto,
      verify: async (key, message, signature) => {
        const { wrong } = this.#trusted ?? {}
        if (!this.#isTrusting || wrong === undefined) return crypto.verify(key, message, signature)
        return wrong.size === 0 || !wrong.has(signatureName(crypto, key, message, signature))
      }
    }
  }

  /** Transactions whose signatures the last {@link restore} took from the mark. */
  get trustedCount(): number {
    return this.#trusted?.count ?? 0
  }

  /** @param directory - empty, made with {@link crypto}. */
  async restore(finals: Finals, directory: KeyDirectory): Promise<void> {
    const mark = await this.#components.log.read()
    // Before the first record is applied: what was applied cannot be taken back.
    this.#trusted = mark && (await this.#fits(finals, mark)) ? mark : undefined
    const applied = new LogHash(this.#components.crypto, this.#network)
    this.#isTrusting = this.#trusted !== undefined
    try {
      for await (const transaction of finals()) {
        if (applied.count === this.trustedCount) this.#isTrusting = false
        if (this.#isTrusting) applied.add(transaction)
        await directory.restoreFinal(transaction)
      }
    } finally {
      this.#isTrusting = false
    }
    const { hash } = this.#trusted ?? {}
    if (hash && !equalBytes(applied.value, hash)) throw new Error('the log of records changed while it was read')
  }

  /** Verifies the whole log from its beginning, a little at a time, and makes a new mark. {@link stop} ends it. */
  verifyInBackground(finals: Finals): void {
    this.#verifying = this.#verify(finals).catch((error: Error) => {
      this.#components.logger.warn('the log of records was not verified to its end', { reason: error.message })
    })
  }

  /** Resolves once the verification has ended. */
  verified(): Promise<void> {
    return this.#verifying
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#verifying
  }

  async #fits(finals: Finals, mark: VerifiedMark): Promise<boolean> {
    const read = new LogHash(this.#components.crypto, this.#network)
    for await (const transaction of finals()) {
      read.add(transaction)
      if (read.count === mark.count) return equalBytes(read.value, mark.hash)
    }
    return false
  }

  async #verify(finals: Finals): Promise<void> {
    const { crypto, clock, log, onFatal, logger } = this.#components
    const wrong = new Set<string>()
    const recording: Crypto = {
      ...crypto,
      verify: async (key, message, signature) => {
        const holds = await crypto.verify(key, message, signature)
        if (!holds) wrong.add(signatureName(crypto, key, message, signature))
        return holds
      }
    }
    const scratch = new KeyDirectory({ crypto: recording, clock }, { network: this.#network, genesis: this.#genesis })
    const read = new LogHash(crypto, this.#network)
    let restAt = performance.now() + WORK_MS
    for await (const transaction of finals()) {
      if (this.#isStopped) return
      read.add(transaction)
      await scratch.restoreFinal(transaction)
      if (read.count === this.trustedCount && !isSame(wrong, this.#trusted!.wrong)) {
        await log.forget()
        return onFatal(
          new Error('records were trusted whose signatures do not hold; the next start verifies all of them')
        )
      }
      if (performance.now() < restAt) continue
      await sleep(REST_MS)
      restAt = performance.now() + WORK_MS
    }
    if (read.count === 0 || wrong.size > MAX_WRONG_SIGNATURES) return log.forget()
    await log.write({ count: read.count, hash: read.value, wrong })
    logger.info('the log of records is verified', { transactions: read.count })
  }
}

const isSame = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every(name => b.has(name))
