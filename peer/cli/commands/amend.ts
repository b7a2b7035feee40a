/** The commands that mark or change one message: `react`, `edit`, `delete`, `pin`, `star`, `poll vote`, `timer` and their like. */
import type { NodePeer } from '../../node-peer.ts'
import type { ChatMessage, ConversationSummary } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { deviceHeardLine, messageJson, messageLine, pollLines, type Output } from '../output.ts'
import { chatNamed, messageNamed } from './find-conversation.ts'
import { EXIT, me, requireLive, requireRegistered, SEND_TIMEOUT_MS, type CommandOf, type Run } from './runnable.ts'
import { conversationName } from './conversation-named.ts'
import { namesIn, senderOf, untilKept } from './sent-state.ts'

type AmendKind = 'react' | 'edit' | 'delete' | 'pin' | 'star' | 'pollVote'

interface Amendment<K extends AmendKind> {
  change: (peer: NodePeer, message: ChatMessage, command: CommandOf<K>) => Promise<unknown>
  /** What is said once the network keeps it. */
  done: (command: CommandOf<K>) => string
}

/** A command that changes one message, waits until the network keeps the change, and prints the message. */
function amend<K extends AmendKind>({ change, done }: Amendment<K>): Run<K> {
  return async (peer, command, output) => {
    const { chat, message: id, timeoutMs = SEND_TIMEOUT_MS } = command as CommandOf<AmendKind>
    const signal = AbortSignal.timeout(timeoutMs)
    await requireLive(peer)
    const conversation = await chatNamed(peer, chat, timeoutMs)
    const message = await messageNamed(peer, conversation, id, timeoutMs)
    await change(peer, message, command)
    const isKept = await untilKept(peer, conversation.id, signal)
    const changed = (await peer.messages.find(message.id)) ?? { ...message, kind: 'removed' as const, text: '' }
    return printChange(peer, output, { conversation, message: changed, isKept, words: done(command) })
  }
}

interface Change {
  conversation: ConversationSummary
  message: ChatMessage
  isKept: boolean
  words: string
}

async function printChange(peer: NodePeer, output: Output, change: Change): Promise<number> {
  const { conversation, message, isKept, words } = change
  const names = await namesIn(peer, conversation)
  const json = messageJson(
    message,
    await senderOf(peer, conversation, message),
    await me(peer),
    conversation.group,
    names
  )
  await output.print(
    { ...json, conversation: conversationName(conversation), change: isKept ? 'sent' : 'waiting' },
    isKept ? words : 'Not sent yet; it is kept and sent by the next command.'
  )
  return isKept ? EXIT.done : EXIT.timedOut
}

export const react = amend<'react'>({
  change: (peer, message, { emoji }) => peer.amendments.react(message.id, emoji),
  done: ({ emoji }) => (emoji === null ? 'Reaction taken back.' : 'Reaction sent.')
})

export const edit = amend<'edit'>({
  change: (peer, message, { text }) => peer.amendments.edit(message.id, text),
  done: () => 'Changed.'
})

/** `delete` is a reserved word. */
export const deleteMessage = amend<'delete'>({
  change: (peer, message, { forMe }) =>
    forMe ? peer.amendments.deleteForMe([message.id]) : peer.amendments.deleteForAll(message.id),
  done: ({ forMe }) => (forMe ? 'Deleted from your own devices.' : 'Deleted for all.')
})

export const pin = amend<'pin'>({
  change: (peer, message, { isPinned }) => peer.amendments.pin(message.id, isPinned),
  done: ({ isPinned }) => (isPinned ? 'Pinned.' : 'Pinned no longer.')
})

export const star = amend<'star'>({
  change: (peer, message, { isStarred }) => peer.amendments.star(message.id, isStarred),
  done: ({ isStarred }) => (isStarred ? 'Starred.' : 'Starred no longer.')
})

export const pollVote = amend<'pollVote'>({
  change: (peer, message, { choices }) =>
    peer.amendments.vote(
      message.id,
      choices.map(choice => optionOf(message, choice))
    ),
  done: ({ choices }) => (choices.length === 0 ? 'Vote taken back.' : 'Vote sent.')
})

/** The number of an option, from 0, that was named by its number from 1 or by its text. */
function optionOf({ poll }: ChatMessage, choice: string): number {
  const options = poll?.options ?? []
  const named = options.findIndex(({ text }) => text === choice)
  const number = Number(choice)
  if (named >= 0) return named
  if (Number.isInteger(number) && number >= 1 && number <= options.length) return number - 1
  throw commandError('option-unknown', { option: choice })
}

export const pollShow: Run<'pollShow'> = async (peer, command, output) => {
  await requireRegistered(peer)
  const conversation = await chatNamed(peer, command.chat, command.timeoutMs)
  const message = await messageNamed(peer, conversation, command.message, command.timeoutMs)
  if (!message.poll) throw commandError('not-a-poll', { message: command.message })
  const names = await namesIn(peer, conversation)
  const json = messageJson(
    message,
    await senderOf(peer, conversation, message),
    await me(peer),
    conversation.group,
    names
  )
  await output.print(json, [message.text, ...pollLines(message.poll, names)].join('\n'))
  return EXIT.done
}

export const details: Run<'details'> = async (peer, command, output) => {
  await requireRegistered(peer)
  const conversation = await chatNamed(peer, command.chat, command.timeoutMs)
  const message = await messageNamed(peer, conversation, command.message, command.timeoutMs)
  const names = await namesIn(peer, conversation)
  const self = await me(peer)
  const sender = await senderOf(peer, conversation, message)
  const devices = (await peer.messages.heardBy(message.id)).map(({ accountId, ...device }) => {
    return { ...device, from: names(accountId), fromAccount: accountId }
  })
  const versions = await peer.messages.versions(message.id)
  await output.print(
    { ...messageJson(message, sender, self, conversation.group, names), devices, versions },
    [messageLine(message, sender, self), ...devices.map(deviceHeardLine)].join('\n')
  )
  return EXIT.done
}

export const timer: Run<'timer'> = async (peer, command, output) => {
  const timeoutMs = command.timeoutMs ?? SEND_TIMEOUT_MS
  const signal = AbortSignal.timeout(timeoutMs)
  await requireLive(peer)
  const conversation = await chatNamed(peer, command.chat, timeoutMs)
  await peer.amendments.setTimer(conversation.id, command.seconds)
  const isKept = await untilKept(peer, conversation.id, signal)
  const { seconds } = command
  await output.print(
    { conversation: conversationName(conversation), seconds, change: isKept ? 'sent' : 'waiting' },
    seconds === null ? 'New messages stay.' : `New messages disappear ${seconds} s after they were sent or read.`
  )
  return isKept ? EXIT.done : EXIT.timedOut
}
