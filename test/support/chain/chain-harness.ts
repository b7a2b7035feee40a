/** A devnet whose blocks are made on demand, with what the chain's parts need around it; all in a temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { createChainSource } from '../../../chain/source/blockfrost-source.ts'
import type { ChainSource } from '../../../chain/source/chain-source.ts'
import { startDevnet, type RunningDevnet } from '../../../chain/devnet/start-devnet.ts'
import type { Devnet } from '../../../chain/devnet/devnet.ts'
import { Follower, type FollowerInit } from '../../../chain/follow/follower.ts'
import type { ChainChange } from '../../../chain/follow/chain-change.ts'
import { Publisher, type PublisherInit } from '../../../chain/publish/publisher.ts'
import { Wallet } from '../../../chain/publish/wallet.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { recordsOfTransaction } from '../../../protocol/directory/metadata.ts'
import { buildCreate, buildRevoke } from '../../../protocol/identity/build-record.ts'
import type { DeviceId, RecordId } from '../../../protocol/identity/device.ts'
import { encodeRecord, type DirectoryRecord } from '../../../protocol/identity/record.ts'
import type { NetworkId } from '../../../protocol/network.ts'

export const LABEL = 86_070
export const MAGIC = 42
export const NETWORK = new Uint8Array(32).fill(7) as NetworkId
export const crypto = createNodeCrypto()

const POLL_MS = 20

/** Runs what it was given when the test ends, newest first. */
export class Cleanup {
  readonly #steps: (() => Promise<unknown>)[] = []

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step)
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step()
  }
}

export async function temporaryFolder(cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'volo-chain-'))
  cleanup.add(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** One participant: a wallet, a publisher and a follower on one chain. */
export class ChainHarness {
  readonly folder: string
  readonly #cleanup: Cleanup
  readonly changes: ChainChange[] = []
  running!: RunningDevnet
  source!: ChainSource
  wallet!: Wallet
  level!: Level<string, string>
  /** Milliseconds that the publishers' clock is ahead of the right time; changes at once for those that run. */
  clockAhead = 0

  private constructor(folder: string, cleanup: Cleanup) {
    this.folder = folder
    this.#cleanup = cleanup
  }

  static async start(cleanup: Cleanup): Promise<ChainHarness> {
    const harness = new ChainHarness(await temporaryFolder(cleanup), cleanup)
    await harness.startDevnet()
    cleanup.add(() => harness.running.stop())
    harness.wallet = await Wallet.open(join(harness.folder, 'wallet.key'), MAGIC)
    harness.level = new Level(join(harness.folder, 'store'))
    await harness.level.open()
    cleanup.add(() => harness.level.close())
    return harness
  }

  get devnet(): Devnet {
    return this.running.devnet
  }

  /** Also after a stop: on the same data and port. */
  async startDevnet(): Promise<void> {
    const port = this.running ? Number(new URL(this.running.url).port) : 0
    this.running = await startDevnet({ dataDir: join(this.folder, 'devnet'), port, blockMs: 0 })
    this.source = createChainSource({ url: this.running.url, devnet: true, attempts: 2, retryMs: 10 })
  }

  /** Puts ADA into the wallet, so that a test need not wait for the faucet. */
  async fundWallet(): Promise<void> {
    await this.devnet.fund(this.wallet.address)
    await this.devnet.forge()
  }

  async publisher(init: Partial<PublisherInit> = {}, source: ChainSource = this.source): Promise<Publisher> {
    const store = this.level.sublevel('publisher')
    const publisher = new Publisher(
      { source, wallet: this.wallet, store, crypto, clock: () => Date.now() + this.clockAhead },
      { network: NETWORK, label: LABEL, batchWaitMs: 0, checkMs: POLL_MS, ...init }
    )
    await publisher.start()
    this.#cleanup.add(() => publisher.stop())
    return publisher
  }

  async follower(
    init: Partial<FollowerInit> = {},
    source: ChainSource = this.source,
    secondSource?: ChainSource
  ): Promise<Follower> {
    const store = this.level.sublevel('follower')
    const follower = new Follower(secondSource ? { source, secondSource, store } : { source, store }, {
      label: LABEL,
      magic: MAGIC,
      pollMs: 3_600_000,
      onChange: change => void this.changes.push(change),
      ...init
    })
    await follower.start()
    this.#cleanup.add(() => follower.stop())
    return follower
  }

  async control(path: string, body: object): Promise<Response> {
    return fetch(`${this.running.url}/devnet/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
  }

  /** Ids of the label's transactions on the chain, in order. */
  onChain(): Promise<string[]> {
    return this.devnet.chain.labelled(String(LABEL), { skip: 0, count: 10_000, reverse: false })
  }

  /** Every record on the chain, in order. */
  async recordsOnChain(): Promise<Uint8Array[]> {
    const records: Uint8Array[] = []
    for (const id of await this.onChain()) {
      const { metadata } = recordsOfTransaction((await this.devnet.chain.transaction(id as never))!.bytes, LABEL)
      if (metadata.kind === 'records') records.push(...metadata.records)
    }
    return records
  }
}

let lastSeed = 0

/** A valid CREATE of a new account. */
export async function newCreate(): Promise<{ record: DirectoryRecord; bytes: Uint8Array }> {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, ++lastSeed)
  const key = await crypto.signingKeyFromSeed(seed)
  const messagingKeyHash = crypto.sha256(seed)
  const record = await buildCreate(NETWORK, key, { messagingKeyHash, recoveryKey: null, time: 1 })
  return { record, bytes: encodeRecord(record) }
}

/** A REVOKE that follows a record. Its signer is of no account, which the chain does not judge. */
export async function newRevoke(prev: RecordId): Promise<Uint8Array> {
  const key = await crypto.signingKeyFromSeed(crypto.sha256(prev))
  const deviceId = new Uint8Array(16) as DeviceId
  const record = await buildRevoke(NETWORK, { key, deviceId, prev, time: 1 }, deviceId, 'lost')
  return encodeRecord(record)
}
