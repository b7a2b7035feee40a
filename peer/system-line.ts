/** What Volo itself says in a conversation: a code with facts, whose sentence each front end has. */
export type SystemLine =
  /** Messages of one device are missing; `gone` of them its sender does not have any more. */
  | { kind: 'missing'; missing: number; gone: number }
  /** The message above does not follow the one before it. */
  | { kind: 'not-linked' }
  /** A device sent something after its account removed it, which is not shown. `mine`: the own account. */
  | { kind: 'removed-device'; mine: boolean }
  /** The other person regained the account with a recovery code: all their devices are new, and none is compared. */
  | { kind: 'recovered' }
  /** The network deleted at most so many messages, of contacts and of others, before this device came back. */
  | { kind: 'deleted'; contacts: number; requests: number }
  /** A member changed the group. `text` is a new name or description, else empty. */
  | { kind: 'group'; what: GroupLineKind; by: GroupLinePerson; who: GroupLinePerson[]; text: string }
  /**
   * A device of a person was shown another world than this one: other messages of the person in `of`, another list of members,
   * other public records of the person in `of`, or another build of the app.
   */
  | { kind: 'differs'; what: DifferenceKind; by: GroupLinePerson; device: string; of: GroupLinePerson[] }
  /** The author of the line set after how many seconds new messages disappear; null for never. */
  | { kind: 'timer'; seconds: number | null }

/** In what two worlds can differ. */
export const DIFFERENCES = ['history', 'roster', 'records', 'build'] as const
export type DifferenceKind = (typeof DIFFERENCES)[number]

/**
 * What became of a group. `asked`: this account asked to be added, with a link. `undone`: an earlier change by this member does not count,
 * because one who ranks before them removed or demoted them at the same time.
 */
export const GROUP_LINE_KINDS = [
  'asked',
  'created',
  'added',
  'removed',
  'left',
  'promoted',
  'demoted',
  'renamed',
  'described',
  'picture',
  'settings',
  'undone'
] as const
export type GroupLineKind = (typeof GROUP_LINE_KINDS)[number]

/** A person who made a change of a group, or whom it is about. */
export interface GroupLinePerson {
  /** Lower-case hex. */
  accountId: string
  /** How the person is called here. */
  name: string
  isMe: boolean
}
