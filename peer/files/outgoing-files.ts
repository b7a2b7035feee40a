/**
 * Own files on their way to nodes. The stored form is on this device before the message is shown; the message itself is sealed
 * once a node has the file, so a receiver who sees it can fetch it.
 *
 *     taken ──▶ waiting ── first node has it ──▶ sent ── a node of another operator has it, or will not ──▶ gone
 *                 │  ▲                        (message sealed)
 *         stopped │  │ tried again
 *                 ▼  │
 *               stopped (message failed)
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { MessageBody, MessageId } from '../../protocol/conversation/message.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { MessageLog } from '../history/message-log.ts'
import { ownShownId } from '../history/shown-id.ts'
import type { ObjectClient } from '../objects/object-client.ts'
import { ObjectRefusal, type ObjectNode } from '../objects/signed-requests.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import type { ObjectInMaking } from '../objects/object-in-making.ts'
import { uploadObject, type Outgoing } from '../objects/object-upload.ts'
import type { FileTransfer } from '../peer-api.ts'
import type { LocalObjects } from '../ports.ts'
import type { MessageProblem } from '../problems.ts'
import type { FileUpload } from '../store/file-entry.ts'
import { fileSlots, uploadEntry } from '../store/file-slots.ts'
import type { MessageRow, ShownId } from '../store/conversation-entries.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { bodyOfFile } from './file-message.ts'
import { EarlyUpload } from './early-upload.ts'
import type { LocalCopies } from './local-copies.ts'

/** Files that are uploaded at a time: a voice note does not wait for a film. */
const UPLOADS_AT_ONCE = 2
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** Attempts to leave a copy with a second operator, after which one is enough. */
const MAX_COPY_ATTEMPTS = 4

/** Names of local copies that name an upload too; earlier versions had shorter ones. */
const UPLOAD_NAME = /^[0-9a-f]{64}$/

/** Puts a message into the queue that is sealed. */
export interface MessageQueue {
  enqueue(
    unit: UnitOfWork,
    conversationId: ConversationId,
    body: MessageBody,
    options: { messageId: MessageId; shown: boolean; sentAt: number; expiresAfter: number | null }
  ): Promise<void>
}

export interface OutgoingFilesComponents {
  context: EngineContext
  states: StateStore
  history: MessageLog
  sealer: MessageQueue
  objects: LocalObjects
  copies: LocalCopies
  client: ObjectClient
  nodes: ObjectNodes
  onTransfer: (transfer: FileTransfer) => void
}

interface Entry {
  id: ShownId
  upload: FileUpload
  attempts: number
  /** Whether nodes may have the file from an earlier attempt, or from another message. */
  mayBeThere: boolean
  /** On the monotonic clock; -Infinity for at once. */
  nextTry: number
  running: AbortController | undefined
  /** An attempt that was begun before there was a message. */
  early?: EarlyUpload | undefined
}

/** What came of one attempt at one node. */
type Outcome = 'stored' | 'later' | MessageProblem

export class OutgoingFiles {
  readonly #components: OutgoingFilesComponents
  readonly #entries = new Map<ShownId, Entry>()
  readonly #running = new Set<Promise<void>>()
  readonly #early = new Set<EarlyUpload>()
  #cancelTimer: (() => void) | undefined
  #stopped = true

  constructor(components: OutgoingFilesComponents) {
    this.#components = components
  }

  async start(): Promise<void> {
    const uploads = await this.#components.states.all('upload', uploadEntry)
    for (const upload of uploads.sort((a, b) => a.takenAt - b.takenAt)) this.#add(upload, true)
    this.#stopped = false
    this.#pump()
  }

