/** Runs one parsed command against a peer of its own, and turns its outcome into an exit code. */
import { PeerError } from '../errors.ts'
import type { ChatMessage, Me, Person, SentReceipt } from '../peer-api.ts'
import { createNodePeer, type NodePeer } from '../node-peer.ts'
import type { Command } from './command-line.ts'
import { readPassphrase, type Environment } from './config.ts'
import { demoSignIn } from './demo-sign-in.ts'
import { CommandError, commandError, type TimedTask } from './errors.ts'
import {
  createOutput,
  deviceJson,
  deviceLine,
  messageJson,
  messageLine,
  nameOf,
  printable,
  recordLine,
  type Output
} from './output.ts'
import { errorWords, messageProblemWords, statusProblemWords } from './words.ts'

type Runnable = Exclude<Command, { kind: 'help' | 'version' }>
type CommandOf<K extends Runnable['kind']> = Extract<Runnable, { kind: K }>

const DONE = 0
const FAILED = 1
const TIMED_OUT = 3
const SEND_TIMEOUT_MS = 30_000
const REGISTER_TIMEOUT_MS = 60_000
/** How long `register` waits for the name; on a devnet others can usually find it by then. */
const NAME_WAIT_MS = 12_000
/** `whoami`, `status` and `messages` answer from the device after this long without a connection. */
const LOOK_UP_TIMEOUT_MS = 3_000
/** Messages that `listen` takes from the queue at a time. */
const LISTEN_PAGE = 100
/** Where the demo sign-in sends the browser back to. Nothing listens there: the command only recognises the address. */
const RETURN_TO = 'http://127.0.0.1:9/'

/** @returns the exit code. */
export async function runCommand(command: Runnable, environment: Environment): Promise<number> {
  const output = createOutput(command.json)
  // A failure that nothing catches belongs to one message or connection: the command goes on.
  process.on('unhandledRejection', error => {
    if (environment.debug) output.note(`a failure that nobody handled: ${String(error)}`)
  })
  let peer: NodePeer | undefined
  try {
    peer = await createNodePeer({
      dataDir: command.data,
      nodeUrl: command.node,
      passphrase: await readPassphrase(environment.passphraseFile),
      debug: environment.debug
    })
    await peer.start()
    return await dispatch(peer, command, output)
  } catch (error) {
    output.note(errorWords(error))
    return error instanceof CommandError && error.isTimeout ? TIMED_OUT : FAILED
  } finally {
    await peer?.stop()
  }
}

function dispatch(peer: NodePeer, command: Runnable, output: Output): Promise<number> {
  switch (command.kind) {
    case 'register':
      return register(peer, command, output)
    case 'send':
      return send(peer, command, output)
    case 'listen':
      return listen(peer, command, output)
    case 'messages':
      return messages(peer, command, output)
    case 'whoami':
      return whoami(peer, command, output)
    case 'name':
      return name(peer, command, output)
    case 'status':
      return status(peer, output)
    case 'devices':
      return devices(peer, command, output)
    case 'revoke':
      return revoke(peer, command, output)
  }
}

async function register(peer: NodePeer, command: CommandOf<'register'>, output: Output): Promise<number> {
  const deadline = Date.now() + (command.timeoutMs ?? REGISTER_TIMEOUT_MS)
  const signal = AbortSignal.timeout(deadline - Date.now())
  const me = await orTimeout(signal, 'register', async () => {
    const { stage, me: existing } = await peer.snapshot()
    if (stage === 'ready') {
      throw commandError('directory-taken', { name: nameOf(existing!) })
    }
    const availability = await peer.checkName(command.username)
    if (availability === 'invalid') throw new PeerError('invalid-name')
    if (availability === 'taken') throw new PeerError('name-taken', { username: command.username })
    if (stage === 'welcome') {
      const provider = (await peer.providers()).find(({ demo }) => demo)
      if (!provider) throw commandError('no-demo-sign-in', {})
      const url = await peer.startSignIn(provider.id, RETURN_TO)
      await peer.finishSignIn(await demoSignIn(fetch, url, RETURN_TO, command.demoUser, signal))
    }
    return peer.register(command)
  })
  const nameWait = Math.max(0, Math.min(NAME_WAIT_MS, deadline - Date.now()))
  const findable = await peer.settleName(nameWait)
  const now = (await peer.snapshot()).me ?? me
  await output.print(
    { ...meJson(now), findable },
    `Registered as @${command.username}.\nAccount ${now.accountId}, ${recordLine(now.record)}.\n` +
      (findable
        ? 'Others can find you by your username.'
        : 'Your username is being reserved; it is finished by the next command.')
  )
  return DONE
}

