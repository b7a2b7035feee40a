/**
 * The picture of the account on its way to nodes: cleaned, encrypted under a key of its own, and stored without an end until
 * another takes its place. Who has the profile has the key; a node sees bytes.
 */
import { concatBytes, equalBytes, toHex } from '../../protocol/bytes.ts'
import { bytes, decode, encode, struct, uint } from '../../protocol/codec.ts'
import type { BlobPointer } from '../../protocol/conversation/message-kinds.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { encryptAgain, encryptFile } from '../../protocol/files/encrypt-file.ts'
import {
  cleanPicture,
  MAX_PICTURE_BYTES,
  MAX_PICTURE_SIDE,
  type ProfilePicture
} from '../../protocol/files/profile-picture.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { ObjectClient } from '../objects/object-client.ts'
import { OBJECT_COPIES, type ObjectNodes } from '../objects/object-nodes.ts'
import { uploadObject } from '../objects/object-upload.ts'
import { ObjectRefusal, type ObjectNode } from '../objects/signed-requests.ts'
import type { Pictures } from '../people/pictures.ts'

/** Nodes are asked this often whether they still have the picture. */
const LOOK_EVERY_MS = 24 * 60 * 60 * 1000
const LOOKED_AT = { space: 'own-picture' }
const lookCodec = struct({ hash: bytes(32), at: uint() })

export interface OwnPictureComponents {
  context: EngineContext
  client: ObjectClient
  nodes: ObjectNodes
  pictures: Pictures
  /** The picture that the devices of the account agree on. */
  current: () => BlobPointer | null
}

export class OwnPicture {
  readonly #components: OwnPictureComponents
  readonly #stopping = new AbortController()
  #looking: Promise<void> | undefined

  constructor(components: OwnPictureComponents) {
    this.#components = components
  }

  /** Gives up what is under way, and waits for it. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#looking
  }

  /**
   * Hands a picture to nodes of two operators; one is enough.
   * @param file - a JPEG, PNG or WebP; what is written beside the pixels stays here.
   * @throws PeerError `picture`, `offline`, `refused`.
   */
  async hand(file: Uint8Array): Promise<BlobPointer> {
    const { context, nodes, pictures } = this.#components
    const { type, content } = clean(file)
    const pieces: Uint8Array[] = []
    const stream = (async function* () {
      yield content
    })()
    const env = sessionEnvironment(context)
    const pointer = await encryptFile(env, content.length, stream, stored => void pieces.push(stored))
    const kept = await this.#upload(pointer.hash, concatBytes(...pieces), nodes.forUpload())
    const picture = { ...pointer, mediaType: type, nodes: kept }
    await pictures.keep(context.accountId(), picture, content)
    await this.#noteLook(picture)
    return picture
  }

  /** Removes a picture that is not in use any more. A node that does not answer removes it when it gets a later one. */
  async letGo({ hash, nodes }: BlobPointer): Promise<void> {
    const { client, context } = this.#components
    for (const node of this.#components.nodes.listed(nodes)) {
      await client.remove(node, toHex(hash), this.#stopping.signal).catch((error: unknown) => {
        context.log.debug('an old picture was not removed', { reason: String(error) })
      })
    }
  }

  /** There is a connection: sees to it that nodes still have the picture, once a day. */
  kick(): void {
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        this.#components.context.log.debug('the own picture was not looked for', { reason: String(error) })
      })
      .finally(() => (this.#looking = undefined))
  }

  async #look(): Promise<void> {
    const { context, nodes, pictures } = this.#components
    const picture = this.#components.current()
    if (!picture || !(await this.#isLookDue(picture))) return
    const shown = await pictures.of(context.accountId())
    const stored = shown && (await encryptAgain(sessionEnvironment(context), picture, shown.content))
    if (!stored || this.#stopping.signal.aborted) return
    const named = nodes.listed(picture.nodes)
    const targets = named.length >= OBJECT_COPIES ? named : [...new Set([...named, ...nodes.forUpload()])]
    await this.#upload(picture.hash, stored, targets)
    await this.#noteLook(picture)
  }

  /** @returns the keys of the nodes that have it. @throws PeerError if none has. */
  async #upload(hash: Uint8Array, stored: Uint8Array, targets: readonly ObjectNode[]): Promise<Uint8Array[]> {
    const { client, context } = this.#components
    const name = toHex(hash)
    const read = async (start: number, length: number): Promise<Uint8Array> => stored.subarray(start, start + length)
    const object = { hash: name, read, size: stored.length, purpose: 'profile' as const }
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

  async #isLookDue({ hash }: BlobPointer): Promise<boolean> {
    const value = await this.#components.context.store.get(LOOKED_AT)
    const look = value && decode(lookCodec, value, { maxBytes: 100 })
    return !look || !equalBytes(look.hash, hash) || look.at + LOOK_EVERY_MS <= this.#components.context.timers.now()
  }

  async #noteLook({ hash }: BlobPointer): Promise<void> {
    const { store, timers } = this.#components.context
    await store.batch([{ ...LOOKED_AT, value: encode(lookCodec, { hash, at: timers.now() }) }])
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
