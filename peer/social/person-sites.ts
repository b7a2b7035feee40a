/** The sites that people say are theirs, as their profiles told them last. Nothing here says that it is true. */
import { toHex } from '../../protocol/bytes.ts'
import { list, struct, type TypeOf } from '../../protocol/codec.ts'
import { accountIdCodec, type AccountId } from '../../protocol/identity/device.ts'
import { MAX_SITES, siteCodec, type Site } from '../../protocol/identity/site.ts'
import type { Slot, StateStore, UnitOfWork } from '../store/state-store.ts'
import { entry } from '../store/conversation-entries.ts'

const sitesCodec = struct({ accountId: accountIdCodec, sites: list(siteCodec, MAX_SITES) })
type StoredSites = TypeOf<typeof sitesCodec>
const sitesEntry = entry(sitesCodec)

const slotOf = (accountId: AccountId): Slot<StoredSites> => ({
  space: 'person-sites',
  id: toHex(accountId),
  codec: sitesEntry
})

export class PersonSites {
  readonly #states: StateStore

  constructor(states: StateStore) {
    this.#states = states
  }

  async of(accountId: AccountId): Promise<Site[]> {
    return (await this.#states.read(slotOf(accountId)))?.sites ?? []
  }

  /** Takes what a person says; as part of the unit of work of the message that says it. */
  async take(unit: UnitOfWork, accountId: AccountId, sites: Site[]): Promise<void> {
    const before = (await unit.read(slotOf(accountId)))?.sites ?? []
    if (before.join() !== sites.join()) unit.write(slotOf(accountId), { accountId, sites })
  }
}
