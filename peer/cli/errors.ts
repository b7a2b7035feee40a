/** Facts of the failures that belong to the command line alone; `words.ts` has the sentences. */
export interface CommandFailureFacts {
  /** The data directory has an account already. */
  'directory-taken': { name: string }
  'nobody-registered': Record<never, never>
  'nobody-found': { person: string }
  /** The person has no picture, or shows it to others only. */
  'no-picture': { person: string }
  /** The group has no picture, or the user has not accepted it. */
  'no-group-picture': Record<string, never>
  /** What was typed is neither `group:ID` nor an id. */
  'no-group-named': { group: string }
  'device-unknown': { device: string }
  /** The beginning of a device id fits more than one device. */
  'device-ambiguous': { device: string; matches: number }
  /** The beginning of the id of an invitation fits more than one. */
  'invite-ambiguous': { id: string; matches: number }
  /** Removing the device that runs the command needs `--yes`. */
  'device-is-this': Record<never, never>
  'no-demo-sign-in': Record<never, never>
  'sign-in-leads-away': { origin: string }
  'sign-in-answered': { status: number }
  /** `error` is the provider's error code, null if it is none. */
  'sign-in-refused': { error: string | null }
  'sign-in-without-form': Record<never, never>
  'sign-in-endless': Record<never, never>
  'passphrase-unreadable': { detail: string }
  'passphrase-empty': { file: string }
  'file-not-written': { file: string; detail: string }
  'file-not-read': { file: string; detail: string }
  'file-empty': { file: string }
  /** The folder that a file is to be saved in cannot be used. */
  'not-saved': { folder: string; detail: string }
  /** The time given with `--timeout` has passed. */
  'timed-out': { task: TimedTask }
  /** A picture without a QR code that can be read. */
  'no-qr-code': { file: string }
  /** No message of the conversation has this id, or an id that begins so. */
  'message-unknown': { message: string }
  'message-ambiguous': { message: string; matches: number }
  'not-a-poll': { message: string }
  'option-unknown': { option: string }
  'no-node-in-time': Record<never, never>
  'person-not-asked-in-time': { person: string }
}

/** What a command was doing when its time ran out. */
export type TimedTask =
  | 'register'
  | 'find'
  | 'claim-name'
  | 'remove-device'
  | 'make-code'
  | 'recover'
  | 'link-device'
  | 'fetch-file'
  | 'accept-invite'
  | 'back-up'
  | 'restore'

export type CommandFailureCode = keyof CommandFailureFacts
export type CommandFailure = {
  [C in CommandFailureCode]: { code: C; facts: CommandFailureFacts[C] }
}[CommandFailureCode]

const TIMEOUTS: readonly CommandFailureCode[] = ['timed-out', 'no-node-in-time', 'person-not-asked-in-time']

/** A command cannot do what it was asked. The message is for logs; people read the sentence for `failure`. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly failure: CommandFailure

  constructor(failure: CommandFailure, options?: ErrorOptions) {
    super(`${failure.code} ${JSON.stringify(failure.facts)}`, options)
    this.failure = failure
  }

  /** Whether the command ran out of time: another exit code. */
  get isTimeout(): boolean {
    return TIMEOUTS.includes(this.failure.code)
  }
}

/** A {@link CommandError} of this code. */
export function commandError<C extends CommandFailureCode>(
  code: C,
  facts: CommandFailureFacts[C],
  options?: ErrorOptions
): CommandError {
  return new CommandError({ code, facts } as CommandFailure, options)
}
