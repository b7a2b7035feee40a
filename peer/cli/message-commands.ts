/** The words of the commands that answer, mark or change one message, and of `listen`. */
import type { AddCommandsOf, CommonOptions } from './command-options.ts'
import { positiveInteger } from './option-values.ts'
import { UsageError } from './usage-error.ts'

/** A message of a conversation; `message` is an id or its beginning. */
interface OfMessage extends CommonOptions {
  chat: string
  message: string
}

export type MessageCommand =
  | ({ kind: 'listen'; count: number | undefined; showsTyping: boolean } & CommonOptions)
  | ({ kind: 'reply'; text: string } & OfMessage)
  | ({ kind: 'react'; emoji: string | null } & OfMessage)
  | ({ kind: 'edit'; text: string } & OfMessage)
  | ({ kind: 'delete'; forMe: boolean } & OfMessage)
  | ({ kind: 'pin'; isPinned: boolean } & OfMessage)
  | ({ kind: 'star'; isStarred: boolean } & OfMessage)
  | ({ kind: 'details' } & OfMessage)
  | ({ kind: 'forward'; to: string } & OfMessage)
  | ({ kind: 'pollCreate'; chat: string; question: string; options: string[]; isMultiple: boolean } & CommonOptions)
  | ({ kind: 'pollVote'; choices: string[] } & OfMessage)
  | ({ kind: 'pollShow' } & OfMessage)
  | ({ kind: 'timer'; chat: string; seconds: number | null } & CommonOptions)

type AddCommands = AddCommandsOf<MessageCommand>

/** Adds the commands. `CHAT` is a person, or a group. */
export const addMessageCommands: AddCommands = (program, common, take) => {
  const word = (name: string, description: string) =>
    program.command(name).argument('<CHAT>').argument('<MESSAGE>').description(description)
  word('reply', 'answer a message; returns once the network keeps it')
    .argument('<TEXT>')
    .action((chat: string, message: string, text: string) =>
      take({ kind: 'reply', chat, message: messageId(message), text: textOf(text), ...common() })
    )
  word('react', 'give a message an emoji, instead of the one that you gave it before')
    .argument('[EMOJI]')
    .option('--remove', 'take it back', false)
    .action((chat: string, message: string, given: string | undefined, { remove }: { remove: boolean }) => {
      if (given === undefined && !remove) throw new UsageError('an emoji is missing')
      const emoji = remove ? null : given!
      take({ kind: 'react', chat, message: messageId(message), emoji, ...common() })
    })
  word('edit', 'change the text of a message that you wrote')
    .argument('<TEXT>')
    .action((chat: string, message: string, text: string) =>
      take({ kind: 'edit', chat, message: messageId(message), text: textOf(text), ...common() })
    )
  word('delete', 'delete a message that you wrote, for all')
    .option('--for-me', 'any message, from your own devices only', false)
    .action((chat: string, message: string, { forMe }: { forMe: boolean }) =>
      take({ kind: 'delete', chat, message: messageId(message), forMe, ...common() })
    )
  word('forward', 'send the text of a message to another conversation')
    .argument('<TO>', 'the conversation to send it to')
    .action((chat: string, message: string, to: string) =>
      take({ kind: 'forward', chat, message: messageId(message), to, ...common() })
    )
  word('details', 'a message, its earlier texts, and which devices have got and read it').action(
    (chat: string, message: string) => take({ kind: 'details', chat, message: messageId(message), ...common() })
  )
  for (const isPinned of [true, false]) {
    word(
      isPinned ? 'pin' : 'unpin',
      isPinned ? 'show a message at the top, for all' : 'pin a message no longer'
    ).action((chat: string, message: string) =>
      take({ kind: 'pin', chat, message: messageId(message), isPinned, ...common() })
    )
  }
  for (const isStarred of [true, false]) {
    const description = isStarred ? 'mark a message, on your own devices only' : 'mark a message no longer'
    word(isStarred ? 'star' : 'unstar', description).action((chat: string, message: string) =>
      take({ kind: 'star', chat, message: messageId(message), isStarred, ...common() })
    )
  }
  program
    .command('timer')
    .argument('<CHAT>')
    .argument('<SECONDS>', 'or: off')
    .description('let new messages disappear so long after they were sent or read')
    .action((chat: string, time: string) => take({ kind: 'timer', chat, seconds: secondsOf(time), ...common() }))
  program
    .command('listen')
    .description('print what others write and do, what waits from before included')
    .option('--count <N>', 'stop after N lines; fewer within --timeout is exit code 3', positiveInteger('count'))
    .option('--typing', 'also who types; such lines are not counted', false)
    .action(({ count, typing: showsTyping }: { count?: number; typing: boolean }) =>
      take({ kind: 'listen', count, showsTyping, ...common() })
    )
  addPollCommands(program, common, take)
}

const addPollCommands: AddCommands = (program, common, take) => {
  const poll = program.command('poll').description('ask a question with answers to choose from')
  poll
    .command('create')
    .argument('<CHAT>')
    .argument('<QUESTION>')
    .argument('<OPTION...>', '2 to 12 answers')
    .option('--multiple', 'let a person choose several', false)
    .description('ask; returns once the network keeps it')
    .action((chat: string, question: string, options: string[], { multiple: isMultiple }: { multiple: boolean }) =>
      take({ kind: 'pollCreate', chat, question, options, isMultiple, ...common() })
    )
  poll
    .command('vote')
    .argument('<CHAT>')
    .argument('<MESSAGE>')
    .argument('[OPTION...]', 'numbers of answers, from 1, or their texts; none takes the vote back')
    .description('choose answers, instead of those that you chose before')
    .action((chat: string, message: string, choices: string[]) =>
      take({ kind: 'pollVote', chat, message: messageId(message), choices, ...common() })
    )
  poll
    .command('show')
    .argument('<CHAT>')
    .argument('<MESSAGE>')
    .description('the answers and their votes, as this device has them')
    .action((chat: string, message: string) =>
      take({ kind: 'pollShow', chat, message: messageId(message), ...common() })
    )
}

/** An id of a message, or its beginning. @throws UsageError for anything else. */
export function messageId(id: string): string {
  if (/^[0-9a-f]{8,64}$/.test(id)) return id
  throw new UsageError(`a message is named by 8 to 64 hex digits of its id, got "${id}"`)
}

function textOf(text: string): string {
  if (text.trim() === '') throw new UsageError('the text is empty')
  return text
}

function secondsOf(time: string): number | null {
  if (time === 'off') return null
  const seconds = Number(time)
  if (time.trim() !== '' && Number.isSafeInteger(seconds) && seconds > 0) return seconds
  throw new UsageError(`a timer is a whole number of seconds above 0, or "off", got "${time}"`)
}
