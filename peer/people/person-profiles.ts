/** What people say about themselves besides their names, as their profiles told it last. */
import { toHex } from '../../protocol/bytes.ts'
import { struct, text, type TypeOf } from '../../protocol/codec.ts'
import { accountIdCodec, type AccountId } from '../../protocol/identity/device.ts'
import { MAX_ABOUT_UNITS } from '../../protocol/limits.ts'
import type { Slot, StateStore, UnitOfWork } from '../store/state-store.ts'
import { entry } from '../store/conversation-entries.ts'

const profileCodec = struct({ accountId: accountIdCodec, about: text(MAX_ABOUT_UNITS) })
type StoredProfile = TypeOf<typeof profileCodec>

const SPACE = 'person-profile'
const profileEntry = entry(profileCodec)
const slotOf = (accountId: AccountId): Slot<StoredProfile> => ({
  space: SPACE,
  id: toHex(accountId),
  codec: profileEntry
})

/** The part of a profile that is kept here. Names are the directory's, see `KnownAccount`. */
export type PersonProfile = Pick<StoredProfile, 'about'>

const NOTHING: PersonProfile = { about: '' }

export class PersonProfiles {
  readonly #states: StateStore
  readonly #onChange: () => void
  readonly #profiles = new Map<string, PersonProfile>()

  constructor(states: StateStore, onChange: () => void) {
    this.#states = states
    this.#onChange = onChange
  }

  async load(): Promise<void> {
    for (const { accountId, ...profile } of await this.#states.all(SPACE, profileEntry)) {
      this.#profiles.set(toHex(accountId), profile)
    }
  }

  of(accountId: AccountId): PersonProfile {
    return this.#profiles.get(toHex(accountId)) ?? NOTHING
  }

  /** Takes what a person says; as part of the unit of work of the message that says it. */
  take(unit: UnitOfWork, accountId: AccountId, { about }: PersonProfile): void {
    if (about === this.of(accountId).about) return
    unit.write(slotOf(accountId), { accountId, about })
    unit.after(() => {
      this.#profiles.set(toHex(accountId), { about })
      this.#onChange()
    })
  }
}
