/** One account's life on a real chain, step by step; each step is told as it ends. Longer than most: it is one story. */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toHex } from '../../protocol/bytes.ts'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { RecordId } from '../../protocol/identity/device.ts'
import { NAME_REVEAL_MIN_BLOCKS, SETTLED_CONFIRMATIONS } from '../../protocol/limits.ts'
import { networkIdOf } from '../../protocol/network.ts'
import type { ChainSource } from '../source/chain-source.ts'
import { Follower } from '../follow/follower.ts'
import { Publisher } from '../publish/publisher.ts'
import type { RecordStatus } from '../publish/record-status.ts'
import { MAINNET_MAGIC, Wallet } from '../publish/wallet.ts'
import { DurableLevel } from '../store/durable-level.ts'
import { FollowedDirectory } from './followed-directory.ts'
import { NEEDED_LOVELACE, type SmokeSettings } from './settings.ts'
import { createSmokeAccount, isKnown, type SmokeAccount } from './smoke-account.ts'
import { genesisText, smokeGenesis } from './smoke-network.ts'
import { runVerify } from './verify-command.ts'

/** One step that is done. */
export interface SmokeStep {
  readonly step: string
  /** Seconds since the run began. */
  readonly seconds: number
  /** For people. */
  readonly text: string
  readonly [fact: string]: unknown
}

/** The run could not begin: nothing is wrong with Volo, something is missing. */
export class NotRunError extends Error {
  override name = 'NotRunError'
}

/** Something that should work did not. */
export class SmokeError extends Error {
  override name = 'SmokeError'
}

export interface SmokeComponents {
  source: ChainSource
  /** Base URL of the source, for `volo-verify`. */
  url: string
  /** A folder for this run alone; the caller removes it. */
  folder: string
  /** Told of each step. */
  onStep: (step: SmokeStep) => void
  signal: AbortSignal
}

export interface SmokeInit extends Pick<SmokeSettings, 'walletKeyFile' | 'settled'> {
  projectId: string | undefined
  /** Milliseconds between looks at the chain. */
  lookMs: number
}

/** Records that come close together share a transaction. */
const BATCH_WAIT_MS = 500
const LOVELACE_PER_ADA = 1_000_000

/** Runs the whole cycle. @throws NotRunError, SmokeError, ChainError. */
export async function runSmokeCycle(components: SmokeComponents, init: SmokeInit): Promise<void> {
  const stores = await DurableLevel.open(join(components.folder, 'store'))
  try {
    await new SmokeCycle(components, init, stores).run()
  } finally {
    await stores.close()
  }
}

class SmokeCycle {
  readonly #components: SmokeComponents
  readonly #init: SmokeInit
  readonly #stores: DurableLevel
  readonly #crypto = createNodeCrypto()
  readonly #start = Date.now()

  constructor(components: SmokeComponents, init: SmokeInit, stores: DurableLevel) {
    this.#components = components
    this.#init = init
    this.#stores = stores
  }

