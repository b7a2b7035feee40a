/** `send`, `reply`, `forward`, `poll create` and `listen`. */
import type { NodePeer } from '../../node-peer.ts'
import { isWithoutWord } from '../../people/message-request.ts'
import type { Unheard } from '../../conversations/unheard-queue.ts'
import type {
  ChatMessage,
  ConversationSummary,
  GroupSummary,
  Person,
  SentReceipt,
  TypingNotice
} from '../../peer-api.ts'
import type { SystemLine } from '../../system-line.ts'
import {
  eventJson,
  eventLine,
  fileJson,
  messageJson,
  messageLine,
  nameOf,
  printable,
  textOfMessage,
  type Output
} from '../output.ts'
import { messageProblemWords } from '../words.ts'
import { conversationName } from './conversation-named.ts'
import { FILE_TIMEOUT_MS, fileToSend } from './files.ts'
import { chatNamed, messageNamed } from './find-conversation.ts'
import {
  catchUp,
  COMING_MS,
  EXIT,
  LOOK_UP_TIMEOUT_MS,
  me,
  requireLive,
  requireRegistered,
  SEND_TIMEOUT_MS,
  type CommandOf,
  type Run
} from './runnable.ts'
import { saidProgress } from './said-progress.ts'
import { isOver, untilSent } from './until-sent.ts'

/** Messages that `listen` takes from the queue at a time. */
const LISTEN_PAGE = 100
/** That `listen` runs is said again after this. */
const HERE_EVERY_MS = 60_000

/** The conversation to write in; in a group once this device knows who is in it, where there is a connection soon. */
async function chatNow(peer: NodePeer, named: string, timeoutMs: number): Promise<ConversationSummary> {
  const conversation = await chatNamed(peer, named, timeoutMs)
  const isOnline = conversation.kind === 'group' && (await peer.online(Math.min(timeoutMs, LOOK_UP_TIMEOUT_MS)))
  if (isOnline) await catchUp(peer, Math.min(timeoutMs, COMING_MS))
  return conversation
}

export const send: Run<'send'> = async (peer, command, output) => {
  const { file } = command
  const timeoutMs = command.timeoutMs ?? (file === undefined ? SEND_TIMEOUT_MS : FILE_TIMEOUT_MS)
  const signal = AbortSignal.timeout(timeoutMs)
  await requireLive(peer)
  const conversation = await chatNow(peer, command.to, timeoutMs)
  // Before the message: it is read in this order.
  if (command.word !== undefined) await peer.conversations.sayWord(conversation.id, command.word)
  const taken = await take(peer, conversation.id, command)
  return untilSentAndPrinted(peer, conversation, taken, signal, output)
}

export const reply: Run<'reply'> = async (peer, command, output) => {
  const timeoutMs = command.timeoutMs ?? SEND_TIMEOUT_MS
  const signal = AbortSignal.timeout(timeoutMs)
  await requireLive(peer)
  const conversation = await chatNow(peer, command.chat, timeoutMs)
  const { id } = await messageNamed(peer, conversation, command.message, timeoutMs)
  const taken = await peer.messages.reply(conversation.id, id, command.text)
  return untilSentAndPrinted(peer, conversation, taken, signal, output)
}

export const forward: Run<'forward'> = async (peer, command, output) => {
  const timeoutMs = command.timeoutMs ?? SEND_TIMEOUT_MS
  const signal = AbortSignal.timeout(timeoutMs)
  await requireLive(peer)
  const { id } = await messageNamed(peer, await chatNamed(peer, command.chat, timeoutMs), command.message, timeoutMs)
  const to = await chatNow(peer, command.to, timeoutMs)
  return untilSentAndPrinted(peer, to, await peer.messages.forward(id, to.id), signal, output)
}

export const pollCreate: Run<'pollCreate'> = async (peer, command, output) => {
  const timeoutMs = command.timeoutMs ?? SEND_TIMEOUT_MS
  const signal = AbortSignal.timeout(timeoutMs)
  await requireLive(peer)
  const conversation = await chatNow(peer, command.chat, timeoutMs)
  const { question, options, isMultiple } = command
  const taken = await peer.messages.createPoll(conversation.id, { question, options, isMultiple })
  return untilSentAndPrinted(peer, conversation, taken, signal, output)
}

async function untilSentAndPrinted(
  peer: NodePeer,
  conversation: ConversationSummary,
  taken: ChatMessage,
  signal: AbortSignal,
  output: Output
): Promise<number> {
  const { person } = conversation
  const last = await saidProgress(peer, output, () => untilSent(peer, taken, signal))
  const receipts = await receiptsOf(peer, last, signal)
  await output.print(
    {
      id: last.id,
      conversation: conversationName(conversation),
      ...(conversation.group ? { to: conversationName(conversation) } : addressee(person)),
      text: last.text,
      files: last.file === null ? [] : [fileJson(last.file)],
      replyTo: last.replyTo,
      sentAt: last.sentAt,
      state: last.state,
      problem: last.problem,
      receipts
    },
    isOver(last)
      ? `Not sent (${reasonOf(last)}); it stays on this device.`
      : last.state === 'waiting'
        ? `Not sent yet (${reasonOf(last)}); it is kept and sent by the next command.`
        : sentLine(conversation.group?.name ?? nameOf(person), receipts)
  )
  if (isOver(last)) output.note(reasonOf(last))
  if (isOver(last)) return EXIT.failed
  return last.state === 'waiting' ? EXIT.timedOut : EXIT.done
}

/** Takes the message; from here on it is kept, whatever happens to the connection. */
async function take(peer: NodePeer, conversationId: string, { text, file }: CommandOf<'send'>): Promise<ChatMessage> {
  if (file === undefined) return peer.messages.sendText(conversationId, text)
  const { content, name } = await fileToSend(file)
  return peer.files.send(conversationId, content, { name, text })
}