async function send(peer: NodePeer, command: CommandOf<'send'>, output: Output): Promise<number> {
  const timeoutMs = command.timeoutMs ?? SEND_TIMEOUT_MS
  const signal = AbortSignal.timeout(timeoutMs)
  await requireLive(peer)
  const person = await orTimeout(signal, 'find', () => findPerson(peer, command.to, signal))
  const conversation = await peer.openConversation(person.accountId)
  const taken = await peer.sendText(conversation.id, command.text)
  const last = await untilSent(peer, taken, signal)
  const receipts = await receiptsOf(peer, last, signal)
  await output.print(
    {
      id: last.id,
      conversation: conversation.id,
      to: person.username ?? person.accountId,
      toAccount: person.accountId,
      text: last.text,
      sentAt: last.sentAt,
      state: last.state,
      problem: last.problem,
      receipts
    },
    last.state === 'waiting' || last.state === 'failed'
      ? `Not sent yet (${reasonOf(last)}); it is kept and sent by the next command.`
      : sentLine(person, receipts)
  )
  if (last.state === 'failed') output.note(reasonOf(last))
  if (last.state === 'failed') return FAILED
  return last.state === 'waiting' ? TIMED_OUT : DONE
}

const reasonOf = ({ problem }: ChatMessage): string =>
  problem === null ? 'no node has confirmed it' : messageProblemWords(problem)

/** Waits until the message is *sent* or the time is over. A message that is late stays in the outbox. */
async function untilSent(peer: NodePeer, taken: ChatMessage, signal: AbortSignal): Promise<ChatMessage> {
  return new Promise(resolve => {
    let last = taken
    const finish = (): void => {
      stop()
      resolve(last)
    }
    const look = (message: ChatMessage): void => {
      if (message.id !== taken.id) return
      last = message
      if (message.state !== 'waiting') finish()
    }
    const stop = peer.on('message', look)
    if (signal.aborted) return finish()
    signal.addEventListener('abort', finish)
    // The message may have been sent before the listener was there.
    void peer.messages(taken.conversationId).then(all => look(all.find(({ id }) => id === taken.id) ?? taken))
  })
}

function sentLine(person: Person, receipts: SentReceipt[]): string {
  const nodes = new Set(receipts.map(receipt => receipt.node)).size
  return nodes === 0 ? 'Kept on this device.' : `Sent to ${nameOf(person)}, kept by ${nodes} node(s).`
}

