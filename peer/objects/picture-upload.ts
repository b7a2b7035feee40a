/** A picture on its way to nodes: cleaned, and encrypted under a key of its own. A node sees bytes. */
import { concatBytes, toHex } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { BlobPointer } from '../../protocol/files/blob-pointer.ts'
import { encryptAgain, encryptFile } from '../../protocol/files/encrypt-file.ts'
import {
  cleanPicture,
  MAX_PICTURE_BYTES,
  MAX_PICTURE_SIDE,
  type ProfilePicture
} from '../../protocol/files/profile-picture.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { ObjectClient, ObjectPurpose } from './object-client.ts'
import { OBJECT_COPIES, type ObjectNodes } from './object-nodes.ts'
import { uploadObject } from './object-upload.ts'
import { ObjectRefusal, type ObjectNode } from './signed-requests.ts'

export interface PictureUploadComponents {
  context: EngineContext
  client: ObjectClient
  nodes: ObjectNodes
}

/** A picture that nodes have now. */
export interface HandedPicture {
  pointer: BlobPointer
  /** The picture as it is shown: the file without what was written beside its pixels. */
  content: Uint8Array
}

export class PictureUpload {
  readonly #components: PictureUploadComponents
  readonly #purpose: ObjectPurpose
  readonly #stopping = new AbortController()

  constructor(components: PictureUploadComponents, purpose: ObjectPurpose) {
    this.#components = components
    this.#purpose = purpose
  }

  /** Gives up what is under way. */
  stop(): void {
    this.#stopping.abort()
  }

  /**
   * Hands a picture to nodes of two operators; one is enough.
   * @param file - a JPEG, PNG or WebP; what is written beside the pixels stays here.
   * @throws PeerError `picture`, `offline`, `refused`.
   */
  async hand(file: Uint8Array): Promise<HandedPicture> {
    const { context, nodes } = this.#components
    const { type, content } = clean(file)
    const pieces: Uint8Array[] = []
    const stream = (async function* () {
      yield content
    })()
    const env = sessionEnvironment(context)
    const encrypted = await encryptFile(env, content.length, stream, stored => void pieces.push(stored))
    const kept = await this.#upload(encrypted.hash, concatBytes(...pieces), nodes.forUpload())
    return { pointer: { ...encrypted, mediaType: type, nodes: kept }, content }
  }

  /**
   * Hands the picture to its nodes again, as far as they do not have it.
   * @throws PeerError as {@link hand}; ProtocolError if the content is not that of the pointer.
   */
  async ensure(pointer: BlobPointer, content: Uint8Array): Promise<void> {
    const { context, nodes } = this.#components
    const stored = await encryptAgain(sessionEnvironment(context), pointer, content)
    if (this.#stopping.signal.aborted) return
    const named = nodes.listed(pointer.nodes)
    const targets = named.length >= OBJECT_COPIES ? named : [...new Set([...named, ...nodes.forUpload()])]
    await this.#upload(pointer.hash, stored, targets)
  }

  /** Removes a picture that is not in use any more. A node that does not answer keeps it for its own time. */
  async letGo({ hash, nodes }: BlobPointer): Promise<void> {
    const { client, context } = this.#components
    for (const node of this.#components.nodes.listed(nodes)) {
      await client.remove(node, toHex(hash), this.#stopping.signal).catch((error: unknown) => {
        context.log.debug('an old picture was not removed', { reason: String(error) })
      })
    }
  }

  /** @returns the keys of the nodes that have it. @throws PeerError if none has. */
  async #upload(hash: Uint8Array, stored: Uint8Array, targets: readonly ObjectNode[]): Promise<Uint8Array[]> {
    const { client, context } = this.#components
    const read = async (start: number, length: number): Promise<Uint8Array> => stored.subarray(start, start + length)
    const name = toHex(hash)
    const object = { name, hash: async () => name, read, size: stored.length, purpose: this.#purpose }
    const kept: Uint8Array[] = []
    let failure: unknown = new PeerError('offline', { origin: null })
    for (const node of targets.slice(0, OBJECT_COPIES)) {
      try {
        await uploadObject(client, node, object, { signal: this.#stopping.signal, mayBeThere: true })
        kept.push(node.key)
      } catch (error) {
        failure = error
        context.log.debug('a node did not take the picture', { reason: String(error) })
      }
    }
    if (kept.length > 0) return kept
    if (!(failure instanceof ObjectRefusal)) throw failure
    const refusal = failure.code === 'rate-limited' ? 'rate-limited' : 'refused'
    throw new PeerError('refused', { refusal }, { cause: failure })
  }
}

/** @throws PeerError `picture`. */
function clean(file: Uint8Array): ProfilePicture {
  try {
    return cleanPicture(file)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    const fault = cause.code === 'TOO_LARGE' ? 'too-large' : 'unfit'
    throw new PeerError('picture', { fault, limit: MAX_PICTURE_BYTES, side: MAX_PICTURE_SIDE }, { cause })
  }
}
