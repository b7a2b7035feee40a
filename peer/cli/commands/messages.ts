/** `send`, `listen` and `messages`. */
import type { NodePeer } from '../../node-peer.ts'
import type { ChatMessage, Person, SentReceipt } from '../../peer-api.ts'
import { fileJson, messageJson, messageLine, nameOf, printable } from '../output.ts'
import { messageProblemWords } from '../words.ts'
import { conversationNamed, conversationName } from './conversation-named.ts'
import { FILE_TIMEOUT_MS, fileToSend } from './files.ts'
import { personNamed } from './find-person.ts'
import { EXIT, me, requireLive, requireRegistered, SEND_TIMEOUT_MS, type CommandOf, type Run } from './runnable.ts'
import { untilSent } from './until-sent.ts'

/** Messages that `listen` takes from the queue at a time. */
const LISTEN_PAGE = 100

export const send: Run<'send'> = async (peer, command, output) => {
  const { file } = command
  const timeoutMs = command.timeoutMs ?? (file === undefined ? SEND_TIMEOUT_MS : FILE_TIMEOUT_MS)
  const signal = AbortSignal.timeout(timeoutMs)
  await requireLive(peer)
  const conversation = await conversationNamed(peer, command.to, person => personNamed(peer, person, timeoutMs))
  const { person } = conversation
  const taken = await take(peer, conversation.id, command)
  const last = await untilSent(peer, taken, signal)
  const receipts = await receiptsOf(peer, last, signal)
  await output.print(
    {
      id: last.id,
      conversation: conversationName(conversation),
      ...(conversation.group ? { to: conversationName(conversation) } : addressee(person)),
      text: last.text,
      files: last.file === null ? [] : [fileJson(last.file)],
      sentAt: last.sentAt,
      state: last.state,
      problem: last.problem,
      receipts
    },
    last.state === 'waiting' || last.state === 'failed'
      ? `Not sent yet (${reasonOf(last)}); it is kept and sent by the next command.`
      : sentLine(conversation.group?.name ?? nameOf(person), receipts)
  )
  if (last.state === 'failed') output.note(reasonOf(last))
  if (last.state === 'failed') return EXIT.failed
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
        const { message, person } = unheard
        const self = await me(peer)
        const group = (await peer.groups.list()).find(({ id }) => id === message.conversationId)
        const shown = messageLine(message, person, self)
        await output.print(messageJson(message, person, self, group ?? null), group ? `${group.name}  ${shown}` : shown)
        await peer.unheard.leave(unheard)
        if (++printed >= wanted) return finished.resolve(EXIT.done)
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
  const stop = peer.on('message', message => !message.mine && wake())
  wake()
  try {
    return await finished.promise
  } finally {
    stop()
    clearTimeout(timer)
    await running
    if (printed < wanted && command.count !== undefined) {
      output.note(`${printed} of ${wanted} messages came in time`)
    }
  }
}

export const messages: Run<'messages'> = async (peer, command, output) => {
  await requireRegistered(peer)
  // What is on this device is printed at once; a person without a conversation has to be looked up.
  const find = (named: string): Promise<Person> => personNamed(peer, named, command.timeoutMs)
  const conversation = await conversationNamed(peer, command.with, find)
  const { id, group } = conversation
  const members = group ? (await peer.groups.members(id)).map(({ person }) => person) : []
  const self = await me(peer)
  const pages: ChatMessage[][] = []
  let before: string | undefined
  for (;;) {
    const page = await peer.messages.page(id, { limit: 200, ...(before === undefined ? {} : { before }) })
    if (page.length === 0) break
    pages.unshift(page)
    before = page[0]!.id
  }
  for (const message of pages.flat()) {
    const sender = members.find(({ accountId }) => accountId === message.from)
    const person = sender ?? (group ? await formerMember(peer, message) : conversation.person)
    await output.print(messageJson(message, person, self, group), messageLine(message, person, self))
  }
  return EXIT.done
}

/** Who wrote here and is no member any more; by the name under which the message is shown if the network is not there. */
async function formerMember(
  peer: NodePeer,
  { from, fromName }: ChatMessage
): Promise<Pick<Person, 'username' | 'accountId'>> {
  const known = await peer.people.find(from).catch(() => null)
  return known ?? { username: null, accountId: fromName }
}