/** Waits for the receipts: the recipient may read a message before the last receipt is back. */
async function receiptsOf(peer: NodePeer, message: ChatMessage, signal: AbortSignal): Promise<SentReceipt[]> {
  for (;;) {
    const receipts = await peer.receipts(message.id)
    if (receipts.length > 0 || message.state === 'waiting' || message.state === 'failed' || signal.aborted)
      return receipts
    if ((await peer.snapshot()).status.waiting === 0) return peer.receipts(message.id)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}

async function listen(peer: NodePeer, command: CommandOf<'listen'>, output: Output): Promise<number> {
  await requireRegistered(peer)
  const wanted = command.count ?? Infinity
  let printed = 0
  const finished = Promise.withResolvers<number>()
  const timer =
    command.timeoutMs === undefined
      ? undefined
      : setTimeout(() => finished.resolve(command.count === undefined ? DONE : TIMED_OUT), command.timeoutMs)
  const interrupted = (): void => finished.resolve(command.count === undefined ? DONE : FAILED)
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)

  let running: Promise<void> | undefined
  let again = false
  const drain = async (): Promise<void> => {
    for (;;) {
      again = false
      const line = await peer.unheard(Math.min(wanted - printed, LISTEN_PAGE))
      for (const unheard of line) {
        const { message, person } = unheard
        const self = await me(peer)
        await output.print(messageJson(message, person, self), messageLine(message, person, self))
        await peer.markHeard(unheard)
        if (++printed >= wanted) return finished.resolve(DONE)
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

async function messages(peer: NodePeer, command: CommandOf<'messages'>, output: Output): Promise<number> {
  await requireRegistered(peer)
  const signal = AbortSignal.timeout(command.timeoutMs ?? SEND_TIMEOUT_MS)
  const person = await orTimeout(signal, 'find', () => findPerson(peer, command.with, signal))
  await peer.caughtUp(Math.min(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS, LOOK_UP_TIMEOUT_MS))
  const { id } = await peer.openConversation(person.accountId)
  const self = await me(peer)
  const pages: ChatMessage[][] = []
  let before: string | undefined
  for (;;) {
    const page = await peer.messages(id, { limit: 200, ...(before === undefined ? {} : { before }) })
    if (page.length === 0) break
    pages.unshift(page)
    before = page[0]!.id
  }
  for (const message of pages.flat()) {
    await output.print(messageJson(message, person, self), messageLine(message, person, self))
  }
  return DONE
}

async function whoami(peer: NodePeer, command: CommandOf<'whoami'>, output: Output): Promise<number> {
  await requireRegistered(peer)
  await peer.refreshMe(Math.min(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS, LOOK_UP_TIMEOUT_MS))
  const self = await me(peer)
  await output.print(
    { ...meJson(self), data: command.data },
    `${nameOf(self)}\nAccount  ${self.accountId}\nDevice   ${self.deviceId} (${self.deviceName})\n` +
      `Record   ${recordLine(self.record)}\nUsername ${self.nameState}`
  )
  return DONE
}

async function name(peer: NodePeer, command: CommandOf<'name'>, output: Output): Promise<number> {
  await requireLive(peer)
  const deadline = Date.now() + (command.timeoutMs ?? REGISTER_TIMEOUT_MS)
  const signal = AbortSignal.timeout(deadline - Date.now())
  await orTimeout(signal, 'claim-name', async () => {
    if (!(await peer.online(deadline - Date.now()))) throw commandError('no-node-in-time', {})
    await peer.refreshMe(LOOK_UP_TIMEOUT_MS)
    return peer.claimName(command.username)
  })
  const findable = await peer.settleName(Math.max(0, Math.min(NAME_WAIT_MS, deadline - Date.now())))
  const self = await me(peer)
  await output.print(
    { ...meJson(self), findable },
    findable
      ? `Others can find you as @${command.username}.`
      : `@${command.username} is being reserved; it is finished by the next command.`
  )
  return DONE
}

async function status(peer: NodePeer, output: Output): Promise<number> {
  await peer.caughtUp(LOOK_UP_TIMEOUT_MS)
  const { stage, me: self, status: now } = await peer.snapshot()
  await output.print(
    { stage, username: self?.username ?? null, accountId: self?.accountId ?? null, ...now },
    [
      self ? `Registered as ${nameOf(self)}` : 'Not registered',
      `Connection  ${now.connection}${now.node === null ? '' : ` to ${now.node}`}`,
      `Network     ${now.network ? `${printable(now.network.label)}, ${now.listedNodes} listed node(s), epoch ${now.epoch}` : 'unknown'}`,
      `Waiting     ${now.waiting} message(s)`,
      ...(now.problem === null ? [] : [`Problem     ${statusProblemWords(now.problem)}`])
    ].join('\n')
  )
  return DONE
}

async function devices(peer: NodePeer, command: CommandOf<'devices'>, output: Output): Promise<number> {
  await requireRegistered(peer)
  await peer.refreshMe(Math.min(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS, LOOK_UP_TIMEOUT_MS))
  for (const device of await peer.devices()) await output.print(deviceJson(device), deviceLine(device))
  return DONE
}

async function revoke(peer: NodePeer, command: CommandOf<'revoke'>, output: Output): Promise<number> {
  await requireLive(peer)
  const timeoutMs = command.timeoutMs ?? SEND_TIMEOUT_MS
  const signal = AbortSignal.timeout(timeoutMs)
  const removed = await orTimeout(signal, 'remove-device', async () => {
    if (!(await peer.online(timeoutMs))) throw commandError('no-node-in-time', {})
    await peer.refreshMe(LOOK_UP_TIMEOUT_MS)
    const named = (await peer.devices()).filter(({ deviceId }) => deviceId.startsWith(command.device))
    const [device, ...more] = named
    if (!device) throw commandError('device-unknown', { device: command.device })
    if (more.length > 0) throw commandError('device-ambiguous', { device: command.device, matches: named.length })
    if (device.isThis && !command.yes && device.removed === null) {
      throw commandError('device-is-this', {})
    }
    return peer.revokeDevice(device.deviceId)
  })
  await output.print(deviceJson(removed), deviceLine(removed))
  return DONE
}

function meJson(self: Me): object {
  const { accountId, deviceId, username, displayName, deviceName, nameState, record } = self
  return { accountId, deviceId, username, displayName, deviceName, nameState, record }
}

async function requireRegistered(peer: NodePeer): Promise<void> {
  if ((await peer.snapshot()).stage !== 'ready') {
    throw commandError('nobody-registered', {})
  }
}

/** @throws PeerError `held` on a device that was removed: no node lets it in. */
async function requireLive(peer: NodePeer): Promise<void> {
  await requireRegistered(peer)
  if ((await me(peer)).deviceState === 'live') return
  throw new PeerError('held', { reason: 'device-removed', username: null })
}

async function me(peer: NodePeer): Promise<Me> {
  return (await peer.snapshot()).me!
}

/** Looks a person up. Tries again while no node can be reached. */
async function findPerson(peer: NodePeer, query: string, signal: AbortSignal): Promise<Person> {
  const name = /^[0-9a-f]{64}$/.test(query) || query.startsWith('@') ? query : `@${query}`
  for (;;) {
    try {
      const person = await peer.findPerson(name)
      if (person) return person
      throw commandError('nobody-found', { person: name })
    } catch (error) {
      if (!(error instanceof PeerError) || error.code !== 'offline') throw error
    }
    await new Promise(resolve => setTimeout(resolve, 300))
    if (signal.aborted) throw commandError('person-not-asked-in-time', { person: name })
  }
}

/** @throws CommandError `timed-out` once the signal fires before `work` is done. */
async function orTimeout<T>(signal: AbortSignal, task: TimedTask, work: () => Promise<T>): Promise<T> {
  const timedOut = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(commandError('timed-out', { task })))
  })
  timedOut.catch(() => undefined)
  return Promise.race([work(), timedOut])
}
