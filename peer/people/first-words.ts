/** The word that strangers must know, and what strangers have proven; see protocol/identity/first-word.ts. */
import { toHex, utf8 } from '../../protocol/bytes.ts'
import { bytes, struct, type TypeOf } from '../../protocol/codec.ts'
import { accountIdCodec, type AccountId } from '../../protocol/identity/device.ts'
import {
  firstWordProof,
  foldedFirstWord,
  isFirstWordProof,
  MAX_FIRST_WORD_UNITS
} from '../../protocol/identity/first-word.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { entry } from '../store/conversation-entries.ts'
import type { Slot, StateStore, UnitOfWork } from '../store/state-store.ts'
import type { PersonMarksBook } from './person-marks.ts'

/** Name of the item that holds the word: the own devices agree on it. */
export const FIRST_WORD_ITEM = 'first-word'

const proofCodec = struct({ accountId: accountIdCodec, proof: bytes(32) })
const SPACE = 'first-word'
const proofEntry = entry(proofCodec)
const slotOf = (accountId: AccountId): Slot<TypeOf<typeof proofCodec>> => ({
  space: SPACE,
  id: toHex(accountId),
  codec: proofEntry
})

export interface FirstWordsComponents {
  context: EngineContext
  states: StateStore
  marks: Pick<PersonMarksBook, 'of'>
  /** What the own devices agree on. */
  item: () => Uint8Array | undefined
  onChange: () => void
}

export class FirstWords {
  readonly #components: FirstWordsComponents
  readonly #proofs = new Map<string, Uint8Array>()

  constructor(components: FirstWordsComponents) {
    this.#components = components
  }

  async load(): Promise<void> {
    for (const { accountId, proof } of await this.#components.states.all(SPACE, proofEntry)) {
      this.#proofs.set(toHex(accountId), proof)
    }
  }

  /** The word that strangers must know; null for none. */
  get own(): string | null {
    const value = this.#components.item()
    return value && value.length > 0 ? new TextDecoder().decode(value) : null
  }

  /** Whether a person has neither been answered nor proven the word. What they send is put aside. */
  isLacking(accountId: AccountId): boolean {
    const { context, marks } = this.#components
    const word = this.own
    const { answer, contact } = marks.of(accountId)
    if (word === null || answer !== null || contact) return false
    const proof = this.#proofs.get(toHex(accountId))
    const pair = { stranger: accountId, owner: context.accountId() }
    return !proof || !isFirstWordProof(context.crypto, context.network().id, word, pair, proof)
  }

  /** Keeps what a person proves, also where no word is set now: the word may be set on another device. */
  take(unit: UnitOfWork, accountId: AccountId, proof: Uint8Array): void {
    unit.write(slotOf(accountId), { accountId, proof })
    unit.after(() => {
      this.#proofs.set(toHex(accountId), proof)
      this.#components.onChange()
    })
  }

  /** What tells a person that the user knows the word. @throws PeerError `word-malformed`. */
  proofFor(owner: AccountId, word: string): Uint8Array {
    const { context } = this.#components
    const pair = { stranger: context.accountId(), owner }
    return firstWordProof(context.crypto, context.network().id, cleanWord(word), pair)
  }
}

/** The value of the item of a word; empty for none. @throws PeerError `word-malformed`. */
export const firstWordValue = (word: string | null): Uint8Array =>
  word === null ? new Uint8Array() : utf8(cleanWord(word))

function cleanWord(text: string): string {
  const word = text.toWellFormed().trim()
  if (foldedFirstWord(word) !== '' && word.length <= MAX_FIRST_WORD_UNITS) return word
  throw new PeerError('word-malformed', { limit: MAX_FIRST_WORD_UNITS })
}
