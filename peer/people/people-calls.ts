import { toHex } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import type { PersonTrust } from '../directory/person-trust.ts'
import { PeerError } from '../errors.ts'
import type {
  CheckedCode,
  ConversationSafety,
  PeopleApi,
  Person,
  PersonMarks,
  PersonPicture,
  PersonPresence,
  PersonReport,
  SafetyNumber
} from '../peer-api.ts'
import type { ConversationSafetyCheck } from './conversation-safety.ts'
import type { Reporting } from '../reports/reporting.ts'
import type { PersonFinder } from './person-finder.ts'
import type { PersonMarking } from './person-marking.ts'
import type { Pictures } from './pictures.ts'
import type { PersonViews } from './person-views.ts'
import type { PublicRecords } from './public-record.ts'

/** Knows where people are. */
export interface PresenceSource {
  of(account: string): Promise<PersonPresence>
  setHere(isHere: boolean): Promise<void>
}

export interface PeopleCallsComponents {
  finder: PersonFinder
  publicRecords: Pick<PublicRecords, 'safetyNumber'>
  people: PersonViews
  trust: PersonTrust
  safety: Pick<ConversationSafetyCheck, 'of' | 'check'>
  /** Tells the other own devices what the user decided about a person. */
  tellDevices: (accountId: AccountId) => Promise<void>
  marking: PersonMarking
  pictures: Pictures
  presence: PresenceSource
  reporting: Pick<Reporting, 'report'>
  /** Called when the user's trust in a person changed: messages that were held back may be sent now. */
  onTrust: () => void
}

/** The calls about other people. */
export class PeopleCalls implements PeopleApi {
  readonly #components: PeopleCallsComponents

  constructor(components: PeopleCallsComponents) {
    this.#components = components
  }

  find(query: string): Promise<Person | null> {
    return this.#components.finder.find(query)
  }

  refresh(accountId: string): Promise<Person> {
    return this.#components.finder.refresh(accountId)
  }

  async safetyNumber(accountId: string): Promise<SafetyNumber> {
    return this.#components.publicRecords.safetyNumber(accountIdFromHex(accountId))
  }

  async verify(accountId: string, conversation: string): Promise<Person> {
    // Devices may have come or gone while two people read digits to each other.
    if ((await this.safetyNumber(accountId)).conversation !== conversation) {
      throw new PeerError('safety-number-changed')
    }
    return this.#trust(accountId, (trust, id) => trust.verify(id))
  }

  safety(conversationId: string): Promise<ConversationSafety> {
    return this.#components.safety.of(conversationId)
  }

  async checkCode(conversationId: string, code: string): Promise<CheckedCode> {
    const { compared, ...checked } = await this.#components.safety.check(conversationId, code)
    if (!compared) return checked
    return { ...checked, by: await this.#trust(toHex(compared), (trust, id) => trust.verify(id)) }
  }

  unverify(accountId: string): Promise<Person> {
    return this.#trust(accountId, (trust, id) => trust.unverify(id))
  }

  acceptAlert(accountId: string): Promise<Person> {
    return this.#trust(accountId, (trust, id) => trust.accept(id))
  }

  async contacts(): Promise<Person[]> {
    return this.#components.marking.contacts()
  }

  mark(accountId: string, marks: Partial<PersonMarks>): Promise<Person> {
    return this.#components.marking.mark(accountId, marks)
  }

  picture(accountId: string): Promise<PersonPicture | null> {
    return this.#components.pictures.of(accountIdFromHex(accountId))
  }

  presence(accountId: string): Promise<PersonPresence> {
    return this.#components.presence.of(accountId)
  }

  setHere(isHere: boolean): Promise<void> {
    return this.#components.presence.setHere(isHere)
  }

  report(accountId: string, report: PersonReport): Promise<{ origin: string }> {
    return this.#components.reporting.report(accountId, report)
  }

  async #trust(accountId: string, change: (trust: PersonTrust, id: AccountId) => Promise<void>): Promise<Person> {
    const { trust, people, onTrust, tellDevices } = this.#components
    const id = accountIdFromHex(accountId)
    await change(trust, id)
    await tellDevices(id)
    onTrust()
    return people.person(id)
  }
}
