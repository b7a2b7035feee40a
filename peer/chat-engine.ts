/** Everything that a registered account does: starts and stops its parts in order, and hands on what they tell. */
import { toHex } from '../protocol/bytes.ts'
import { wakeAt } from '../protocol/conversation/sequencer.ts'
import type { Epoch } from '../protocol/wire/placement.ts'
import type { PersonMarks } from './peer-api.ts'
import { nextStatus, NOT_CONNECTED, type ConnectionStatus } from './network/connection-status.ts'
import type { NodeConnection } from './network/node-connection.ts'
import { sayLastWords } from './sending/last-words.ts'
import { ownShownId, shownIdOf } from './history/shown-id.ts'
import type { Conversation, MessageRow } from './store/conversation-entries.ts'
import { slots } from './store/store-layout.ts'
import { WaitingCount } from './history/waiting-count.ts'
import { createAreas } from './chat-areas.ts'
import type { ChatAreas, ChatComponents, ChatEvents } from './chat-components.ts'
import { createCoreParts, type CoreParts } from './chat-parts.ts'

/** What a registered account hands to its engine. */
export type ChatEngineInit = Pick<
  ChatEvents,
  'keepUnheard' | 'onChange' | 'onMessage' | 'onTransfer' | 'onTyping' | 'onPresence' | 'onBackupWork' | 'onEvent'
>

export class ChatEngine {
  readonly parts: CoreParts & ChatAreas
  readonly waiting = new WaitingCount()
  readonly #components: ChatComponents
  readonly #init: ChatEngineInit
  #status = NOT_CONNECTED
  #isRunning = false

  constructor(components: ChatComponents, init: ChatEngineInit) {
    this.#components = components
    this.#init = init
    const events: ChatEvents = {
      ...init,
      onMessage: row => this.#onMessage(row),
      onOnline: connection => this.#onOnline(connection),
      onStatus: status => this.#onStatus(status),
      onEpoch: (epoch, connection) => this.#onEpoch(epoch, connection),
      onMarked: set => this.#onMarked(set)
    }
    const core = createCoreParts(components, events, () => areas)
    const areas: ChatAreas = createAreas(components, events, core)
    this.parts = { ...core, ...areas }
  }

  get status(): ConnectionStatus {
    return this.#status
  }

