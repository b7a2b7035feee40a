/**
 * The picture of the account: nodes keep it until another takes its place, and are asked once a day whether they still do. Each person
 * who has the profile has the key.
 */
import { equalBytes } from '../../protocol/bytes.ts'
import { bytes, decode, encode, struct, uint } from '../../protocol/codec.ts'
import type { BlobPointer } from '../../protocol/files/blob-pointer.ts'
import type { EngineContext } from '../engine-context.ts'
import type { PictureUpload } from '../objects/picture-upload.ts'
import type { Pictures } from '../people/pictures.ts'

/** Nodes are asked this often whether they still have the picture. */
const LOOK_EVERY_MS = 24 * 60 * 60 * 1000
const LOOKED_AT = { space: 'own-picture' }
const lookCodec = struct({ hash: bytes(32), at: uint() })

export interface OwnPictureComponents {
  context: EngineContext
  upload: PictureUpload
  pictures: Pictures
  /** The picture that the devices of the account agree on. */
  current: () => BlobPointer | null
}

export class OwnPicture {
  readonly #components: OwnPictureComponents
  #looking: Promise<void> | undefined

  constructor(components: OwnPictureComponents) {
    this.#components = components
  }

  /** Gives up what is under way, and waits for it. */
  async stop(): Promise<void> {
    this.#components.upload.stop()
    await this.#looking
  }

  /** Hands a picture to nodes. @throws PeerError as `PictureUpload.hand`. */
  async hand(file: Uint8Array): Promise<BlobPointer> {
    const { context, pictures, upload } = this.#components
    const { pointer, content } = await upload.hand(file)
    await pictures.keep(context.accountId(), pointer, content)
    await this.#noteLook(pointer)
    return pointer
  }

  /** Removes a picture that is not in use any more. A node that does not answer removes it when it gets a later one. */
  letGo(pointer: BlobPointer): Promise<void> {
    return this.#components.upload.letGo(pointer)
  }

  /** There is a connection: makes sure that nodes still have the picture, once a day. */
  kick(): void {
    this.#looking ??= this.#look()
      .catch((error: unknown) => {
        this.#components.context.log.debug('the own picture was not looked for', { reason: String(error) })
      })
      .finally(() => (this.#looking = undefined))
  }

  async #look(): Promise<void> {
    const { context, pictures, upload } = this.#components
    const picture = this.#components.current()
    if (!picture || !(await this.#isLookDue(picture))) return
    const shown = await pictures.of(context.accountId())
    if (!shown) return
    await upload.ensure(picture, shown.content)
    await this.#noteLook(picture)
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
