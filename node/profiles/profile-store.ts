import { SYNCED, type ChainStore, type StoreOperation } from '../../chain/chain-store.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { MAX_PROFILES_PER_HANDLE } from '../../protocol/limits.ts'
import { decodePublicProfile, type PublicProfile } from '../../protocol/profile/public-profile.ts'
import { SerialQueue } from '../../protocol/serial-queue.ts'

/** After every account id, in byte order. */
const END = '~'

/**
 * Public profiles on disk: one of each account at each place, and {@link MAX_PROFILES_PER_HANDLE} accounts a place. Keys:
 * `PLACE/ACCOUNT`. What is in here was checked before; whether it may still be shown is the caller's to check.
 */
export class ProfileStore {
  readonly #store: ChainStore
  /** Reading, comparing and writing must not interleave. */
  readonly #changes = new SerialQueue()

  constructor(store: ChainStore) {
    this.#store = store
  }

  /** The profiles of a place. One that cannot be read is left out: its owner hands it in again. */
  async at(place: Uint8Array): Promise<PublicProfile[]> {
    const found: PublicProfile[] = []
    const key = toHex(place)
    for await (const [, value] of this.#store.iterator({ gte: `${key}/`, lt: `${key}/${END}` })) {
      const profile = readable(value)
      if (profile) found.push(profile)
    }
    return found
  }

  async of(place: Uint8Array, accountId: AccountId): Promise<PublicProfile | undefined> {
    const value = await this.#store.get(keyOf(place, accountId))
    return value === undefined ? undefined : readable(value)
  }

  /**
   * Changes what an account has at a place; on disk once this resolves.
   *
   * @param choose - gets what is there; gives back the encoded profile to keep, null for none, undefined to change nothing.
   * @returns false if the place is full.
   */
  change(
    place: Uint8Array,
    accountId: AccountId,
    choose: (before: PublicProfile | undefined) => Promise<Uint8Array | null | undefined>
  ): Promise<boolean> {
    return this.#changes.run(async () => {
      const before = await this.of(place, accountId)
      const chosen = await choose(before)
      if (chosen === undefined) return true
      if (chosen !== null && !before && (await this.at(place)).length >= MAX_PROFILES_PER_HANDLE) return false
      const key = keyOf(place, accountId)
      const operation: StoreOperation =
        chosen === null ? { type: 'del', key } : { type: 'put', key, value: toHex(chosen) }
      await this.#store.batch([operation], SYNCED)
      return true
    })
  }

  /** Waits for the changes in hand. */
  idle(): Promise<void> {
    return this.#changes.idle()
  }
}

const keyOf = (place: Uint8Array, accountId: AccountId): string => `${toHex(place)}/${toHex(accountId)}`

function readable(value: string): PublicProfile | undefined {
  try {
    return decodePublicProfile(fromHex(value))
  } catch {
    return undefined
  }
}
