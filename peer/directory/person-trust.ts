/**
 * What this device has noted about people beside their records: that their safety number was compared, and changes of their
 * records that must not pass unheard. Kept apart from the records themselves, which are replaced as a whole.
 */
import { toHex } from '../../protocol/bytes.ts'
import { bool, decode, encode, nullable, oneOf, struct, text, uint, type TypeOf } from '../../protocol/codec.ts'
import { historyOf } from '../../protocol/directory/account.ts'
import { accountIdCodec, type AccountId } from '../../protocol/identity/device.ts'
import type { AccountHex, RecordAlert } from '../peer-api.ts'
import type { EntryChange, SealedStore } from '../store/sealed-store.ts'
import type { KnownAccount } from './known-account.ts'
import { DEVICE_RECORDS } from './record-details.ts'

const markCodec = struct({
  accountId: accountIdCodec,
  verifiedAt: nullable(uint()),
  alert: nullable(
    struct({
      kind: oneOf('key', 'lost-name', 'new-holder', 'recovered', 'withheld'),
      at: uint(),
      username: nullable(text(32)),
      /** An answered one stays as long as its cause, so that it is not raised over and over. */
      accepted: bool
    })
  ),
  /** The devices' records were undone and are not in a block again. */
  undoneAt: nullable(uint())
})

/** See the module. Immutable. */
export type PersonMark = TypeOf<typeof markCodec>

const SPACE = 'person-mark'
const MAX_MARK_BYTES = 512

export class PersonTrust {
  readonly #store: SealedStore
  readonly #now: () => number
  readonly #trust = new Map<AccountHex, PersonMark>()

  constructor(store: SealedStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** Reads all marks. */
  async load(): Promise<void> {
    for (const bytes of await this.#store.all(SPACE)) {
      const mark = decode(markCodec, bytes, { maxBytes: MAX_MARK_BYTES, maxDepth: 2 })
      this.#trust.set(toHex(mark.accountId), mark)
    }
  }

  of(accountId: AccountId): PersonMark {
    return this.#trust.get(toHex(accountId)) ?? { accountId, verifiedAt: null, alert: null, undoneAt: null }
  }

  /** The alert that waits for an answer. */
  alertOf(accountId: AccountId): RecordAlert | null {
    const { alert } = this.of(accountId)
    return alert && !alert.accepted ? { kind: alert.kind, at: alert.at, username: alert.username } : null
  }

  async verify(accountId: AccountId): Promise<void> {
    const { alert } = this.of(accountId)
    // A name is another question than a key: comparing numbers does not answer it.
    const open = alert?.kind === 'lost-name' || alert?.kind === 'new-holder' ? alert : null
    await this.#put({ ...this.of(accountId), verifiedAt: this.#now(), alert: open })
  }

  /** Takes over what the user did on another device. A mark from before an alert that waits here does not answer it. */
  async take(accountId: AccountId, verifiedAt: number | null): Promise<void> {
    const { alert } = this.of(accountId)
    if (verifiedAt === null) return this.unverify(accountId)
    if (alert && verifiedAt < alert.at) return
    const open = alert?.kind === 'lost-name' || alert?.kind === 'new-holder' ? alert : null
    await this.#put({ ...this.of(accountId), verifiedAt, alert: open })
  }

  async unverify(accountId: AccountId): Promise<void> {
    await this.#put({ ...this.of(accountId), verifiedAt: null })
  }

  /** Lets an alert stand. Keys that changed are not those that were compared. */
  async accept(accountId: AccountId): Promise<void> {
    const { alert, verifiedAt, ...mark } = this.of(accountId)
    if (!alert) return
    const keepsKeys = alert.kind !== 'key' && alert.kind !== 'recovered'
    await this.#put({
      ...mark,
      verifiedAt: keepsKeys ? verifiedAt : null,
      alert: alert.kind === 'withheld' ? { ...alert, accepted: true } : null
    })
  }

  /** Raises an alert, unless a graver one waits or the same was answered. @returns whether it is new. */
  async raise(accountId: AccountId, kind: RecordAlert['kind'], username: string | null = null): Promise<boolean> {
    const mark = this.of(accountId)
    if (mark.alert?.kind === kind || (mark.alert && !mark.alert.accepted && kind === 'withheld')) return false
    await this.#put({ ...mark, alert: { kind, at: this.#now(), username, accepted: false } })
    return true
  }

  async #put(mark: PersonMark): Promise<void> {
    await this.#store.batch([this.#change(mark)])
  }

  #change(mark: PersonMark): EntryChange {
    this.#trust.set(toHex(mark.accountId), mark)
    return { space: SPACE, id: toHex(mark.accountId), value: encode(markCodec, mark) }
  }

  /**
   * Compares what is known now with what was known before, from any node.
   * @returns what has to be stored together with the account.
   */
  observe(before: KnownAccount | undefined, after: KnownAccount): EntryChange[] {
    const mark = this.of(after.accountId)
    const next = before ? this.#compared(mark, before, after) : mark
    return next === mark ? [] : [this.#change(next)]
  }

  #compared(mark: PersonMark, before: KnownAccount, after: KnownAccount): PersonMark {
    let next = mark
    const [was, is] = [isInBlock(before), isInBlock(after)]
    if (is && mark.undoneAt !== null) next = { ...next, undoneAt: null }
    if (was && !is) next = { ...next, undoneAt: this.#now() }
    const lost = lostKinds(before, after)
    if (next.alert?.kind === 'withheld' && (lost.length > 0 || after.agreement !== null))
      next = { ...next, alert: null }
    const kind = this.#alertKind(lost, before, after)
    if (!kind) return next
    const username = kind === 'lost-name' ? before.username : null
    return { ...next, alert: { kind, at: this.#now(), username, accepted: false } }
  }

  #alertKind(lost: string[], before: KnownAccount, after: KnownAccount): RecordAlert['kind'] | undefined {
    if (after.checked.account.recoveryCount > before.checked.account.recoveryCount) return 'recovered'
    if (lost.some(kind => DEVICE_RECORDS.has(kind))) return 'key'
    return before.username !== null && after.username === null && lost.length > 0 ? 'lost-name' : undefined
  }
}

const isInBlock = ({ checked }: KnownAccount): boolean => checked.places.some(({ order }) => order !== null)

/** Kinds of the records that stood in blocks and are gone: not even pending. */
function lostKinds(before: KnownAccount, after: KnownAccount): string[] {
  const shown = new Set(after.checked.places.map(({ recordId }) => toHex(recordId)))
  return historyOf(before.checked.account)
    .filter(({ order, recordId }) => order !== null && !shown.has(toHex(recordId)))
    .map(({ kind }) => kind)
}