  /** Ends what is under way; the next start goes on with it. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer?.()
    for (const { running } of this.#entries.values()) running?.abort()
    for (const early of this.#early) early.stop()
    await Promise.all(this.#running)
  }

  /** Messages whose file no node has yet. */
  waitingMessages(): ShownId[] {
    return [...this.#entries.values()].filter(({ upload }) => upload.state === 'waiting').map(({ id }) => id)
  }

  /** Hashes of files that are still to be handed out, lower-case hex. */
  hashes(): Set<string> {
    return new Set([...this.#entries.values()].map(({ upload }) => toHex(upload.hash)))
  }

  /**
   * Writes an upload into the queue as part of a unit of work.
   * @param mayBeThere - false for a file that no node was ever handed.
   */
  put(
    unit: UnitOfWork,
    upload: FileUpload,
    { mayBeThere, early }: { mayBeThere: boolean; early?: EarlyUpload | undefined }
  ): void {
    unit.write(fileSlots.upload(this.#idOf(upload)), upload)
    unit.after(() => {
      this.#add(upload, mayBeThere, early)
      this.#pump()
    })
  }

  /**
   * Begins to hand out a file that is still being encrypted.
   * @returns undefined if no node is connected, or enough is under way.
   */
  beginEarly(stored: ObjectInMaking): EarlyUpload | undefined {
    const { client, nodes } = this.#components
    const [node] = nodes.forUpload()
    if (!node || this.#stopped || this.#running.size >= UPLOADS_AT_ONCE) return undefined
    const hash = async (): Promise<string> => toHex(await stored.hash)
    const read: Outgoing['read'] = (start, length, into) => stored.read(start, length, into)
    const object = { name: stored.localName, hash, read, size: stored.size, purpose: 'file' as const }
    const early = new EarlyUpload(node, (signal, onProgress) =>
      uploadObject(client, node, object, { signal, onProgress, mayBeThere: false }).finally(() =>
        this.#early.delete(early)
      )
    )
    this.#early.add(early)
    return early
  }

  /** Tries now what pauses, as after a new connection. */
  kick(): void {
    for (const entry of this.#entries.values()) entry.nextTry = -Infinity
    this.#pump()
  }

  /** Stops an upload that no node has whole; its message fails. @returns whether there was one. */
  async halt(id: ShownId): Promise<boolean> {
    const entry = this.#entries.get(id)
    if (entry?.upload.state !== 'waiting') return false
    await this.#fail(entry, 'file-stopped')
    entry.running?.abort()
    entry.early?.stop()
    return true
  }

  /** Takes up a message that failed. @returns false if its upload is over: the message alone is to be sent again. */
  async retry(unit: UnitOfWork, row: MessageRow): Promise<boolean> {
    const upload = await unit.read(fileSlots.upload(this.#idOf(row)))
    if (upload?.state !== 'stopped') return false
    this.put(unit, { ...upload, state: 'waiting' }, { mayBeThere: true })
    return true
  }

  #idOf({ conversationId, messageId }: { conversationId: Uint8Array; messageId: Uint8Array }): ShownId {
    const origin = { conversationId: conversationId as ConversationId, messageId: messageId as MessageId }
    return ownShownId(this.#components.context, origin)
  }

  #add(upload: FileUpload, mayBeThere: boolean, early?: EarlyUpload): void {
    const id = this.#idOf(upload)
    this.#entries.set(id, { id, upload, mayBeThere, early, attempts: 0, nextTry: -Infinity, running: undefined })
  }

  #pump(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#stopped) return
    const { timers } = this.#components.context
    const now = timers.monotonic()
    const idle = [...this.#entries.values()].filter(({ running, upload }) => !running && upload.state !== 'stopped')
    // A further copy waits for the files that nobody has.
    const due = idle.filter(({ nextTry }) => nextTry <= now).sort((a, b) => rankOf(a) - rankOf(b))
    for (const entry of due.slice(0, Math.max(0, UPLOADS_AT_ONCE - this.#running.size))) this.#begin(entry)
    const next = Math.min(...idle.filter(({ nextTry }) => nextTry > now).map(({ nextTry }) => nextTry))
    if (next < Infinity) this.#cancelTimer = timers.after(next - now, () => this.#pump())
  }

  #begin(entry: Entry): void {
    const controller = (entry.running = new AbortController())
    const run = this.#attempt(entry, controller.signal)
      .catch((error: unknown) => {
        // The store cannot write. It still has the entry as it was.
        this.#components.context.log.warn('an upload could not be noted', { reason: String(error) })
        this.#later(entry)
      })
      .finally(() => {
        entry.running = undefined
        this.#running.delete(run)
        this.#pump()
      })
    this.#running.add(run)
  }

  /** Hands the file to one node that does not have it. */
  async #attempt(entry: Entry, signal: AbortSignal): Promise<void> {
    const { nodes } = this.#components
    const targets = nodes.forUpload().filter(({ key }) => !isAmong(key, entry.upload.storedAt))
    if (targets.length === 0) return entry.upload.state === 'sent' ? this.#end(entry) : this.#later(entry)
    let outcome: Outcome = 'later'
    const { early } = entry
    // Tried once; another attempt finds what it has left.
    entry.early = undefined
    const first = early?.node
    if (first) targets.sort((a, b) => Number(b.key === first.key) - Number(a.key === first.key))
    for (const node of targets) {
      outcome = await this.#handTo(node, entry, signal, node.key === first?.key ? early : undefined)
      if (signal.aborted) return
      if (outcome === 'stored') return this.#stored(entry, node)
    }
    if (entry.upload.state === 'sent') return this.#copyFailed(entry)
    if (outcome === 'later') return this.#later(entry)
    await this.#fail(entry, outcome)
  }

  async #handTo(
    node: ObjectNode,
    { id, upload, mayBeThere }: Entry,
    signal: AbortSignal,
    early: EarlyUpload | undefined
  ): Promise<Outcome> {
    const { client, objects, copies, onTransfer, context } = this.#components
    const { hash, size, state } = upload
    const copy = await copies.find(hash)
    if (!copy?.isWhole) return 'file-lost'
    const onProgress = (doneBytes: number): void => {
      if (state === 'waiting') onTransfer({ messageId: id, direction: 'upload', doneBytes, totalBytes: size })
    }
    try {
      if (early) {
        await early.end(signal, onProgress)
        return 'stored'
      }
      const { localName } = copy
      const read: Outgoing['read'] = (start, length, into) => objects.read(localName, start, length, into)
      const name = UPLOAD_NAME.test(localName) ? localName : toHex(hash)
      const object = { name, hash: async () => toHex(hash), read, size, purpose: 'file' as const }
      await uploadObject(client, node, object, { signal, onProgress, mayBeThere })
      return 'stored'
    } catch (error) {
      if (signal.aborted) return 'later'
      context.log.debug('a node did not take a file', { reason: String(error) })
      return outcomeOf(error)
    }
  }

  /** A node has the file: its message is sealed, or the further copy is noted. */
  async #stored(entry: Entry, node: ObjectNode): Promise<void> {
    const { states, context, nodes } = this.#components
    const isFirst = entry.upload.state === 'waiting'
    const storedAt = [...entry.upload.storedAt, node.key]
    const upload: FileUpload = { ...entry.upload, storedAt, state: 'sent' }
    const named = [...storedAt, ...nodes.forUpload().map(({ key }) => key)].filter(isFirstOf).slice(0, 2)
    await states.unit(async unit => {
      if (isFirst) await this.#send(unit, entry, named)
      unit.write(fileSlots.upload(entry.id), upload)
      unit.after(() => {
        Object.assign(entry, { upload, attempts: 0, nextTry: context.timers.monotonic() })
      })
    })
  }

  async #send(unit: UnitOfWork, { id, upload }: Entry, nodes: Uint8Array[]): Promise<void> {
    const { history, sealer, context } = this.#components
    const row = await history.update(unit, id, current => {
      return current.file ? { ...current, problem: null, file: { ...current.file, nodes } } : undefined
    })
    if (!row?.file) return
    const { hash, size, key } = row.file
    const sent = { hash, size, key, nodes, uploadedAt: context.timers.now() }
    unit.write(fileSlots.sentFile(size, toHex(upload.hash)), sent)
    const { messageId, conversationId, sentAt, expiresAfter } = row
    const options = { messageId, shown: true, sentAt, expiresAfter }
    await sealer.enqueue(unit, conversationId, bodyOfFile(row.file, row.text), options)
  }

  #copyFailed(entry: Entry): Promise<void> | void {
    this.#later(entry)
    if (entry.attempts >= MAX_COPY_ATTEMPTS) return this.#end(entry)
  }

  async #end(entry: Entry): Promise<void> {
    await this.#components.states.unit(async unit => {
      unit.remove(fileSlots.upload(entry.id))
      unit.after(() => this.#entries.delete(entry.id))
    })
  }

  #later(entry: Entry): void {
    entry.attempts++
    // The answer may have been lost, not the file.
    entry.mayBeThere = true
    const pause = Math.min(FIRST_RETRY_MS * 2 ** (entry.attempts - 1), MAX_RETRY_MS)
    entry.nextTry = this.#components.context.timers.monotonic() + pause
  }

  async #fail(entry: Entry, problem: MessageProblem): Promise<void> {
    const { states, history } = this.#components
    const upload: FileUpload = { ...entry.upload, state: 'stopped' }
    await states.unit(async unit => {
      unit.write(fileSlots.upload(entry.id), upload)
      await history.update(unit, entry.id, row =>
        row.state === 'waiting' ? { ...row, state: 'failed', problem } : undefined
      )
      unit.after(() => (entry.upload = upload))
    })
  }
}

const rankOf = ({ upload }: Entry): number => (upload.state === 'waiting' ? 0 : 1)
const isAmong = (key: Uint8Array, keys: readonly Uint8Array[]): boolean => keys.some(other => equalBytes(key, other))
const isFirstOf = (key: Uint8Array, index: number, all: Uint8Array[]): boolean =>
  all.findIndex(other => equalBytes(key, other)) === index

/** Whether it is worth another attempt. A full storage is not: the person frees some, and tries again. */
function outcomeOf(error: unknown): Outcome {
  if (error instanceof PeerError && error.code === 'store') return 'file-lost'
  if (!(error instanceof ObjectRefusal)) return 'later'
  switch (error.code) {
    case 'over-quota':
    case 'disk-full':
      return 'storage-full'
    case 'too-large':
    case 'malformed':
      return 'file-refused'
    default:
      return 'later'
  }
}
