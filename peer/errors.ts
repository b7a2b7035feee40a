/**
 * Failures of peer calls: a stable code and the facts that a sentence about it needs. The sentences are in the catalogues
 * of the app (`web/src/i18n`) and of the command line (`peer/cli/words.ts`), which must have one for every code.
 */
import { DISPLAY_NAME_FAULTS } from '../protocol/identity/display-name.ts'
import { PEER_ERROR_CODES } from '../protocol/wire/peer-error-codes.ts'
import { HOLD_REASONS } from './problems.ts'

/** Longest fact, in UTF-16 code units. */
const MAX_FACT_LENGTH = 500

type Fact<T> = (value: unknown) => value is T

const text: Fact<string> = (value): value is string => typeof value === 'string' && value.length <= MAX_FACT_LENGTH
const textOrNull: Fact<string | null> = (value): value is string | null => value === null || text(value)
const count: Fact<number> = (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const oneOf =
  <const T extends string>(...options: readonly T[]): Fact<T> =>
  (value): value is T =>
    options.includes(value as T)

/** What is wrong with the store. `newer`: a newer version of the program wrote it. Those of key and passphrase are about the key file of a data directory; `signing-key-unusable`: the device's key is not there, or the platform cannot use it. */
const STORE_FAULTS = [
  'in-use',
  /** Settings of the browser, or rights on the folder, forbid it. */
  'blocked',
  'not-opened',
  'newer',
  'not-writable',
  'full',
  'folder-exposed',
  'key-exposed',
  'key-missing',
  'key-damaged',
  'key-weak',
  'signing-key-unusable',
  /** A browser has a lock, and no tab has opened it. */
  'locked',
  'passkey-wrong',
  'passphrase-needed',
  'passphrase-not-needed',
  'passphrase-wrong'
] as const
export type StoreFault = (typeof STORE_FAULTS)[number]

/** Every code with its facts. One table gives the types and the check of what a worker's port delivers. */
const FACTS = {
  'not-registered': {},
  'already-registered': {},
  'invalid-name': {},
  /** The rule for display names refuses the one that was chosen; see protocol/identity/display-name.ts. */
  'display-name': { fault: oneOf(...DISPLAY_NAME_FAULTS) },
  'about-too-long': { length: count, limit: count },
  /** A word for first contact is empty, or longer than `limit`. */
  'word-malformed': { limit: count },
  /** A file is no picture for a profile: more than `limit` bytes or `side` pixels a side, or no JPEG, PNG or WebP that stands still. */
  picture: { fault: oneOf('too-large', 'unfit'), limit: count, side: count },
  'name-taken': { username: text },
  /** So many nodes do not answer that should delete what they keep for the account. */
  'nodes-silent': { count },
  /** The account has this name already, or may still get it. */
  'name-chosen': { username: text },
  /** There is no one-time code, or it is unusable, used, outdated or of another device. */
  'sign-in-failed': {},
  /** The node does not offer this way to sign in. */
  'no-provider': { provider: text },
  'too-many-accounts': { limit: count },
  /** The sign-in did not begin on this device. */
  'sign-in-elsewhere': {},
  /** The node sends the browser to an address that a sign-in must not use. */
  'sign-in-unsafe': {},

  /** No node answers; `origin` is the one that was asked, null for any. */
  offline: { origin: textOrNull },
  'other-network': { origin: text },
  'not-a-node': { origin: text },
  /** The public record does not prove a list of nodes. */
  'unproven-list': {},
  /** An answer contradicts itself, its proof is false, or it is too long. */
  'bad-answer': {},
  /** A node finds what was signed here too old or too new: this device's clock is wrong, or the node's. */
  clock: {},
  /** A node refused. */
  refused: { refusal: oneOf(...PEER_ERROR_CODES) },

  'no-account': {},
  /** The own account cannot be marked as others can. */
  'own-account': {},
  'nickname-too-long': { length: count, limit: count },
  /** The user has blocked this person. */
  blocked: { username: textOrNull },
  'no-conversation': {},
  /** No group of this id is known here. */
  'no-group': {},
  /** This account has left the group, or was removed from it. */
  'not-in-group': {},
  /** Only admins may do this in the group. */
  'not-admin': {},
  /** The group's other members would be without an admin. */
  'last-admin': {},
  'already-member': { username: textOrNull },
  'not-member': { username: textOrNull },
  /** So many members, or changes, that no more are taken. */
  'group-full': {},
  /** This person has not asked to be added, or was answered. */
  'no-request': {},
  /** What was typed is no link to a group. */
  'group-link': {},
  /** The message is not here, is deleted, or is not of a kind that this can be done with. */
  'no-message': {},
  /** More messages than a report takes. */
  'too-many-messages': { limit: count },
  /** Only its author can do that with a message. */
  'not-author': {},
  /** A reaction is one emoji. */
  emoji: {},
  /** A poll needs a question and 2 to 12 different options. */
  poll: {},
  vote: { fault: oneOf('no-poll', 'no-option', 'one-only') },
  /** A time in seconds, from 1 to `limit`. */
  timer: { limit: count },
  'no-device': {},
  /** A device needs a name. */
  'device-name': {},
  /** Two operators name different accounts for a username. */
  'name-disputed': { username: text },
  'safety-number-changed': {},
  /** A safety number with oneself was asked for. */
  'nobody-to-compare': {},

  /** Nothing may be sent to this person, or by this device. */
  held: { reason: oneOf(...HOLD_REASONS), username: textOrNull },
  'no-keys': {},
  'message-empty': {},
  'message-too-long': { length: count, limit: count },

  /** A file has more bytes than a message takes. */
  'file-too-large': { limit: count },
  /** The content cannot be read, or changed while it was. */
  'file-unreadable': {},
  /** There is no such message, or it has no file. */
  'no-file': {},
  /** The file was not fetched, or was removed from this device. */
  'file-not-here': {},
  /** No node has the file. `expired`: it was sent longer ago than the network keeps files. */
  'file-gone': { reason: oneOf('expired', 'vanished') },
  /** What its sender stored is not what the message names. */
  'file-damaged': {},
  'file-stopped': {},
  /** See `BackupError` for the first five. */
  backup: {
    fault: oneOf(
      'passphrase',
      'weak',
      'other-account',
      'damaged',
      'newer',
      /** There is none. */
      'none',
      /** The first backup needs a passphrase. */
      'no-passphrase',
      /** Parts of it are gone, or were never uploaded. */
      'incomplete',
      /** The nodes have an older one than this device has seen. */
      'rolled-back',
      'no-room',
      /** It is in a storage of the user's own, and its key is missing or refused. */
      'storage-key',
      /** Too many wrong passphrases. */
      'too-often'
    )
  },

  /** No connection: the device was not removed. */
  'removal-offline': {},
  /** The connection was lost: the removal is on disk and is handed in with the next connection. */
  'removal-waits': {},
  'removal-refused': { refusal: oneOf(...PEER_ERROR_CODES) },

  /** `malformed`: no code. `mistyped`: a character is wrong, or it is of another network. */
  'recovery-code': { fault: oneOf('malformed', 'mistyped') },
  /** The account has no code, another one, or this one does not count yet. */
  'no-recovery': { reason: oneOf('no-code', 'other-code', 'not-yet') },
  /** An older device has made a code that does not count yet. */
  'recovery-waits': {},

  /** What was typed is no code (`form`), or a word of it is wrong (`word`). */
  'link-code': { fault: oneOf('form', 'word') },
  /** No node has this code: it is mistyped, or over for long. */
  'link-unknown': {},
  /** Another device has used the code. */
  'link-used': {},
  'link-expired': {},
  /** A person ended it, on this device or on the other one. */
  'link-cancelled': { by: oneOf('this', 'other') },
  /** The person at the old device said no. */
  'link-refused': {},
  /** The other device does not answer, or the network does not. */
  'link-lost': {},
  /** A message is not the one that the other device made. */
  'link-broken': {},
  /** Nodes refuse the device: the one that added it was removed, or another record came first. */
  'link-not-accepted': {},

  /** A passphrase that was chosen has too few or too many characters. */
  passphrase: { fault: oneOf('short', 'long'), limit: count },

  /** A text is no address of an invitation, or a part of it is missing. */
  'invite-malformed': {},
  'invite-other-network': {},
  /** The invitation is not known at its node, used up, taken back, or too old. */
  'invite-over': {},
  /** This account has no such invitation. */
  'invite-unknown': {},
  /** The node sends no mail. */
  'invite-no-mail': {},
  /** A text is no host name. */
  'site-malformed': {},
  /** The site was read, and does not name the account; `url` is the file. */
  'site-not-linked': { url: text },
  'site-unreachable': { url: text },
  'too-many-sites': { limit: count },
  /** A text is no e-mail address. */
  'mail-address': {},

  /** `location` is a folder, a file or a database; `detail` is what the system says, for people who can mend it. */
  store: { fault: oneOf(...STORE_FAULTS), location: text, detail: textOrNull },
  /** The caller broke the contract of {@link PeerApi}: a bug of the app. */
  'malformed-call': {},
  /** The peer ended while the call was under way: it may have been done. */
  interrupted: {},
  /** A bug of ours. Nothing is told about it, since nobody knows what an unknown error contains. */
  internal: {}
} as const

type Table = typeof FACTS
type FactOf<F> = F extends Fact<infer T> ? T : never

export type FailureCode = keyof Table
/** The facts of each code, plain data. */
export type FailureFacts = { [C in FailureCode]: { -readonly [K in keyof Table[C]]: FactOf<Table[C][K]> } }

/** A failure as plain data, so that it passes through a worker's message port. */
export type PeerFailure = { [C in FailureCode]: { code: C; facts: FailureFacts[C] } }[FailureCode]

type FactsAndOptions<C extends FailureCode> = keyof FailureFacts[C] extends never
  ? [facts?: Record<string, never>, options?: ErrorOptions]
  : [facts: FailureFacts[C], options?: ErrorOptions]

/** Thrown by every call of `PeerApi`. The message is for logs; people read the catalogue's sentence for `code`. */
export class PeerError<C extends FailureCode = FailureCode> extends Error {
  override name = 'PeerError'
  readonly code: C
  readonly facts: FailureFacts[C]

  constructor(code: C, ...[facts, options]: FactsAndOptions<C>) {
    super(facts && Object.keys(facts).length > 0 ? `${code} ${JSON.stringify(facts)}` : code, options)
    this.code = code
    this.facts = (facts ?? {}) as FailureFacts[C]
  }
}

/** One sentence for every code, in one language. */
export type FailureSentences = {
  [C in FailureCode]: keyof FailureFacts[C] extends never ? string : string | ((facts: FailureFacts[C]) => string)
}

/** What a failure is in words. */
export function sentenceOf(sentences: FailureSentences, { code, facts }: PeerFailure): string {
  const sentence = sentences[code] as string | ((facts: unknown) => string)
  return typeof sentence === 'string' ? sentence : sentence(facts)
}

/** The plain form of an error; `internal` for everything that is not a {@link PeerError}. */
export function failureOf(error: unknown): PeerFailure {
  // By name: the class may come from another bundle than ours.
  if (!(error instanceof Error) || error.name !== 'PeerError') return { code: 'internal', facts: {} }
  return parseFailure(error)
}

/** Reads a failure that came through a port; `internal` if the code is unknown or a fact is missing or wrong. */
export function parseFailure(value: unknown): PeerFailure {
  const { code, facts } = (value ?? {}) as { code?: unknown; facts?: unknown }
  if (typeof code !== 'string' || !Object.hasOwn(FACTS, code)) return { code: 'internal', facts: {} }
  const checks = Object.entries<Fact<unknown>>(FACTS[code as FailureCode])
  const given = (typeof facts === 'object' && facts !== null ? facts : {}) as Record<string, unknown>
  if (!checks.every(([name, check]) => check(given[name]))) return { code: 'internal', facts: {} }
  return { code, facts: Object.fromEntries(checks.map(([name]) => [name, given[name]])) } as PeerFailure
}

/** A {@link PeerError} for a failure that came as plain data. */
export function errorOf({ code, facts }: PeerFailure): PeerError {
  // A failure has the facts of its code; the types of a union do not say so.
  return new PeerError(code as 'held', facts as FailureFacts['held']) as PeerError
}

/** Whether a call failed because the browser is locked and no tab has opened it. */
export function isLockedOut(error: unknown): boolean {
  const { code, facts } = failureOf(error)
  return code === 'store' && facts.fault === 'locked'
}

/** A failure of the store. @param cause - what the system threw; its message becomes the `detail`. */
export function storeFailure(fault: StoreFault, location: string, cause?: unknown): PeerError<'store'> {
  const detail = cause === undefined ? null : String((cause as Error).message ?? cause).slice(0, MAX_FACT_LENGTH)
  return new PeerError('store', { fault, location: location.slice(0, MAX_FACT_LENGTH), detail }, { cause })
}
