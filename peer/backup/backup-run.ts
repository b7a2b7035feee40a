/**
 * Makes a backup. What is there already and has not changed is named again, not stored again. The head is replaced last, so a
 * run that ends anywhere leaves the backup before it whole; what it stored is found by the next run, and removed.
 *
 *     head of the nodes ──▶ parts ──▶ files of messages ──▶ manifest ──▶ head ──▶ what is named no more is removed
 */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import {
  decodeBackupManifest,
  encodeBackupManifest,
  encodeBackupSegment,
  type BackupManifest,
  type BackupSegmentEntry
} from '../../protocol/backup/backup-contents.ts'
import { MAX_BACKUP_SERIES, type BackupSeries } from '../../protocol/backup/backup-head.ts'
import { fileLayout } from '../../protocol/files/file-layout.ts'
import { FILE_LIFE_MS } from '../../protocol/limits.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { LocalCopies } from '../files/local-copies.ts'
import { readWhole } from '../objects/encrypted-content.ts'
import type { ObjectClient } from '../objects/object-client.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import type { Outgoing } from '../objects/object-upload.ts'
import { ObjectReader } from '../objects/object-reader.ts'
import { ObjectRefusal, type ObjectNode, type SignedRequests } from '../objects/signed-requests.ts'
import type { LocalObjects } from '../ports.ts'
import {
  backupSlots,
  DEFAULT_BACKUP_CHOICES,
  type BackupChoices,
  type BackupKeyState,
  type LastBackup
} from '../store/backup-slots.ts'
import type { StateStore } from '../store/state-store.ts'
import type { FoundHead, OwnBackupHeads } from './backup-heads.ts'
import type { BackupKey } from './backup-key.ts'
import type { BackupPart, BackupParts } from './backup-parts.ts'
import { AtOnce } from './at-once.ts'
import { BackupTargets } from './backup-targets.ts'
import { pause } from './pause.ts'

/** Another device of the account may replace the head meanwhile. */
const MAX_HEAD_ATTEMPTS = 4
/** Objects that are on their way at a time: many are small, and wait for the node's disk. */
const OBJECTS_AT_ONCE = 4
/** Objects that one listing of a node names, and listings that are read. */
const LISTED = 1_000
const MAX_LISTINGS = 20

/** Hears how many parts of the history are done, and about how many there are. */
type OnProgress = (done: number, total: number) => void

export interface BackupRunComponents {
  context: EngineContext
  states: StateStore
  objects: LocalObjects
  copies: LocalCopies
  client: ObjectClient
  requests: SignedRequests
  nodes: ObjectNodes
  heads: OwnBackupHeads
  key: BackupKey
  parts: BackupParts
}

export const NO_BACKUP: LastBackup = {
  counter: 0,
  headHash: new Uint8Array(32),
  createdAt: 0,
  chats: 0,
  messages: 0,
  files: 0,
  storedBytes: 0,
  uploadedBytes: 0,
  manifest: new Uint8Array(),
  nodes: [],
  covered: []
}

export class BackupRun {
  readonly #components: BackupRunComponents

  constructor(components: BackupRunComponents) {
    this.#components = components
  }

