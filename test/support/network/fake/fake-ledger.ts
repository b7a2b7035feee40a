/** The ledger behind the nodes of {@link FakeNetwork}: records that wait, blocks with them, and forks as a test wants them. */
import { randomBytes } from 'node:crypto'
import { equalBytes, fromHex, toHex } from '../../../../protocol/bytes.ts'
import type { Crypto } from '../../../../protocol/crypto/crypto.ts'
import type { AccountState } from '../../../../protocol/directory/account.ts'
import { encodeMetadata, recordsOfTransaction } from '../../../../protocol/directory/metadata.ts'
import { checkProof, encodeProof, type ProofTransaction } from '../../../../protocol/directory/proofs/proof.ts'
import { buildAdd } from '../../../../protocol/identity/build-record.ts'
import { deviceIdOf, type AccountId, type DeviceId } from '../../../../protocol/identity/device.ts'
import { decodeRecord, encodeRecord, recordIdOf, type DirectoryRecord } from '../../../../protocol/identity/record.ts'
import { nameTagOf, parseUsername } from '../../../../protocol/identity/username.ts'
import type { Genesis, NetworkId } from '../../../../protocol/network.ts'
import type { NodeFrameOf } from '../../../../protocol/wire/peer-frames.ts'
import type { Me } from '../../../../peer/peer-api.ts'
import type { KeyVault } from '../../../../peer/ports.ts'
import { rawTransaction } from '../../directory/raw-cbor.ts'

const CHAIN_START = Date.now() - 3_600_000

export class FakeLedger {
  /** The clock of whoever makes blocks. */
  now: () => number = Date.now
  readonly #crypto: Crypto
  readonly #id: NetworkId
  readonly #genesis: Genesis
  readonly #records = new Map<string, { accountId: AccountId; pending: Uint8Array[]; recorded: ProofTransaction[] }>()
  readonly #givenNames = new Map<string, string>()
  #height = 1

  constructor(crypto: Crypto, id: NetworkId, genesis: Genesis) {
    this.#crypto = crypto
    this.#id = id
    this.#genesis = genesis
  }

  /** The records of an account, as the nodes would publish them. */
  recordsOf(accountId: string): Uint8Array[] {
    return this.#records.get(accountId)?.pending ?? []
  }

