/** The pictures of people and groups: fetched when a screen or a command asks for one, checked, and kept sealed on this device. */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { bytes, bytesBetween, decode, encode, struct } from '../../protocol/codec.ts'
import type { BlobPointer } from '../../protocol/files/blob-pointer.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { cleanPicture, MAX_PICTURE_BYTES } from '../../protocol/files/profile-picture.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { readWhole } from '../objects/encrypted-content.ts'
import type { ObjectClient } from '../objects/object-client.ts'
import type { ObjectNodes } from '../objects/object-nodes.ts'
import { ObjectDamaged, ObjectGone, ObjectReader } from '../objects/object-reader.ts'
import type { PersonPicture } from '../peer-api.ts'

const FETCH_TIMEOUT_MS = 30_000
const SPACE = 'picture-content'
const contentCodec = struct({ hash: bytes(32), content: bytesBetween(1, MAX_PICTURE_BYTES) })
const MAX_ENTRY_BYTES = MAX_PICTURE_BYTES + 100

export interface PicturesComponents {
  context: EngineContext
  client: ObjectClient
  nodes: ObjectNodes
  /** What the profile of an account names as its picture; null for none. */
  pointerOf: (accountId: AccountId) => BlobPointer | null
}

export class Pictures {
  readonly #components: PicturesComponents
  /** By hash of the stored form. */
  readonly #underWay = new Map<string, Promise<Uint8Array>>()
  readonly #stopping = new AbortController()

  constructor(components: PicturesComponents) {
    this.#components = components
  }

  /** Gives up what is under way, and waits for it. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.allSettled(this.#underWay.values())
  }

  /**
   * The picture of an account; null for none.
   * @throws PeerError `offline`; `file-gone` if no node has it; `file-damaged` if it is something else than the profile names, or no
   * picture that may be shown.
   */
  async of(accountId: AccountId): Promise<PersonPicture | null> {
    const pointer = this.#components.pointerOf(accountId)
    return pointer && this.at(accountId, pointer)
  }

  /** A picture that an account or a group names. @param owner - the id of either. @throws PeerError as {@link of}. */
  async at(owner: Uint8Array, pointer: BlobPointer): Promise<PersonPicture> {
    const { type, content } = cleanPicture((await this.#kept(owner, pointer)) ?? (await this.#once(owner, pointer)))
    return { type, content }
  }

  /** Keeps the content of a picture, in place of an earlier one of the same owner. */
  async keep(owner: Uint8Array, { hash }: Pick<BlobPointer, 'hash'>, content: Uint8Array): Promise<void> {
    const value = encode(contentCodec, { hash, content })
    await this.#components.context.store.batch([{ space: SPACE, id: toHex(owner), value }])
  }

  async #kept(owner: Uint8Array, { hash }: BlobPointer): Promise<Uint8Array | undefined> {
    const value = await this.#components.context.store.get({ space: SPACE, id: toHex(owner) })
    const kept = value && decode(contentCodec, value, { maxBytes: MAX_ENTRY_BYTES })
    return kept && equalBytes(kept.hash, hash) ? kept.content : undefined
  }

  #once(owner: Uint8Array, pointer: BlobPointer): Promise<Uint8Array> {
    const key = toHex(pointer.hash)
    const running = this.#underWay.get(key)
    if (running) return running
    const fetching = this.#fetch(owner, pointer).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, fetching)
    return fetching
  }

  async #fetch(owner: Uint8Array, pointer: BlobPointer): Promise<Uint8Array> {
    const { context, client, nodes } = this.#components
    const reader = new ObjectReader(client, toHex(pointer.hash), nodes.forDownload(pointer.nodes))
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)])
    try {
      const { content } = cleanPicture(await readWhole(sessionEnvironment(context), reader, pointer, signal))
      await this.keep(owner, pointer, content)
      return content
    } catch (error) {
      if (signal.aborted) throw new PeerError('offline', { origin: null }, { cause: error })
      if (error instanceof ObjectGone) throw new PeerError('file-gone', { reason: 'vanished' }, { cause: error })
      if (!(error instanceof ObjectDamaged || error instanceof ProtocolError)) throw error
      throw new PeerError('file-damaged', {}, { cause: error })
    }
  }
}
