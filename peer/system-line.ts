/** What Volo itself says in a conversation: a code with facts, whose sentence each front end has. */
export type SystemLine =
  /** Messages of one device are missing; `gone` of them its sender does not have any more. */
  | { kind: 'missing'; missing: number; gone: number }
  /** The message above does not follow the one before it. */
  | { kind: 'not-linked' }
  /** A device sent something after its account removed it, which is not shown. `mine`: the own account. */
  | { kind: 'removed-device'; mine: boolean }
  /** The network deleted at most so many messages, of contacts and of others, before this device came back. */
  | { kind: 'deleted'; contacts: number; requests: number }