  /** The last record of an account, in a block or not. */
  lastRecordOf(accountId: string): Uint8Array {
    const { pending, recorded } = this.#records.get(accountId)!
    return [...recorded.flatMap(transaction => this.#recordsIn(transaction)), ...pending].at(-1)!
  }

  /** Makes blocks: pending records go into the first, unless only empty ones are wanted. */
  /** How long ago blocks say that they were made: a test that mines many at once needs room for them before the clock. */
  blockAgeMs = 0

  mine(blocks = 1, { empty = false } = {}): void {
    for (let i = 0; i < blocks; i++) {
      this.#height++
      let txIndex = 0
      for (const account of this.#records.values()) {
        if (empty || account.pending.length === 0) continue
        account.recorded.push(this.#transaction(account.pending.splice(0), txIndex++))
      }
    }
  }

  #transaction(records: Uint8Array[], txIndex: number): ProofTransaction {
    return {
      transaction: rawTransaction({
        aux: encodeMetadata(this.#genesis.metadataLabel, records),
        fee: this.#height * 100 + txIndex
      }),
      blockHeight: this.#height,
      blockHash: this.#blockHash(this.#height),
      blockTime: Math.max(CHAIN_START + this.#height, this.now() - this.blockAgeMs),
      txIndex,
      recordIndexes: records.map((_, index) => index)
    }
  }

  #blockHash(height: number): Uint8Array {
    return this.#crypto.sha256(Uint8Array.of(height >> 8, height & 255))
  }

  /** Puts records under an account's id, whether they belong to it or not. */
  addAccount(accountId: AccountId, records: Uint8Array[]): void {
    this.#records.set(toHex(accountId), { accountId, pending: records, recorded: [] })
  }

  /** Hands in one more record of an account. */
  addRecord(accountId: string, record: Uint8Array): void {
    this.#records.get(accountId)!.pending.push(record)
  }

  /**
   * Undoes every block with records of an account: they wait again, as nodes keep them.
   * @returns what puts them into other blocks, some apart.
   */
  undo(accountId: string): () => void {
    const account = this.#records.get(accountId)!
    const groups = account.recorded.splice(0).map(transaction => this.#recordsIn(transaction))
    account.pending.unshift(...groups.flat())
    return () => {
      account.pending.splice(0, groups.flat().length)
      for (const records of groups) {
        this.#height += 4
        account.recorded.push(this.#transaction(records, 0))
      }
    }
  }

  /** A fork without the last transaction of an account: nodes keep nothing of it. */
  forget(accountId: string): void {
    this.#records.get(accountId)!.recorded.pop()
  }

  /** A node loses what was handed in. */
  dropPending(accountId: string): void {
    this.#records.get(accountId)!.pending.splice(0)
  }

  /** From now on a name leads to this account, also if its records do not claim it. */
  giveName(username: string, accountId: string): void {
    this.#givenNames.set(username, accountId)
  }

  /** The account whose record another one follows. */
  accountOfRecord(record: DirectoryRecord): AccountId | undefined {
    if (!('prev' in record)) return undefined
    return [...this.#records.values()].find(({ pending, recorded }) =>
      [...recorded.flatMap(transaction => this.#recordsIn(transaction)), ...pending].some(bytes =>
        equalBytes(recordIdOf(this.#crypto, this.#id, decodeRecord(bytes)), record.prev)
      )
    )?.accountId
  }

  /** What the rules make of an account's records. */
  async accountState(accountId: AccountId): Promise<AccountState> {
    const { recorded, pending } = this.#records.get(toHex(accountId))!
    const tip = { height: this.#height, hash: this.#blockHash(this.#height), time: this.now() }
    const proof = { version: 1 as const, accountId, transactions: recorded, pending, tip }
    const checked = await checkProof(this.#crypto, this.#id, this.#genesis.metadataLabel, accountId, proof)
    return checked.account
  }

  /** Whether a record is known, in a block or not. */
  holds(accountId: string, record: Uint8Array): boolean {
    const { pending, recorded } = this.#records.get(accountId)!
    const inBlocks = recorded.flatMap(transaction => this.#recordsIn(transaction))
    return [...inBlocks, ...pending].some(known => equalBytes(known, record))
  }

  #recordsIn({ transaction, recordIndexes }: ProofTransaction): Uint8Array[] {
    const { metadata } = recordsOfTransaction(transaction, this.#genesis.metadataLabel)
    if (metadata.kind !== 'records') throw new Error('no records')
    return recordIndexes.map(index => metadata.records[index]!)
  }

  /** Puts an ADD of a second device on the record of a peer. */
  async addSecondDevice({ me, vault }: { me: Me; vault: KeyVault }): Promise<{ deviceId: DeviceId }> {
    const account = this.#records.get(me.accountId)!
    const all = [...account.recorded.flatMap(transaction => this.#recordsIn(transaction)), ...account.pending]
    const prev = recordIdOf(this.#crypto, this.#id, decodeRecord(all.at(-1)!))
    const deviceId = fromHex(me.deviceId) as DeviceId
    const key = await this.#crypto.signingKeyFromSeed(new Uint8Array(randomBytes(32)))
    const messagingKeyHash = new Uint8Array(randomBytes(32))
    const by = { key: (await vault.load())!, deviceId, prev, time: this.now() }
    this.addRecord(me.accountId, encodeRecord(await buildAdd(this.#id, by, key, messagingKeyHash)))
    return { deviceId: deviceIdOf(this.#crypto, this.#id, { signingKey: key.publicKey, messagingKeyHash }) }
  }

  /** An encoded proof of an account; undefined for one without records. */
  proofOf(account: string): Uint8Array | undefined {
    const known = this.#records.get(account)
    if (!known) return undefined
    return encodeProof({
      version: 1,
      accountId: known.accountId,
      transactions: known.recorded,
      pending: known.pending,
      tip: { height: this.#height, hash: this.#blockHash(this.#height), time: this.now() }
    })
  }

  /** Who has names whose tags begin so. */
  async names(prefix: Uint8Array) {
    const matches: NodeFrameOf<'names'>['matches'] = []
    for (const [username, account] of this.#givenNames) {
      const tag = await nameTagOf(this.#crypto, this.#id, this.#genesis, parseUsername(username))
      const isAsked = toHex(tag).startsWith(toHex(prefix))
      if (isAsked) return [{ tag, accountId: fromHex(account, 32) as AccountId, state: 'recorded' as const }]
    }
    for (const { accountId, pending, recorded } of this.#records.values()) {
      const tip = { height: this.#height, hash: this.#blockHash(this.#height), time: this.now() }
      const proof = { version: 1 as const, accountId, transactions: recorded, pending, tip }
      const { account } = await checkProof(this.#crypto, this.#id, this.#genesis.metadataLabel, accountId, proof)
      for (const { nameTag } of account.names) {
        if (!toHex(nameTag).startsWith(toHex(prefix))) continue
        matches.push({ tag: nameTag, accountId, state: 'pending' as const })
      }
    }
    return matches
  }
}
