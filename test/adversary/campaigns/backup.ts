/**
 * A large history with files is backed up to a real node and restored into an empty folder, while requests for objects fail at
 * random: before the node hears of them, after it has done them, or with a refusal. Everything must come back, byte for byte.
 */
import { createHash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fromHex, toHex } from '../../../protocol/bytes.ts'
import { createNodeCrypto } from '../../../protocol/crypto/backends/node-crypto.ts'
import { encryptFile } from '../../../protocol/files/encrypt-file.ts'
import { fileLayout } from '../../../protocol/files/file-layout.ts'
import type { AccountId, DeviceId } from '../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../protocol/network.ts'
import type { EngineContext } from '../../../peer/engine-context.ts'
import { conversationOf } from '../../../peer/groups/conversation-roster.ts'
import { shownIdOf } from '../../../peer/history/shown-id.ts'
import { createNodeFetch } from '../../../peer/network/node-bulk-http.ts'
import { createNodePeer, type NodePeer } from '../../../peer/node-peer.ts'
import type { HttpClient } from '../../../peer/ports.ts'
import { FolderObjects, OBJECT_FOLDER } from '../../../peer/objects/folder-objects.ts'
import type { MessageFile } from '../../../peer/store/file-entry.ts'
import { fileSlots } from '../../../peer/store/file-slots.ts'
import { EMPTY_CONVERSATION, orderOf } from '../../../peer/store/conversation-entries.ts'
import { StateStore } from '../../../peer/store/state-store.ts'
import { slots } from '../../../peer/store/store-layout.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { registerPeer } from '../../support/network/real-processes/network-peers.ts'
import { NodeProcess, temporaryFolder } from '../../support/network/real-processes/node-process.ts'
import { filledRow, openPeerFolder } from '../../support/peer/filled-store.ts'

const MIB = 1024 * 1024
/** One GiB is 500 files and 100,000 messages. */
const FILES_OF_MIB = 500 / 1024
const MESSAGES_OF_MIB = 100_000 / 1024
const BATCH = 250
const PASSPHRASE = 'correct horse battery staple'
/** Requests for objects of which one fails. */
const FAILS_ONE_OF = 12
const ATTEMPTS = 8
const SAMPLE_MS = 500
const PATIENCE_MS = 60_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of heap and buffers in use at most, above what was at the beginning. */
class MemoryWatch {
  readonly #base = MemoryWatch.#inUse()
  #peak = 0
  readonly #timer = setInterval(() => this.#look(), SAMPLE_MS)

  end(): number {
    this.#look()
    clearInterval(this.#timer)
    return Math.round(this.#peak / MIB)
  }

  #look(): void {
    this.#peak = Math.max(this.#peak, MemoryWatch.#inUse() - this.#base)
  }

  static #inUse(): number {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
}

/** HTTP in which requests for objects and heads of backups fail. @returns it, what ends the failures, and how many there were. */
function failAtRandom(seed: number): { fetch: HttpClient; end: () => void; count: () => number } {
  const real = createNodeFetch()
  const random = new SeededRandom(seed)
  let failed = 0
  let isOver = false
  const fetch: HttpClient = async (url, init) => {
    const isStorage = /^\/v1\/(objects|backups)/.test(new URL(url).pathname)
    if (isOver || !isStorage || random.below(FAILS_ONE_OF) > 0) return real(url, init)
    failed++
    const kind = random.below(3)
    if (kind === 0) throw new TypeError('connection lost')
    if (kind === 1) return Response.json({ error: 'busy', message: 'busy' }, { status: 503 })
    await (await real(url, init)).body?.cancel()
    throw new TypeError('connection lost, the answer with it')
  }
  return { fetch, end: () => void (isOver = true), count: () => failed }
}

/** Tries what may fail several times. @returns how often it was tried. */
async function insisted(work: () => Promise<unknown>): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work()
      return attempt
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error
    }
  }
}

/** Writes the history into the folder of a peer that is stopped. @returns SHA-256 of the contents of its files, by message text. */
async function filled(
  dataDir: string,
  me: { networkId: string; accountId: AccountId; deviceId: DeviceId },
  { messages, files, fileBytes }: { messages: number; files: number; fileBytes: number }
): Promise<Map<string, string>> {
  const crypto = createNodeCrypto()
  const network = { id: fromHex(me.networkId, 32) as NetworkId }
  const context = { crypto, network: () => network, accountId: () => me.accountId } as unknown as EngineContext
  const other = new Uint8Array(32).fill(7) as AccountId
  const chat = conversationOf(context, [me.accountId, other])
  const { conversationId } = chat
  const objects = new FolderObjects(join(dataDir, OBJECT_FOLDER))
  const hashes = new Map<string, string>()

  const store = await openPeerFolder(dataDir)
  const states = new StateStore(store)
  const env = { crypto, network: network.id, random: (length: number) => new Uint8Array(randomBytes(length)) }
  /** A file that another person has sent and that was fetched. */
  const newFile = async (): Promise<{ file: MessageFile; localName: string; hash: string }> => {
    const content = new Uint8Array(randomBytes(fileBytes))
    const localName = toHex(env.random(16))
    const append = (bytes: Uint8Array): Promise<void> => objects.append(localName, bytes)
    const pointer = await encryptFile(env, content.length, chunksOf(content), append)
    const about = { name: 'film.bin', mediaType: 'application/octet-stream', nodes: [] }
    const file = { ...pointer, ...about, width: null, height: null, thumbnail: null, voice: null }
    return { file, localName, hash: createHash('sha256').update(content).digest('hex') }
  }
  const spacing = Math.floor(messages / files)
  for (let from = 1; from <= messages; from += BATCH) {
    const to = Math.min(from + BATCH, messages + 1)
    const made = new Map<number, Awaited<ReturnType<typeof newFile>>>()
    for (let place = from; place < to; place++) if (place % spacing === 0) made.set(place, await newFile())
    await states.unit(
      async unit => {
        for (let place = from; place < to; place++) {
          const row = filledRow(place, conversationId, other, me.deviceId, false)
          const one = made.get(place)
          if (one) {
            Object.assign(row, { kind: 'file', file: one.file })
            hashes.set(row.text, one.hash)
            const { hash, size } = one.file
            const { storedBytes } = fileLayout(size)
            const copy = { hash, localName: one.localName, size: storedBytes, isWhole: true, conversationId }
            unit.write(fileSlots.localCopy(toHex(hash)), copy)
          }
          unit.write(slots.message(toHex(conversationId), orderOf(place)), row)
          unit.write(slots.place(shownIdOf(context, row)), { conversationId, order: orderOf(place) })
        }
        const state = { ...EMPTY_CONVERSATION, updatedAt: Date.now(), nextPlace: to, lastOrder: orderOf(to - 1) }
        unit.write(slots.conversation(toHex(conversationId)), { ...chat, ...state })
      },
      { durable: false }
    )
  }
  await states.flush()
  await store.close()
  return hashes
}

