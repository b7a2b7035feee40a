/** People whose records stand on a real devnet, in a process of its own, with blocks made on demand. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createChainSource } from '../../../chain/source/blockfrost-source.ts'
import type { ChainSource } from '../../../chain/source/chain-source.ts'
import { ChainReplay, replayChain } from '../../../chain/verify/sources/replay.ts'
import { Wallet } from '../../../chain/publish/wallet.ts'
import { fromHex, toHex } from '../../../protocol/bytes.ts'
import { encodeMetadata } from '../../../protocol/directory/metadata.ts'
import { buildAdd, buildNameCommit, buildNameReveal, buildRevoke } from '../../../protocol/identity/build-record.ts'
import type { AccountId, RecordId } from '../../../protocol/identity/device.ts'
import { nameCommitment } from '../../../protocol/identity/name-commitment.ts'
import { encodeRecord, type DirectoryRecord } from '../../../protocol/identity/record.ts'
import { nameTagOf, parseUsername } from '../../../protocol/identity/username.ts'
import { NAME_REVEAL_MIN_BLOCKS } from '../../../protocol/limits.ts'
import { bytesOf, castDevice, crypto, genesis, network, signer, type CastDevice } from '../directory/cast.ts'
import { createRecord, idOf } from '../directory/test-chain.ts'
import { CommandProcess, temporaryFolder } from '../network/real-processes/node-process.ts'

const TTL_SLOTS = 7_200
const FEE_CAP = 1_000_000n

/** Genesis as JSON, as a network file has it. */
export function genesisJson(): object {
  return JSON.parse(
    JSON.stringify(genesis, (_key, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value))
  ) as object
}

/** Where a person's records go: one call, one transaction in a block of its own. */
export interface Ledger {
  /** @returns the transaction's id. */
  publish(record: DirectoryRecord): Promise<string>
  /** Makes empty blocks. */
  forge(blocks?: number): Promise<void>
}

/** A devnet, a wallet that pays, and helpers that publish. */
export class PublishedWorld implements Ledger {
  readonly folder: string
  readonly url: string
  readonly source: ChainSource
  readonly #devnet: CommandProcess
  readonly #wallet: Wallet

  private constructor(folder: string, url: string, devnet: CommandProcess, wallet: Wallet) {
    this.folder = folder
    this.url = url
    this.source = createChainSource({ url, attempts: 2, retryMs: 10 })
    this.#devnet = devnet
    this.#wallet = wallet
  }

  static async start(): Promise<PublishedWorld> {
    const folder = temporaryFolder()
    const data = join(folder, 'devnet')
    const devnet = new CommandProcess('chain/devnet/main.ts', ['--port', '0', '--block-ms', '0', '--data', data])
    const url = (await devnet.printed(/"url":\s*"(http:[^"]+)"/))[1]!
    const wallet = await Wallet.open(join(folder, 'wallet.key'), genesis.cardanoMagic)
    const world = new PublishedWorld(folder, url, devnet, wallet)
    writeFileSync(world.networkFile, JSON.stringify({ version: 1, genesis: genesisJson() }))
    await world.control('fund', { address: wallet.address })
    await world.forge()
    return world
  }

  /** JSON with the network's genesis. */
  get networkFile(): string {
    return join(this.folder, 'network.json')
  }

  async stop(): Promise<void> {
    await this.#devnet.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async control(path: string, body: object): Promise<void> {
    const answer = await fetch(`${this.url}/devnet/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
  }

  async forge(blocks = 1): Promise<void> {
    await this.control('forge', { blocks })
  }

  /** Puts records into one transaction and a block around it. @returns the transaction's id. */
  async publish(...records: (DirectoryRecord | Uint8Array)[]): Promise<string> {
    const bytes = records.map(record => (record instanceof Uint8Array ? record : encodeRecord(record)))
    const { slot } = await this.source.tip()
    const built = this.#wallet.build({
      auxiliaryData: encodeMetadata(genesis.metadataLabel, bytes),
      coins: await this.source.utxos(this.#wallet.address),
      parameters: await this.source.parameters(),
      timeToLive: slot + TTL_SLOTS,
      feeCap: FEE_CAP
    })
    const id = await this.source.submit(built.bytes)
    await this.forge()
    return id
  }

  /** The directory as it is now. */
  replay(): Promise<ChainReplay> {
    return replayChain({ source: this.source, crypto, network, genesis })
  }
}

/** A person with an account; devices are `<name>1`, `<name>2` and so on. */
export class Person {
  readonly name: string
  readonly accountId: AccountId
  readonly #world: Ledger
  head: RecordId

  private constructor(world: Ledger, name: string, accountId: AccountId) {
    this.name = name
    this.accountId = accountId
    this.#world = world
    this.head = accountId as Uint8Array as RecordId
  }

  /** Makes the account, and with `devices` above 1 further ones, one transaction each. */
  static async create(world: Ledger, name: string, devices = 1): Promise<Person> {
    const record = await createRecord(name)
    const person = new Person(world, name, idOf(record) as Uint8Array as AccountId)
    await world.publish(record)
    for (let i = 2; i <= devices; i++) await person.publish(await person.addRecord(i))
    return person
  }

  /** A person whose records are on a ledger already. @param init - ids in hex; `head` is that of the last record. */
  static known(world: Ledger, { name, id, head }: { name: string; id: string; head: string }): Person {
    const person = new Person(world, name, fromHex(id) as AccountId)
    person.head = fromHex(head) as RecordId
    return person
  }

  get id(): string {
    return toHex(this.accountId)
  }

  device(index: number): Promise<CastDevice> {
    return castDevice(`${this.name}${index}`)
  }

  async addRecord(index: number, by = 1, prev: Uint8Array = this.head): Promise<DirectoryRecord> {
    const device = await this.device(index)
    return buildAdd(network, signer(await this.device(by), prev), device.key, device.keys.messagingKeyHash)
  }

  async revokeRecord(index: number, by = 1, prev: Uint8Array = this.head): Promise<DirectoryRecord> {
    return buildRevoke(network, signer(await this.device(by), prev), (await this.device(index)).deviceId, 'stolen')
  }

  /** Publishes the account's next record. */
  async publish(record: DirectoryRecord): Promise<string> {
    this.head = idOf(record)
    return this.#world.publish(record)
  }

  /** Claims `@name`: commitment, the blocks it has to wait, reveal. */
  async claimName(): Promise<void> {
    const [commit, reveal] = await this.claimRecords(this.name)
    await this.publish(commit)
    await this.#world.forge(NAME_REVEAL_MIN_BLOCKS)
    await this.publish(reveal)
  }

  /** Commitment and reveal of any name, to follow the head. */
  async claimRecords(username: string, by = 1): Promise<[DirectoryRecord, DirectoryRecord]> {
    const tag = await nameTagOf(crypto, network, genesis, parseUsername(username))
    const salt = bytesOf(`salt ${this.name} ${username}`)
    const commitment = nameCommitment(crypto, network, tag, this.accountId, salt)
    const device = await this.device(by)
    const commit = await buildNameCommit(network, signer(device, this.head), commitment)
    return [commit, await buildNameReveal(network, signer(device, idOf(commit)), tag, salt)]
  }
}
