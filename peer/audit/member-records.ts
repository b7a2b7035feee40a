/** Which record about devices is the last one of each member, up to a block: what two devices compare of the directory. */
import { recordsRoot, SETTLED_BLOCKS, type SeenAccount } from '../../protocol/audit/seen.ts'
import { historyOf, type HistoryEntry } from '../../protocol/directory/account.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { KnownAccount } from '../directory/known-account.ts'
import { DEVICE_RECORDS } from '../directory/record-details.ts'
import type { EngineContext } from '../engine-context.ts'

/** Height and root of the records of some accounts. */
export interface RecordsAt {
  height: number
  root: Uint8Array
}

export class MemberRecords {
  readonly #context: EngineContext
  readonly #directory: Pick<DirectoryClient, 'load'>
  /** Records about devices that are in blocks, in chain order. */
  readonly #recorded = new WeakMap<KnownAccount, HistoryEntry[]>()

  constructor(context: EngineContext, directory: Pick<DirectoryClient, 'load'>) {
    this.#context = context
    this.#directory = directory
  }

  /** What is told of these accounts: as of the last block that has settled in the eyes of all who gave their records. */
  async settled(accounts: readonly AccountId[]): Promise<RecordsAt | undefined> {
    const known = await this.#load(accounts)
    if (!known) return undefined
    const height = Math.min(...known.map(({ checked }) => checked.tip.height)) - SETTLED_BLOCKS
    const heads = height < 0 ? [] : this.#headsAt(known, height)
    return heads.length === 0 ? undefined : { height, root: this.rootOf(heads) }
  }

  /**
   * The last records of these accounts up to a height; accounts without one are left out.
   * @returns undefined where the records of one of them were last fetched before that block.
   */
  async at(accounts: readonly AccountId[], height: number): Promise<SeenAccount[] | undefined> {
    const known = await this.#load(accounts)
    return known?.every(({ checked }) => checked.tip.height >= height) ? this.#headsAt(known, height) : undefined
  }

  /** What these records are told as. */
  rootOf(heads: readonly SeenAccount[]): Uint8Array {
    return recordsRoot(this.#context.crypto, this.#context.network().id, heads)
  }

  /** @returns undefined if one of them was never looked up. */
  async #load(accounts: readonly AccountId[]): Promise<KnownAccount[] | undefined> {
    const known = await Promise.all(accounts.map(accountId => this.#directory.load(accountId)))
    return known.every(account => account !== undefined) ? known : undefined
  }

  #headsAt(known: readonly KnownAccount[], height: number): SeenAccount[] {
    return known.flatMap(account => {
      const head = this.#recordedOf(account).findLast(({ order }) => order!.blockHeight <= height)
      return head ? [{ accountId: account.accountId, head: head.recordId }] : []
    })
  }

  #recordedOf(account: KnownAccount): HistoryEntry[] {
    const held = this.#recorded.get(account)
    if (held) return held
    const history = historyOf(account.checked.account)
    const recorded = history.filter(({ kind, order }) => order !== null && DEVICE_RECORDS.has(kind))
    this.#recorded.set(account, recorded)
    return recorded
  }
}
