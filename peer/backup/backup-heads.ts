/** Finds the newest head of the own backup among the nodes, and replaces it. */
import { toHex } from '../../protocol/bytes.ts'
import { BackupError } from '../../protocol/backup/backup-error.ts'
import {
  decodeBackupHead,
  encodeBackupHead,
  openBackupHead,
  sealBackupHead,
  type BackupHead,
  type BackupHeadContent,
  type BackupLock
} from '../../protocol/backup/backup-head.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import type { ObjectNode, SignedRequests } from '../objects/signed-requests.ts'
import { fetchHead, putHead } from './head-client.ts'

/** Nodes that are asked for a head. */
export const MAX_HEAD_NODES = 12

/** A head that was opened. */
export interface FoundHead {
  head: BackupHead
  content: BackupHeadContent
  hash: Uint8Array
}

/** What the nodes said. */
export interface HeadSurvey {
  /** The newest that the key opens. */
  found: FoundHead | undefined
  /** The newest that it does not open: another key made it, or something changed it. */
  foreign: BackupHead | undefined
  /** Of nodes that did not answer, or answered something else. */
  failures: unknown[]
  answers: number
}

export interface BackupHeadsComponents {
  context: EngineContext
  requests: SignedRequests
  nodes: ObjectNodes
}

export class OwnBackupHeads {
  readonly #components: BackupHeadsComponents

  constructor(components: BackupHeadsComponents) {
    this.#components = components
  }

  /** @param backupKey - undefined for a device that has none yet. */
  async survey(backupKey: Uint8Array | undefined): Promise<HeadSurvey> {
    const { nodes, requests } = this.#components
    const asked = nodes.forDownload([]).slice(0, MAX_HEAD_NODES)
    const told = await Promise.allSettled(asked.map(node => fetchHead(requests, node, this.#account)))
    const survey: HeadSurvey = { found: undefined, foreign: undefined, failures: [], answers: 0 }
    for (const answer of told) {
      if (answer.status === 'rejected') survey.failures.push(answer.reason)
      else {
        survey.answers++
        if (answer.value) await this.#take(survey, answer.value, backupKey)
      }
    }
    return survey
  }

  async #take(survey: HeadSurvey, bytes: Uint8Array, backupKey: Uint8Array | undefined): Promise<void> {
    const { context } = this.#components
    try {
      const head = decodeBackupHead(bytes)
      const content = backupKey && (await this.#opened(backupKey, head))
      if (!content) {
        if (!survey.foreign || head.counter > survey.foreign.counter) survey.foreign = head
      } else if (!survey.found || head.counter > survey.found.head.counter) {
        survey.found = { head, content, hash: context.crypto.sha256(bytes) }
      }
    } catch (error) {
      if (!(error instanceof BackupError)) throw error
      survey.failures.push(error)
    }
  }

  async #opened(backupKey: Uint8Array, head: BackupHead): Promise<BackupHeadContent | undefined> {
    const { context } = this.#components
    try {
      return await openBackupHead(sessionEnvironment(context), context.accountId(), backupKey, head)
    } catch (error) {
      if (error instanceof BackupError) return undefined
      throw error
    }
  }

  /**
   * Hands a new head to nodes.
   * @returns its hash, and the nodes that took it.
   * @throws what the last node said if none took it.
   */
  async publish(
    targets: ObjectNode[],
    backupKey: Uint8Array,
    { lock, counter, content }: { lock: BackupLock; counter: number; content: BackupHeadContent }
  ): Promise<{ hash: Uint8Array; taken: ObjectNode[] }> {
    const { context, requests } = this.#components
    const accountId: AccountId = context.accountId()
    const env = sessionEnvironment(context)
    const bytes = encodeBackupHead(await sealBackupHead(env, backupKey, { accountId, ...lock, counter }, content))
    const taken: ObjectNode[] = []
    let failure: unknown
    for (const node of targets) {
      try {
        await putHead(requests, node, this.#account, bytes)
        taken.push(node)
      } catch (error) {
        failure = error
      }
    }
    if (taken.length === 0) throw failure
    return { hash: context.crypto.sha256(bytes), taken }
  }

  get #account(): string {
    return toHex(this.#components.context.accountId())
  }
}
