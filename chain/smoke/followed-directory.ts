import type { Crypto } from '../../protocol/crypto/crypto.ts'
import { Directory } from '../../protocol/directory/directory.ts'
import { recordsOfTransaction } from '../../protocol/directory/metadata.ts'
import type { Genesis, NetworkId } from '../../protocol/network.ts'
import type { ChainChange, FollowedTransaction } from '../follow/chain-change.ts'

/** The directory as a follower tells it: what is final is folded once, the rest again with every change. */
export class FollowedDirectory {
  readonly #final: Directory
  readonly #label: number
  #current: Directory
  /** Transactions that came back under another block, or not at all. */
  rolledBack = 0

  constructor(crypto: Crypto, network: NetworkId, genesis: Genesis) {
    this.#final = Directory.create(crypto, network, genesis)
    this.#current = this.#final
    this.#label = genesis.metadataLabel
  }

  get current(): Directory {
    return this.#current
  }

  /** Takes what a poll found. */
  async apply({ final, provisional, rolledBack }: ChainChange): Promise<void> {
    this.rolledBack += rolledBack.length
    for (const transaction of final) await this.#fold(this.#final, transaction)
    const fork = this.#final.fork()
    for (const transaction of provisional) await this.#fold(fork, transaction)
    this.#current = fork
  }

  async #fold(directory: Directory, { bytes, height, index, time }: FollowedTransaction): Promise<void> {
    const { metadata } = recordsOfTransaction(bytes, this.#label)
    if (metadata.kind !== 'records') return
    for (const [recordIndex, record] of metadata.records.entries()) {
      await directory.apply({
        bytes: record,
        order: { blockHeight: height, txIndex: index, recordIndex },
        blockTime: time
      })
    }
  }
}
