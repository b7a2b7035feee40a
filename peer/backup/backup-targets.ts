/** The nodes that a backup is handed to. One that fails is left out from then on; the backup goes on as long as one is left. */
import { concatBytes, equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Environment } from '../../protocol/environment.ts'
import { encryptFile, type FilePointer } from '../../protocol/files/encrypt-file.ts'
import { newLocalName } from '../files/local-copies.ts'
import type { ObjectClient } from '../objects/object-client.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import { ObjectGone, ObjectReader } from '../objects/object-reader.ts'
import { uploadObject, type Outgoing } from '../objects/object-upload.ts'
import { ObjectRefusal, type ObjectNode } from '../objects/signed-requests.ts'
import { PeerError } from '../errors.ts'
import type { LocalObjects } from '../ports.ts'

/** Bytes of an object that are copied from node to node at once. */
const COPIED_BYTES = 4 * 1024 * 1024
/** Attempts that bring nothing. */
const RETRIES = 6
const FIRST_RETRY_MS = 300
/** A node counts the requests of a minute. */
const RATE_PAUSE_MS = 5_000
const RATE_RETRIES = 24

export interface BackupTargetsComponents {
  env: Environment
  client: ObjectClient
  objects: LocalObjects
  nodes: ObjectNodes
  /** Resolves after a while. */
  pause: (ms: number) => Promise<void>
  signal: AbortSignal
}

/** An object that is stored already, somewhere. */
export interface StoredObject {
  hash: Uint8Array
  storedBytes: number
  /** Reads it from this device, if it is here. */
  read?: Outgoing['read'] | undefined
  /** Whether it was made just now: no node has it. */
  isNew?: boolean
}

interface Target {
  node: ObjectNode
  /** Whether it has everything that the last backup named. */
  isComplete: boolean
  failure?: unknown
}

export class BackupTargets {
  readonly #components: BackupTargetsComponents
  readonly #targets: Target[]
  uploadedBytes = 0

  /** @param complete - keys of the nodes that have the last backup. */
  constructor(components: BackupTargetsComponents, complete: readonly Uint8Array[]) {
    this.#components = components
    this.#targets = components.nodes.forUpload().map(node => {
      return { node, isComplete: complete.some(key => equalBytes(key, node.key)) }
    })
    if (this.#targets.length === 0) throw new PeerError('offline', { origin: null })
  }

  /** The nodes that have everything. */
  get nodes(): ObjectNode[] {
    return this.#targets.filter(({ failure }) => failure === undefined).map(({ node }) => node)
  }

  /** Encrypts content under a key of its own, and stores it at every node. It is not large: it never leaves the memory. */
  async store(content: Uint8Array): Promise<FilePointer> {
    const parts: Uint8Array[] = []
    const pointer = await encryptFile(
      this.#components.env,
      content.length,
      once(content),
      bytes => void parts.push(bytes)
    )
    const stored = concatBytes(...parts)
    const read = async (start: number, length: number): Promise<Uint8Array> => stored.subarray(start, start + length)
    const { hash } = pointer
    await this.#everywhere(() => true, { hash, storedBytes: stored.length, read, isNew: true })
    return pointer
  }

  /**
   * Makes sure that every node has an object, and keeps it as part of the backup.
   * @param isKnown - whether the last backup had it: then nodes that have that have it too.
   * @returns false if nobody has it any more.
   */
  async keep(object: StoredObject, isKnown: boolean): Promise<boolean> {
    try {
      await this.#everywhere(({ isComplete }) => !isKnown || !isComplete, object)
      return true
    } catch (error) {
      if (error instanceof ObjectGone) return false
      throw error
    }
  }

  async #everywhere(isAsked: (target: Target) => boolean, object: StoredObject): Promise<void> {
    for (const target of this.#targets) {
      if (target.failure !== undefined || !isAsked(target)) continue
      try {
        await this.#patiently(progress => this.#handTo(target.node, object, progress))
      } catch (error) {
        this.#components.signal.throwIfAborted()
        if (error instanceof ObjectGone || (error instanceof PeerError && error.code === 'store')) throw error
        target.failure = error
        if (this.nodes.length === 0) throw error
      }
    }
  }

  /**
   * A storage that fails now and then is asked again, as long as it gets on.
   * @param work - tells how many bytes the node has: only more than ever before are progress.
   */
  async #patiently(work: (onProgress: (doneBytes: number) => void) => Promise<void>): Promise<void> {
    let [failures, refusals, most] = [0, 0, 0]
    const onProgress = (doneBytes: number): void => {
      if (doneBytes <= most) return
      most = doneBytes
      failures = refusals = 0
    }
    for (;;) {
      try {
        return await work(onProgress)
      } catch (error) {
        this.#components.signal.throwIfAborted()
        if (isTooOften(error) && refusals++ < RATE_RETRIES) await this.#components.pause(RATE_PAUSE_MS)
        else if (isPassing(error) && ++failures < RETRIES) await this.#components.pause(FIRST_RETRY_MS * 2 ** failures)
        else throw error
      }
    }
  }

  async #handTo(
    node: ObjectNode,
    { hash, storedBytes: size, read, isNew = false }: StoredObject,
    onProgress: (doneBytes: number) => void
  ): Promise<void> {
    const { client, objects, signal } = this.#components
    const name = toHex(hash)
    const upload = { name, hash: async () => name, size, purpose: 'backup' as const }
    if (!read) {
      const { stored } = await client.begin(node, name, { size, purpose: 'backup' }, signal)
      if (stored) return
    }
    const copy = read ? undefined : await this.#fetched(hash, size)
    const source: Outgoing['read'] = read ?? ((start, length, into) => objects.read(copy!, start, length, into))
    try {
      await uploadObject(client, node, { ...upload, read: source }, { signal, mayBeThere: !isNew, onProgress })
      this.uploadedBytes += size
    } finally {
      if (copy !== undefined) await objects.remove(copy)
    }
  }

  /** Copies an object from another node; it is checked by its hash where it goes to. */
  async #fetched(hash: Uint8Array, size: number): Promise<string> {
    const { client, objects, nodes, env, signal } = this.#components
    const reader = new ObjectReader(client, toHex(hash), nodes.forDownload([]))
    const localName = newLocalName(env)
    for (let start = 0; start < size; start += COPIED_BYTES) {
      const length = Math.min(COPIED_BYTES, size - start)
      const bytes = await reader.read({ start, length }, signal, async read => read)
      await objects.append(localName, bytes)
    }
    return localName
  }
}

function isTooOften(error: unknown): boolean {
  return error instanceof ObjectRefusal && error.code === 'rate-limited'
}

function isPassing(error: unknown): boolean {
  if (error instanceof ObjectRefusal) return ['busy', 'other', 'incomplete'].includes(error.code)
  return error instanceof PeerError && error.code === 'offline'
}

async function* once(content: Uint8Array): AsyncIterable<Uint8Array> {
  yield content
}
