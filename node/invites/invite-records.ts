import { SYNCED, sortableNumber, type ChainStore, type StoreOperation } from '../../chain/chain-store.ts'

/** Lower-case hex of an account id. */
type AccountHex = string

/** An invitation as this node keeps it: never its token, and nothing about the people who accept. */
export interface InviteRecord {
  /** Lower-case hex of the hash of the token. */
  hash: string
  account: AccountHex
  expiresAt: number
  uses: number
  /** One word for each use, chosen by the device that accepts, so that a repeated request counts once. */
  attempts: string[]
  revoked: boolean
}

/** After every hash, in byte order. */
const END = '~'

/** Invitations on disk. Keys: `invite/HASH`, `of/ACCOUNT/HASH`, `until/TIME/HASH`. */
export class InviteRecords {
  readonly #store: ChainStore

  constructor(store: ChainStore) {
    this.#store = store
  }

  async get(hash: string): Promise<InviteRecord | undefined> {
    const value = await this.#store.get(`invite/${hash}`)
    return value === undefined ? undefined : (JSON.parse(value) as InviteRecord)
  }

  /** How many an account has here, counted up to a limit. */
  async countOf(account: AccountHex, limit: number): Promise<number> {
    let count = 0
    const range = { gte: `of/${account}/`, lt: `of/${account}/${END}`, limit }
    for await (const [key] of this.#store.iterator(range)) if (key) count++
    return count
  }

  /** On disk once this resolves. */
  async save(record: InviteRecord): Promise<void> {
    const { hash, account, expiresAt } = record
    const puts: StoreOperation[] = [
      { type: 'put', key: `invite/${hash}`, value: JSON.stringify(record) },
      { type: 'put', key: `of/${account}/${hash}`, value: '' },
      { type: 'put', key: `until/${sortableNumber(expiresAt)}/${hash}`, value: '' }
    ]
    await this.#store.batch(puts, SYNCED)
  }

  /** Forgets what is over by `now`. */
  async forgetUntil(now: number): Promise<void> {
    const gone: StoreOperation[] = []
    for await (const [key] of this.#store.iterator({ gte: 'until/', lt: `until/${sortableNumber(now)}` })) {
      const hash = key.split('/')[2]!
      const record = await this.get(hash)
      gone.push({ type: 'del', key }, { type: 'del', key: `invite/${hash}` })
      if (record) gone.push({ type: 'del', key: `of/${record.account}/${hash}` })
    }
    if (gone.length > 0) await this.#store.batch(gone, SYNCED)
  }
}
