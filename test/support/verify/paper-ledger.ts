/** A ledger in memory, for tests of who believes what: its transactions have real bytes, its blocks are heights and hashes. */
import { toHex } from '../../../protocol/bytes.ts'
import { assembleProof, type AccountProof, type StoredTransaction } from '../../../protocol/directory/proofs/proof.ts'
import { encodeMetadata, recordsOfTransaction } from '../../../protocol/directory/metadata.ts'
import type { AccountId } from '../../../protocol/identity/device.ts'
import { encodeRecord, type DirectoryRecord } from '../../../protocol/identity/record.ts'
import { bytesOf, genesis } from '../directory/cast.ts'
import { rawTransaction } from '../directory/raw-cbor.ts'
import { TestChain, timeOf } from '../directory/test-chain.ts'
import type { Ledger } from './published-world.ts'

const FEE = 170_000

export class PaperLedger implements Ledger {
  readonly chain = new TestChain()
  readonly #transactions = new Map<number, StoredTransaction>()

  /** Puts a record into a transaction and a block of their own. @throws Error if it is not accepted. */
  async publish(record: DirectoryRecord): Promise<string> {
    const { chain } = this
    chain.mine()
    const aux = encodeMetadata(genesis.metadataLabel, [encodeRecord(record)])
    const transaction = rawTransaction({ aux, fee: FEE + chain.height })
    const block = { blockHash: bytesOf(`block ${chain.height}`), blockTime: timeOf(chain.height) }
    this.#transactions.set(chain.height, { transaction, ...block })
    await chain.accept(record)
    return toHex(recordsOfTransaction(transaction, genesis.metadataLabel).transactionId)
  }

  async forge(blocks = 1): Promise<void> {
    this.chain.mine(blocks)
  }

  /** What an honest node answers about an account; undefined if there is none. */
  proof(accountId: AccountId): AccountProof | undefined {
    const { height, directory } = this.chain
    const account = directory.account(accountId)
    const tip = { height, hash: bytesOf(`block ${height}`), time: timeOf(height) }
    return account && assembleProof(account, ({ blockHeight }) => this.#transactions.get(blockHeight), [], tip)
  }

  /** Who holds names whose tag begins so. */
  names(tagPrefix: Uint8Array): { tag: Uint8Array; accountId: AccountId }[] {
    return [...this.chain.directory.names()]
      .filter(({ nameTag }) => tagPrefix.every((byte, i) => nameTag[i] === byte))
      .map(({ nameTag, accountId }) => ({ tag: nameTag, accountId }))
  }
}