  /** @throws PeerError, BackupError, ObjectRefusal; the signal's reason. */
  async run(passphrase: string | null, signal: AbortSignal, onProgress: OnProgress): Promise<LastBackup> {
    const { states, heads, key, context } = this.#components
    const known = await key.load()
    const survey = await heads.survey(known?.backupKey)
    if (survey.answers === 0) throw new PeerError('offline', { origin: null })
    const preparing = key.prepare(passphrase, survey.foreign)
    // A first passphrase cannot be wrong: it is worked on beside the upload. Any other is compared before a byte goes out.
    if (known || survey.foreign || passphrase === null) await preparing
    else preparing.catch(() => undefined)
    const last = (await states.read(backupSlots.last())) ?? NO_BACKUP
    const before = last.manifest.length > 0 ? decodeBackupManifest(last.manifest) : undefined
    const targets = this.#targets(last, signal)
    const choices = (await states.read(backupSlots.choices())) ?? DEFAULT_BACKUP_CHOICES
    const manifest = await this.#manifest(before, targets, choices, onProgress)
    const encoded = encodeBackupManifest(manifest)
    const file = await targets.store(encoded)
    const chats = new Set(
      manifest.segments.flatMap(({ conversationId }) => (conversationId ? [toHex(conversationId)] : []))
    )
    const totals = {
      chats: chats.size,
      messages: manifest.segments.reduce((sum, { messages }) => sum + messages, 0),
      files: manifest.files.length,
      storedBytes: storedBytesOf(manifest)
    }
    const series: BackupSeries = {
      deviceId: context.device().deviceId,
      createdAt: manifest.createdAt,
      manifest: file,
      ...totals
    }
    const published = await this.#publish(await preparing, series, last, targets.nodes)
    const { counter, headHash, taken, others } = published
    const next: LastBackup = {
      ...totals,
      counter,
      headHash,
      createdAt: manifest.createdAt,
      uploadedBytes: targets.uploadedBytes,
      manifest: encoded,
      nodes: taken.map(node => node.key),
      covered: last.covered
    }
    await states.unit(async unit => unit.write(backupSlots.last(), next))
    await this.#removeUnnamed(taken, [...others, series], signal).catch((error: unknown) =>
      context.log.debug('what a backup names no more was not removed', { reason: String(error) })
    )
    return next
  }

  #targets(last: LastBackup, signal: AbortSignal): BackupTargets {
    const { context, client, objects, nodes } = this.#components
    const env = sessionEnvironment(context)
    return new BackupTargets(
      { env, client, objects, nodes, signal, pause: ms => pause(context.timers, ms, signal) },
      last.nodes
    )
  }

  /** Stores what is new, and names everything. */
  async #manifest(
    before: BackupManifest | undefined,
    targets: BackupTargets,
    { withFiles, leftOut }: BackupChoices,
    onProgress: OnProgress
  ): Promise<Omit<BackupManifest, 'version'>> {
    const { context, parts } = this.#components
    const known = new Map((before?.segments ?? []).map(entry => [nameOf(entry), entry]))
    const knownFiles = new Set((before?.files ?? []).map(({ hash }) => toHex(hash)))
    const segments: BackupSegmentEntry[] = []
    const files = new Map<string, { hash: Uint8Array; storedBytes: number }>()
    const seen = new Set<string>()
    const work = new AtOnce(OBJECTS_AT_ONCE)
    const skipped = new Set(leftOut.map(toHex))
    const total = await parts.count(skipped)
    const told = (): void => onProgress(segments.length, Math.max(total, segments.length))
    told()
    try {
      for await (const part of parts.all(skipped)) {
        await work.begin(async () => {
          segments.push(await this.#segment(part, known.get(nameOf(part)), targets))
          told()
        })
        for (const { hash, size } of withFiles ? part.files : []) {
          const name = toHex(hash)
          if (seen.has(name)) continue
          seen.add(name)
          const object = { hash, storedBytes: fileLayout(size).storedBytes }
          await work.begin(async () => {
            if (await this.#keepFile(object, knownFiles.has(name), targets)) files.set(name, object)
          })
        }
      }
    } finally {
      // What was begun must not go on behind the caller's back.
      await work.end()
    }
    return {
      accountId: context.accountId(),
      deviceId: context.device().deviceId,
      createdAt: context.timers.now(),
      segments: segments.sort((a, b) => b.newest - a.newest),
      files: [...seen].flatMap(name => files.get(name) ?? [])
    }
  }

  /** @returns false if nobody has the file any more. */
  async #keepFile(
    object: { hash: Uint8Array; storedBytes: number },
    isKnown: boolean,
    targets: BackupTargets
  ): Promise<boolean> {
    const { copies, objects } = this.#components
    const copy = isKnown ? undefined : await copies.find(object.hash)
    const read: Outgoing['read'] | undefined =
      copy?.isWhole === true ? (start, length, into) => objects.read(copy.localName, start, length, into) : undefined
    return targets.keep({ ...object, read }, isKnown)
  }

  async #segment(
    { conversationId, block, pieces, messages, newest }: BackupPart,
    known: BackupSegmentEntry | undefined,
    targets: BackupTargets
  ): Promise<BackupSegmentEntry> {
    const content = encodeBackupSegment(pieces)
    const digest = this.#components.context.crypto.sha256(content)
    if (known && equalBytes(known.digest, digest)) {
      const { hash, size } = known.file
      if (await targets.keep({ hash, storedBytes: fileLayout(size).storedBytes }, true)) return known
    }
    return { file: await targets.store(content), digest, conversationId, block, messages, newest }
  }

  /** Replaces the head; what other devices have backed up stays named. */
  async #publish(
    { backupKey, lock }: BackupKeyState,
    series: BackupSeries,
    last: LastBackup,
    targets: ObjectNode[]
  ): Promise<{ counter: number; headHash: Uint8Array; taken: ObjectNode[]; others: BackupSeries[] }> {
    const { heads } = this.#components
    for (let attempt = 1; ; attempt++) {
      const { found, foreign } = await heads.survey(backupKey)
      const counter = Math.max(last.counter, found?.head.counter ?? 0, foreign?.counter ?? 0) + 1
      const others = this.#others(found, series, last)
      const content = { createdAt: series.createdAt, series: [series, ...others] }
      try {
        const { hash, taken } = await heads.publish(targets, backupKey, { lock, counter, content })
        return { counter, headHash: hash, taken, others }
      } catch (error) {
        const isOvertaken = error instanceof ObjectRefusal && error.code === 'overtaken'
        if (!isOvertaken || attempt >= MAX_HEAD_ATTEMPTS) throw error
      }
    }
  }

  /** What other devices have backed up, but that which is in this backup too. */
  #others(found: FoundHead | undefined, own: BackupSeries, { covered }: LastBackup): BackupSeries[] {
    const isGone = ({ deviceId }: BackupSeries): boolean =>
      [own.deviceId, ...covered].some(device => equalBytes(device, deviceId))
    return (found?.content.series ?? []).filter(other => !isGone(other)).slice(0, MAX_BACKUP_SERIES - 1)
  }

  /** Removes objects of earlier backups, and of runs that did not end, from the nodes that have the new head. */
  async #removeUnnamed(targets: ObjectNode[], series: BackupSeries[], signal: AbortSignal): Promise<void> {
    const { client, context, copies } = this.#components
    const named = new Set<string>()
    for (const { manifest: file } of series) {
      named.add(toHex(file.hash))
      const manifest = await this.#read(file, signal)
      for (const { file: segment } of manifest.segments) named.add(toHex(segment.hash))
      for (const { hash } of manifest.files) named.add(toHex(hash))
    }
    for (const node of targets) {
      let after = ''
      for (let i = 0; i < MAX_LISTINGS; i++) {
        const { objects } = await client.list(node, after, signal)
        for (const { hash, purpose, storedAt } of objects) {
          if (purpose !== 'backup' || named.has(hash)) continue
          // The file of a message that is gone here may still be wanted by those who got it.
          const isWanted = storedAt > context.timers.now() - FILE_LIFE_MS && (await copies.find(fromHex(hash, 32)))
          if (!isWanted) await client.remove(node, hash, signal)
        }
        if (objects.length < LISTED) break
        after = objects.at(-1)!.hash
      }
    }
  }

  async #read(file: BackupSeries['manifest'], signal: AbortSignal): Promise<BackupManifest> {
    const { client, nodes, context } = this.#components
    const reader = new ObjectReader(client, toHex(file.hash), nodes.forDownload([]))
    return decodeBackupManifest(await readWhole(sessionEnvironment(context), reader, file, signal))
  }
}

const nameOf = ({ conversationId, block }: Pick<BackupPart, 'conversationId' | 'block'>): string =>
  `${conversationId ? toHex(conversationId) : ''}/${block}`

function storedBytesOf({ segments, files }: Pick<BackupManifest, 'segments' | 'files'>): number {
  const ofSegments = segments.reduce((sum, { file }) => sum + fileLayout(file.size).storedBytes, 0)
  return files.reduce((sum, { storedBytes }) => sum + storedBytes, ofSegments)
}