async function* chunksOf(content: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < content.length; at += MIB) yield content.subarray(at, at + MIB)
}

/** What is here of the history. */
async function compared(peer: NodePeer, expected: Map<string, string>): Promise<{ messages: number; files: number }> {
  const found = { messages: 0, files: 0 }
  const [conversation] = (await peer.snapshot()).conversations
  for (let before: string | undefined; conversation;) {
    const options = { limit: 500, ...(before !== undefined && { before }) }
    const page = await peer.messages.page(conversation.id, options)
    if (page.length === 0) break
    before = page[0]!.id
    found.messages += page.length
    for (const message of page) {
      if (!message.file) continue
      await insisted(() => peer.files.fetch(message.id))
      const hash = createHash('sha256')
      for (let index = 0; ; index++) {
        const chunk = await peer.files.chunk(message.id, index)
        if (chunk.length === 0) break
        hash.update(chunk)
      }
      if (expected.get(message.text) === hash.digest('hex')) found.files++
    }
  }
  return found
}

export interface BackupCampaignReport {
  messages: number
  files: number
  /** Requests that failed. */
  failedRequests: number
  /** Times that a whole backup, or a whole restore, was begun. */
  backupRuns: number
  restoreRuns: number
  backupSeconds: number
  restoreSeconds: number
  /** Heap and buffers at most, in MiB above the beginning. */
  backupMib: number
  restoreMib: number
  /** What did not come back. */
  missing: number
}

export async function runBackupCampaign({ seed, mib }: { seed: number; mib: number }): Promise<BackupCampaignReport> {
  const files = Math.max(1, Math.round(mib * FILES_OF_MIB))
  const size = { files, messages: Math.round(mib * MESSAGES_OF_MIB), fileBytes: Math.floor((mib * MIB) / files) }
  const flags = ['--port', '0', '--admin-port', '0', '--storage-quota-mib', String(4 * mib + 64)]
  const node = await NodeProcess.start({ flags })
  const folders = [temporaryFolder()]
  const seconds = (since: number): number => Number(((performance.now() - since) / 1_000).toFixed(1))
  try {
    const { engine, me, dataDir } = await registerPeer(node.url, 'ada')
    folders.push(dataDir)
    await engine.stop()
    const { networkId } = (await (await fetch(`${node.url}/v1/network`)).json()) as { networkId: string }
    const ids = { accountId: fromHex(me.accountId, 32) as AccountId, deviceId: fromHex(me.deviceId, 16) as DeviceId }
    const hashes = await filled(dataDir, { networkId, ...ids }, size)

    const faults = failAtRandom(seed)
    const ada = await createNodePeer({ dataDir, nodeUrl: node.url, fetch: faults.fetch })
    await ada.start()
    await ada.online(PATIENCE_MS)
    let [watch, begun] = [new MemoryWatch(), performance.now()]
    const backupRuns = await insisted(() => ada.backup.now(PASSPHRASE))
    const [backupSeconds, backupMib] = [seconds(begun), watch.end()]
    await ada.stop()

    const fresh = await createNodePeer({ dataDir: folders[0]!, nodeUrl: node.url, fetch: faults.fetch })
    await fresh.start()
    watch = new MemoryWatch()
    begun = performance.now()
    const choice = { username: 'ada', passphrase: PASSPHRASE, recoveryCode: null, deviceName: 'fresh' }
    const restoreRuns = await insisted(() => fresh.backup.restore(choice))
    const found = await compared(fresh, hashes)
    const [restoreSeconds, restoreMib] = [seconds(begun), watch.end()]
    faults.end()
    await fresh.stop()
    const missing = size.messages - found.messages + (hashes.size - found.files)
    const figures = { backupRuns, restoreRuns, backupSeconds, restoreSeconds, backupMib, restoreMib }
    return { messages: size.messages, files: hashes.size, failedRequests: faults.count(), ...figures, missing }
  } finally {
    await node.dispose()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
}
