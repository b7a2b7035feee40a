/** Marks people as the user wishes, with what follows from it: a blocked person loses our delivery token. */
import { equalBytes } from '../../protocol/bytes.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { Person, PersonMarks } from '../peer-api.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { MAX_NICKNAME_UNITS, type PersonMarksBook } from './person-marks.ts'
import type { PersonViews } from './person-views.ts'

/** Sets what the user decides about a person, on all devices of the account. */
export interface ChosenMarks {
  /** @returns what changed here. */
  set(unit: UnitOfWork, accountId: AccountId, wanted: Partial<PersonMarks>): Promise<(keyof PersonMarks)[]>
}

export interface PersonMarkingComponents {
  context: Pick<EngineContext, 'accountId'>
  states: StateStore
  directory: Pick<DirectoryClient, 'load'>
  marks: Pick<PersonMarksBook, 'all' | 'of'>
  chosen: ChosenMarks
  people: PersonViews
  /** Makes strangers of all who have our delivery token; contacts get the new one with our next message to them. */
  rotateToken: (unit: UnitOfWork) => Promise<void>
}

export class PersonMarking {
  readonly #components: PersonMarkingComponents

  constructor(components: PersonMarkingComponents) {
    this.#components = components
  }

  /** @throws PeerError `own-account`, `nickname-too-long`. */
  async mark(account: string, wanted: Partial<PersonMarks>): Promise<Person> {
    const { context, states, directory, people } = this.#components
    const accountId = accountIdFromHex(account)
    if (equalBytes(accountId, context.accountId())) throw new PeerError('own-account')
    const marks = withCleanNickname(wanted)
    await directory.load(accountId)
    await states.unit(unit => this.#set(unit, accountId, marks))
    return people.person(accountId)
  }

  async #set(unit: UnitOfWork, accountId: AccountId, wanted: Partial<PersonMarks>): Promise<void> {
    const { chosen, rotateToken } = this.#components
    const changed = await chosen.set(unit, accountId, wanted)
    if (changed.includes('blocked') && wanted.blocked) await rotateToken(unit)
  }

  /** By name, as the user calls them. */
  contacts(): Person[] {
    const { marks, people } = this.#components
    return marks
      .all()
      .filter(accountId => marks.of(accountId).contact)
      .map(accountId => people.person(accountId))
      .sort((a, b) => sortName(a).localeCompare(sortName(b)))
  }
}

const sortName = ({ marks, displayName, username, accountId }: Person): string =>
  marks.nickname ?? displayName ?? username ?? accountId

/** A nickname of nothing but spaces is none. @throws PeerError `nickname-too-long`. */
function withCleanNickname({ nickname, ...marks }: Partial<PersonMarks>): Partial<PersonMarks> {
  if (nickname === undefined) return marks
  const clean = nickname?.trim().toWellFormed() ?? ''
  if (clean.length > MAX_NICKNAME_UNITS) {
    throw new PeerError('nickname-too-long', { length: clean.length, limit: MAX_NICKNAME_UNITS })
  }
  return { ...marks, nickname: clean === '' ? null : clean }
}
