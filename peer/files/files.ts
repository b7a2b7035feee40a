import type { ListedNode } from '../../protocol/wire/placement.ts'
import type { EngineContext } from '../engine-context.ts'
import type { MessageLog } from '../history/message-log.ts'
import { ObjectClient } from '../objects/object-client.ts'
import type { SignedRequests } from '../objects/signed-requests.ts'
import { ObjectNodes } from '../objects/object-nodes.ts'
import type { FileTransfer } from '../peer-api.ts'
import type { LocalObjects } from '../ports.ts'
import type { MessageFile } from '../store/file-entry.ts'
import type { MessageRow, ShownId } from '../store/conversation-entries.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import { FileCalls, type OwnMessages } from './file-calls.ts'
import { FileIntake } from './file-intake.ts'
import { IncomingFiles } from './incoming-files.ts'
import { LocalCopies } from './local-copies.ts'
import { OutgoingFiles, type MessageQueue } from './outgoing-files.ts'

export interface FilesComponents {
  context: EngineContext
  states: StateStore
  history: MessageLog
  sealer: MessageQueue
  objects: LocalObjects
  requests: SignedRequests
  own: OwnMessages
  /** The node of the connection. */
  node: () => ListedNode | undefined
  onTransfer: (transfer: FileTransfer) => void
}

/** The files of messages: builds the parts, starts and stops them together. */
export class Files {
  readonly calls: FileCalls
  readonly #copies: LocalCopies
  readonly #outgoing: OutgoingFiles
  readonly #incoming: IncomingFiles

  constructor(components: FilesComponents) {
    const { context, states, objects, requests, node, own } = components
    const client = new ObjectClient(requests)
    const nodes = new ObjectNodes(context, node)
    const copies = (this.#copies = new LocalCopies({ context, states, objects }))
    const shared = { ...components, copies, client, nodes }
    const outgoing = (this.#outgoing = new OutgoingFiles(shared))
    const incoming = (this.#incoming = new IncomingFiles(shared))
    const intake = new FileIntake(context, { states, objects, copies })
    this.calls = new FileCalls({ context, states, objects, copies, intake, outgoing, incoming, own })
  }

  async start(): Promise<void> {
    await this.#copies.sweep()
    await this.#outgoing.start()
  }

  async stop(): Promise<void> {
    await this.#outgoing.stop()
    await this.#incoming.stop()
  }

  /** There is a connection: what waits is tried at once. */
  kick(): void {
    this.#outgoing.kick()
  }

  /** Messages whose file no node has yet. */
  waitingMessages(): ShownId[] {
    return this.#outgoing.waitingMessages()
  }

  /** See {@link LocalCopies.erase}. */
  erase(unit: UnitOfWork, file: MessageFile): Promise<void> {
    return this.#copies.erase(unit, file)
  }

  /** See {@link OutgoingFiles.retry}. */
  retry(unit: UnitOfWork, row: MessageRow): Promise<boolean> {
    return this.#outgoing.retry(unit, row)
  }
}