  async run(): Promise<void> {
    const magic = await this.#reach()
    const wallet = await this.#openWallet(magic)
    const genesis = smokeGenesis(this.#crypto, magic)
    const network = networkIdOf(this.#crypto, genesis)
    const { source } = this.#components
    const label = genesis.metadataLabel
    const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length))
    const account = await createSmokeAccount({ crypto: this.#crypto, network, genesis, random, now: Date.now })
    const directory = new FollowedDirectory(this.#crypto, network, genesis)
    const pace = { checkMs: this.#init.lookMs, batchWaitMs: BATCH_WAIT_MS }
    const publisher = new Publisher(
      { source, wallet, store: this.#stores.sublevel('publisher'), crypto: this.#crypto, clock: Date.now },
      { network, label, ...pace }
    )
    const follower = new Follower(
      { source, store: this.#stores.sublevel('follower') },
      { label, magic, pollMs: this.#init.lookMs, onChange: change => directory.apply(change) }
    )
    await publisher.start()
    await follower.start()
    try {
      const created = await this.#publish(publisher, 'create', [account.records.create, account.records.commit])
      await this.#until('the account is followed', () => isKnown(directory.current, account, false))
      this.#tell('follow', `account ${toHex(account.accountId).slice(0, 16)}… stands in the followed directory`)
      await this.#waitForReveal(created.height)
      const revealed = await this.#publish(publisher, 'reveal', [account.records.reveal])
      await this.#until('the name is followed', () => isKnown(directory.current, account, true))
      const { rolledBack } = directory
      this.#tell('name', `@${account.username} is held by the account`, { username: account.username, rolledBack })
      if (this.#init.settled) await this.#waitForSettled(revealed.height)
      await this.#verify(account, genesisText(genesis))
    } finally {
      await follower.stop()
      await publisher.stop()
    }
  }

  async #reach(): Promise<number> {
    const { source, signal } = this.#components
    const { magic } = await source.identity({ signal })
    if (magic === MAINNET_MAGIC) throw new NotRunError('the source is of mainnet, which is not for trying')
    const { height } = await source.tip({ signal })
    this.#tell('source', `${source.name}: network ${magic}, block ${height}`, { magic, height })
    return magic
  }

  async #openWallet(magic: number): Promise<Wallet> {
    const { source, signal } = this.#components
    await mkdir(dirname(this.#init.walletKeyFile), { recursive: true })
    const wallet = await Wallet.open(this.#init.walletKeyFile, magic)
    const balanceOf = async (): Promise<bigint> =>
      (await source.utxos(wallet.address, { signal })).reduce((sum, { lovelace }) => sum + lovelace, 0n)
    let balance = await balanceOf()
    if (balance < NEEDED_LOVELACE && source.fund) {
      await source.fund(wallet.address, { signal })
      await this.#until('the faucet pays', async () => (balance = await balanceOf()) >= NEEDED_LOVELACE)
    }
    if (balance < NEEDED_LOVELACE) {
      throw new NotRunError(
        `the wallet ${wallet.address} holds ${ada(balance)} ADA and needs ${ada(NEEDED_LOVELACE)}: send it test ADA from the faucet of the test network`
      )
    }
    const lovelace = String(balance)
    this.#tell('wallet', `${wallet.address} holds ${ada(balance)} ADA`, { address: wallet.address, lovelace })
    return wallet
  }

  /** Publishes records and waits until a block holds them. */
  async #publish(
    publisher: Publisher,
    step: string,
    records: readonly Uint8Array[]
  ): Promise<Extract<RecordStatus, { state: 'recorded' }>> {
    const ids: RecordId[] = []
    for (const record of records) ids.push(await publisher.enqueue(record))
    let places: Extract<RecordStatus, { state: 'recorded' }>[] = []
    await this.#until(
      `${step} is recorded`,
      async () => {
        const states = await Promise.all(ids.map(id => publisher.status(id)))
        const refused = states.find(state => state?.state === 'refused')
        if (refused?.state === 'refused') throw new SmokeError(`the chain refused a record: ${refused.reason}`)
        places = states.filter(state => state?.state === 'recorded')
        return places.length === ids.length
      },
      () => publisher.health().reasons.join(' ')
    )
    const last = places.at(-1)!
    const transactions = [...new Set(places.map(({ transaction }) => transaction))]
    const spent = String(publisher.health().spentLastHour)
    this.#tell(step, `${records.length} records in transaction ${transactions.join(', ')}, block ${last.height}`, {
      transactions,
      height: last.height,
      lovelaceSpent: spent
    })
    return last
  }

  /** A reveal counts only so many blocks after its commitment. */
  async #waitForReveal(committed: number): Promise<void> {
    await this.#untilHeight(committed + NAME_REVEAL_MIN_BLOCKS, 'the commitment has waited')
  }

  async #waitForSettled(height: number): Promise<void> {
    await this.#untilHeight(height + SETTLED_CONFIRMATIONS - 1, 'the records are settled')
    this.#tell('settled', `${SETTLED_CONFIRMATIONS} confirmations`)
  }

  async #untilHeight(height: number, what: string): Promise<void> {
    const { source, signal } = this.#components
    await this.#until(what, async () => (await source.tip({ signal })).height >= height)
  }

  async #verify({ accountId, username }: SmokeAccount, genesis: string): Promise<void> {
    const { folder, url } = this.#components
    const networkFile = join(folder, 'network.json')
    const proofFile = join(folder, 'proof')
    await writeFile(networkFile, genesis)
    const server = ['--blockfrost', url, ...(await this.#projectIdFlags()), '--network', networkFile]
    await this.#verified('verify account', ['account', toHex(accountId), ...server])
    await this.#verified('verify name', ['name', `@${username}`, ...server])
    await this.#verified('export proof', ['proof', 'export', `@${username}`, '--out', proofFile, ...server])
    await this.#verified('check proof offline', ['proof', 'check', proofFile, `@${username}`])
  }

  async #projectIdFlags(): Promise<string[]> {
    const { projectId } = this.#init
    if (projectId === undefined) return []
    const file = join(this.#components.folder, 'project-id')
    await writeFile(file, projectId, { mode: 0o600 })
    return ['--project-id-file', file]
  }

  async #verified(step: string, args: readonly string[]): Promise<void> {
    const { exitCode, trust, verdict, problem } = await runVerify(args, this.#components.signal)
    if (exitCode !== 0) throw new SmokeError(`${step}: volo-verify ended with ${exitCode}: ${problem}`)
    this.#tell(step, `${verdict}, trust level ${trust}`, { verdict, trust })
  }

  async #until(what: string, holds: () => boolean | Promise<boolean>, whyNot: () => string = () => ''): Promise<void> {
    const { signal } = this.#components
    while (!(await holds())) {
      if (signal.aborted) throw new SmokeError(`not in time: ${what}. ${whyNot()}`.trim())
      await sleep(this.#init.lookMs, undefined, { signal }).catch(() => undefined)
    }
  }

  #tell(step: string, text: string, facts: Record<string, unknown> = {}): void {
    const seconds = Math.round((Date.now() - this.#start) / 100) / 10
    this.#components.onStep({ step, seconds, ...facts, text })
  }
}

const ada = (lovelace: bigint): string => String(Number(lovelace) / LOVELACE_PER_ADA)