  /** Opens what is on disk; the network follows by itself. */
  async start(): Promise<void> {
    this.#isRunning = true
    await this.parts.trust.load()
    await this.parts.marks.load(this.parts.directory)
    await this.parts.profiles.load()
    await this.parts.publicBook.load()
    await this.parts.firstWords.load()
    await this.parts.directory.load(this.#components.context.accountId())
    await this.parts.book.load()
    for (const conversation of await this.parts.conversations.load()) await this.#resumeGaps(conversation)
    await this.parts.late.start()
    await this.parts.outbox.start()
    await this.parts.sealer.start()
    await this.parts.pairs.start()
    await this.parts.ownDevices.start()
    await this.parts.receiver.start()
    await this.parts.files.start()
    await this.parts.backup.start()
    await this.parts.expiry.start()
    for (const id of [...this.parts.outbox.waitingMessages(), ...this.parts.files.waitingMessages()])
      this.waiting.add(id)
    for (const message of await this.parts.queue.shown())
      this.waiting.add(ownShownId(this.#components.context, message))
    this.parts.maintenance.start()
    this.parts.index.start()
    // A device that only shows a backup is let in by no node.
    if (!this.#components.access()) this.parts.keeper.start()
    this.parts.nameClaim.start()
    await this.parts.deviceRemoval.start()
    await this.parts.groups.finishLeaving()
    this.#init.onChange()
  }

  /** Waits for missing messages that an earlier process began. */
  async #resumeGaps(conversation: Conversation): Promise<void> {
    const { conversationId } = conversation
    const { codec } = slots.sequencer('', '')
    for (const { value } of await this.parts.states.range('sequencer', toHex(conversationId), codec)) {
      const at = wakeAt(value)
      if (at === undefined) continue
      const senderAccount = this.parts.roster.ownerOf(conversation, value.deviceId)
      this.parts.inbox.resume({ conversationId, senderAccount, senderDevice: value.deviceId }, at)
    }
  }

  /** Hands in what is due, then ends every timer and connection. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return
    if (this.parts.keeper.connection) {
      await this.parts.presence.stop()
      await this.#sayLastWords()
    }
    this.#isRunning = false
    this.parts.maintenance.stop()
    this.parts.inbox.stop()
    await this.parts.receiver.stop()
    await this.parts.files.stop()
    await this.parts.backup.stop()
    this.parts.outbox.stop()
    await this.parts.sealer.stop()
    await this.parts.expiry.stop()
    await this.parts.ownDevices.stop()
    await this.parts.pairs.stop()
    await this.parts.nameClaim.stop()
    await this.parts.ownPicture.stop()
    await this.parts.groupPictures.stop()
    await this.parts.publicProfiles.stop()
    await this.parts.pictures.stop()
    await this.parts.deviceRemoval.stop()
    await this.parts.keeper.stop()
    await this.parts.index.stop()
    await this.parts.states.idle()
    await this.parts.erasure.stop()
  }

  #sayLastWords(): Promise<void> {
    const { context } = this.#components
    return sayLastWords({
      context,
      states: this.parts.states,
      sealer: this.parts.sealer,
      pairs: this.parts.pairs,
      outbox: this.parts.outbox,
      isOnline: () => this.parts.keeper.connection !== undefined
    })
  }

  /** A connection is authenticated. @returns whether this node keeps our mailbox. */
  async #onOnline(connection: NodeConnection): Promise<boolean> {
    connection.onEpoch(epoch => void this.#onEpoch(epoch, connection))
    void this.#onEpoch(connection.authenticated.epoch, connection)
    return this.parts.mailbox.attach(connection)
  }

  /** A node told its list. Never rejects. */
  async #onEpoch(epoch: Epoch, { node }: NodeConnection): Promise<void> {
    const { network, context } = this.#components
    try {
      await network.noteEpoch(epoch, node)
    } catch (error) {
      context.log.debug('a list of nodes could not be looked at', { reason: String(error) })
    }
  }

  #onStatus(next: ConnectionStatus): void {
    const { state, problem } = next
    this.#status = nextStatus(this.#status, next)
    if (state === 'online') {
      this.parts.outbox.kick(true)
      this.parts.sealer.kick()
      this.parts.files.kick()
      this.parts.nameClaim.kick()
      this.parts.ownPicture.kick()
      this.parts.groupPictures.kick()
      this.parts.publicProfiles.kick()
      this.parts.deviceRemoval.kick()
      void this.parts.ownDevices.kick()
      void this.parts.maintenance.round()
    } else this.parts.mailbox.detach()
    if (problem?.code === 'device-removed' && this.parts.people.me().deviceState !== 'removed') {
      void this.parts.deviceRemoval.checkSelf()
    }
    // The list may be out of date, such as after a devnet moved to other ports.
    if (state === 'offline' && this.#isRunning) void this.#components.network.tryRefresh()
    this.#init.onChange()
  }

  /** What is due to a person who may be told now goes out; a new delivery token is handed in. */
  #onMarked(set: readonly (keyof PersonMarks)[]): void {
    this.#init.onChange()
    if (set.includes('answer') || set.includes('blocked')) this.parts.pairs.resume()
    if (set.includes('blocked')) void this.parts.maintenance.round()
  }

  /** Whether nothing of a conversation waits to be sealed, or for enough receipts. */
  isAllSent(conversationId: string): boolean {
    return !this.parts.queue.conversations().includes(conversationId) && !this.parts.outbox.isIn(conversationId)
  }

  /** Something that held messages back may have gone. */
  resume(): void {
    this.parts.sealer.kick()
  }

  #onMessage(row: MessageRow): void {
    this.parts.conversations.noteMessage(row)
    this.waiting.note(shownIdOf(this.#components.context, row), row)
    if (row.line?.kind === 'group' && row.line.what === 'left' && row.mine) void this.parts.groups.finishLeaving()
    this.#init.onMessage(row)
    this.#init.onChange()
  }
}