const reasonOf = ({ problem }: ChatMessage): string =>
  problem === null ? 'no node has confirmed it' : messageProblemWords(problem)

const addressee = ({ username, accountId }: Person): object => ({ to: username ?? accountId, toAccount: accountId })

function sentLine(to: string, receipts: SentReceipt[]): string {
  const nodes = new Set(receipts.map(receipt => receipt.node)).size
  return nodes === 0 ? 'Kept on this device.' : `Sent to ${printable(to)}, kept by ${nodes} node(s).`
}

/** Waits for the receipts: the recipient may read a message before the last receipt is back. */
async function receiptsOf(peer: NodePeer, message: ChatMessage, signal: AbortSignal): Promise<SentReceipt[]> {
  for (;;) {
    const receipts = await peer.messages.receipts(message.id)
    if (receipts.length > 0 || message.state === 'waiting' || message.state === 'failed' || signal.aborted)
      return receipts
    if ((await peer.snapshot()).status.waiting === 0) return peer.messages.receipts(message.id)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}

export const listen: Run<'listen'> = async (peer, command, output) => {
  await requireRegistered(peer)
  // Names of people who are new here are looked up before their messages are printed.
  await peer.online(Math.min(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS, LOOK_UP_TIMEOUT_MS))
  const wanted = command.count ?? Infinity
  let printed = 0
  const finished = Promise.withResolvers<number>()
  const timer =
    command.timeoutMs === undefined
      ? undefined
      : setTimeout(() => finished.resolve(command.count === undefined ? EXIT.done : EXIT.timedOut), command.timeoutMs)
  const interrupted = (): void => finished.resolve(command.count === undefined ? EXIT.done : EXIT.failed)
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)

  let running: Promise<void> | undefined
  let again = false
  const drain = async (): Promise<void> => {
    for (;;) {
      again = false
      const line = await peer.unheard.first(Math.min(wanted - printed, LISTEN_PAGE))
      for (const unheard of line) {
        const isShown = await printUnheard(peer, unheard, output)
        await peer.unheard.leave(unheard)
        if (isShown && ++printed >= wanted) return finished.resolve(EXIT.done)
      }
      if (line.length === 0 && !again) return
    }
  }
  const wake = (): void => {
    again = true
    running ??= drain()
      .catch((error: unknown) => finished.reject(error as Error))
      .finally(() => {
        running = undefined
        if (again && printed < wanted) wake()
      })
  }
  const stops = [
    peer.on('message', message => !message.mine && wake()),
    peer.on('event', wake),
    ...(command.showsTyping
      ? [peer.on('typing', notice => void printTyping(peer, notice, output).catch(finished.reject))]
      : [])
  ]
  wake()
  const notHere = beHere(peer)
  try {
    return await finished.promise
  } finally {
    notHere()
    for (const stop of stops) stop()
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
    clearTimeout(timer)
    await running
    if (printed < wanted && command.count !== undefined) {
      output.note(`${printed} of ${wanted} lines came in time`)
    }
  }
}

/** Who listens is here, for accepted people who ask. @returns what ends it; the end of the peer tells the others. */
function beHere(peer: NodePeer): () => void {
  const say = (): void => void peer.people.setHere(true).catch(() => undefined)
  say()
  const timer = setInterval(say, HERE_EVERY_MS)
  return () => clearInterval(timer)
}

async function printTyping(peer: NodePeer, { conversationId, from, isTyping }: TypingNotice, output: Output) {
  const { conversations } = await peer.snapshot()
  const conversation = conversations.find(({ id }) => id === conversationId)
  const members = conversation?.group ? await peer.groups.members(conversation.id) : []
  const person = members.find(member => member.person.accountId === from)?.person ?? conversation?.person
  const username = person?.username ?? from
  const named = conversation ? conversationName(conversation) : conversationId
  await output.print(
    { event: 'typing', conversation: named, from: username, active: isTyping },
    `${printable(username)} ${isTyping ? 'types' : 'has stopped typing'}`
  )
}

/** Another device was shown another world: the line is about its person, not from anybody. */
async function printDifference(
  peer: NodePeer,
  message: ChatMessage,
  { by: { accountId }, what, device, of }: Extract<SystemLine, { kind: 'differs' }>,
  group: GroupSummary | null,
  output: Output
): Promise<void> {
  const { username = null } = (await peer.people.find(accountId).catch(() => null)) ?? {}
  const conversation = group ? `group:${group.id}` : message.conversationId
  const about = { from: username ?? accountId, fromAccount: accountId, device, of: of.map(each => each.accountId) }
  const text = textOfMessage(message)
  await output.print({ event: 'differs', id: message.id, conversation, what, ...about, text }, text)
}

/** @returns false for what a stranger writes who does not know the word that the user wants to hear. */
async function printUnheard(peer: NodePeer, { event, message, person }: Unheard, output: Output): Promise<boolean> {
  const self = await me(peer)
  const conversationId = event?.conversationId ?? message!.conversationId
  const { conversations } = await peer.snapshot()
  if (conversations.some(each => each.id === conversationId && isWithoutWord(each))) return false
  const group = (await peer.groups.list()).find(({ id }) => id === conversationId) ?? null
  if (message?.line?.kind === 'differs') {
    await printDifference(peer, message, message.line, group, output)
    return true
  }
  const json = event ? eventJson(event, person, message, group) : messageJson(message!, person, self, group)
  const line = event ? eventLine(event, person) : messageLine(message!, person, self)
  await output.print(json, group ? `${group.name}  ${line}` : line)
  return true
}
