/** What people say about themselves besides their names, as their profiles told it last. */
import { toHex } from '../../protocol/bytes.ts'
import { struct, text, type TypeOf } from '../../protocol/codec.ts'
import { blobCodec, type BlobPointer } from '../../protocol/files/blob-pointer.ts'
import { MAX_PICTURE_BYTES } from '../../protocol/files/profile-picture.ts'
import { accountIdCodec, type AccountId } from '../../protocol/identity/device.ts'
import { MAX_ABOUT_UNITS } from '../../protocol/limits.ts'
import type { Slot, StateStore, UnitOfWork } from '../store/state-store.ts'
import { entry } from '../store/conversation-entries.ts'

const profileCodec = struct({ accountId: accountIdCodec, about: text(MAX_ABOUT_UNITS) })
const pictureCodec = struct({ accountId: accountIdCodec, picture: blobCodec })

const SPACE = 'person-profile'
const PICTURE_SPACE = 'person-picture'
const profileEntry = entry(profileCodec)
const pictureEntry = entry(pictureCodec)
const slotOf = (accountId: AccountId): Slot<TypeOf<typeof profileCodec>> => ({
  space: SPACE,
  id: toHex(accountId),
  codec: profileEntry
})
const pictureSlotOf = (accountId: AccountId): Slot<TypeOf<typeof pictureCodec>> => ({
  space: PICTURE_SPACE,
  id: toHex(accountId),
  codec: pictureEntry
})

/** The part of a profile that is kept here. Names are the directory's, see `KnownAccount`. */
export interface PersonProfile {
  about: string
  /** Finds and opens the picture at nodes; null for none. */
  picture: BlobPointer | null
}

const NOTHING: PersonProfile = { about: '', picture: null }

export class PersonProfiles {
  readonly #states: StateStore
  readonly #onChange: () => void
  readonly #profiles = new Map<string, PersonProfile>()

  constructor(states: StateStore, onChange: () => void) {
    this.#states = states
    this.#onChange = onChange
  }

  async load(): Promise<void> {
    for (const { accountId, about } of await this.#states.all(SPACE, profileEntry)) this.#note(accountId, { about })
    for (const { accountId, picture } of await this.#states.all(PICTURE_SPACE, pictureEntry)) {
      this.#note(accountId, { picture })
    }
  }

  of(accountId: AccountId): PersonProfile {
    return this.#profiles.get(toHex(accountId)) ?? NOTHING
  }

  /**
   * Takes what a person says; as part of the unit of work of the message that says it. A picture that is longer than one may be counts
   * as none.
   */
  take(unit: UnitOfWork, accountId: AccountId, said: PersonProfile): void {
    const before = this.of(accountId)
    const { about } = said
    const picture = said.picture && said.picture.size <= MAX_PICTURE_BYTES ? said.picture : null
    const isSamePicture = hashOf(picture) === hashOf(before.picture)
    if (about === before.about && isSamePicture) return
    if (about !== before.about) unit.write(slotOf(accountId), { accountId, about })
    if (!isSamePicture && picture) unit.write(pictureSlotOf(accountId), { accountId, picture })
    if (!isSamePicture && !picture) unit.remove(pictureSlotOf(accountId))
    unit.after(() => {
      this.#note(accountId, { about, picture })
      this.#onChange()
    })
  }

  #note(accountId: AccountId, part: Partial<PersonProfile>): void {
    this.#profiles.set(toHex(accountId), { ...this.of(accountId), ...part })
  }
}

const hashOf = (picture: BlobPointer | null): string => (picture ? toHex(picture.hash) : '')
