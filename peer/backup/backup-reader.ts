/** Reads what an opened backup names, and checks it. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { decodeBackupSegment, type BackupSegmentEntry } from '../../protocol/backup/backup-contents.ts'
import { BackupError } from '../../protocol/backup/backup-error.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { FilePointer } from '../../protocol/files/encrypt-file.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { readWhole } from '../objects/encrypted-content.ts'
import { ObjectClient } from '../objects/object-client.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import { ObjectReader } from '../objects/object-reader.ts'
import { SignedRequests } from '../objects/signed-requests.ts'
import { decodePiece, type HistoryPiece } from '../own-devices/history-piece.ts'
import type { HttpClient } from '../ports.ts'
import type { OpenedBackup } from './backup-lookup.ts'
import { pause } from './pause.ts'

/** Times that every node is asked for an object while one of them does not answer. */
const ATTEMPTS = 5
const FIRST_RETRY_MS = 300

export interface BackupReaderComponents {
  context: EngineContext
  fetch: HttpClient
  nodes: ObjectNodes
  /** Of the storage of the user's own, if it is there. */
  iagonKey: () => string | undefined
}

export class BackupReader {
  readonly #components: BackupReaderComponents
  readonly #client: ObjectClient

  constructor(components: BackupReaderComponents, opened: Pick<OpenedBackup, 'accountId' | 'token'>) {
    const { context, fetch, iagonKey } = components
    this.#components = components
    const access = { account: toHex(opened.accountId), token: toHex(opened.token) }
    this.#client = new ObjectClient(new SignedRequests(context, fetch, () => access, iagonKey))
  }

  /** A node that fails now and then is asked again. @throws as `readWhole`. */
  async file(file: FilePointer, signal: AbortSignal): Promise<Uint8Array> {
    const { context, nodes } = this.#components
    for (let attempt = 1; ; attempt++) {
      const reader = new ObjectReader(this.#client, toHex(file.hash), nodes.forDownload([]))
      try {
        return await readWhole(sessionEnvironment(context), reader, file, signal)
      } catch (error) {
        const isPassing = error instanceof PeerError && error.code === 'offline'
        if (!isPassing || attempt >= ATTEMPTS) throw error
        await pause(context.timers, FIRST_RETRY_MS * 2 ** attempt, signal)
        signal.throwIfAborted()
      }
    }
  }

  /** The pieces of a segment. @throws BackupError `damaged`, `newer`. */
  async segment({ file, digest }: BackupSegmentEntry, signal: AbortSignal): Promise<HistoryPiece[]> {
    const content = await this.file(file, signal)
    if (!equalBytes(this.#components.context.crypto.sha256(content), digest)) {
      throw new BackupError('damaged', 'a part of the backup has another content')
    }
    try {
      return decodeBackupSegment(content).map(decodePiece)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      throw new BackupError(error.code === 'UNSUPPORTED_VERSION' ? 'newer' : 'damaged', error.message, { cause: error })
    }
  }
}
