/**
 * The pictures of groups. The log names a picture with the key that opens it; nodes keep it as they keep any file of a message, and
 * forget it after the time of files. So one account hands it to them again once a day: the one that chose it, or the admin who ranks
 * first once that one is out.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { bytes, decode, encode, struct, uint } from '../../protocol/codec.ts'
import type { BlobPointer } from '../../protocol/files/blob-pointer.ts'
import type { GroupLog } from '../../protocol/groups/group-log.ts'
import { compareRanks } from '../../protocol/groups/group-state.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { EngineContext } from '../engine-context.ts'
import type { HandedPicture, PictureUpload } from '../objects/picture-upload.ts'
import type { PersonPicture } from '../peer-api.ts'
import type { GroupBook } from './group-book.ts'

/** Nodes get the picture this often, if they do not have it. */
const LOOK_EVERY_MS = 24 * 60 * 60 * 1000
const SPACE = 'group-picture'
const lookCodec = struct({ hash: bytes(32), at: uint() })

/** Fetches pictures, and keeps them sealed on this device. */
export interface KeptPictures {
  at(owner: Uint8Array, pointer: BlobPointer): Promise<PersonPicture>
  keep(owner: Uint8Array, pointer: Pick<BlobPointer, 'hash'>, content: Uint8Array): Promise<void>
}

export interface GroupPicturesComponents {
  context: EngineContext
  book: GroupBook
  upload: PictureUpload
  pictures: KeptPictures
}

export class GroupPictures {
  readonly #components: GroupPicturesComponents
  #looking: Promise<void> | undefined

  constructor(components: GroupPicturesComponents) {
    this.#components = components
  }

  /** Gives up what is under way, and waits for it. */
  async stop(): Promise<void> {
    this.#components.upload.stop()
    await this.#looking
  }

  /** Hands a picture to nodes, before a change names it. @throws PeerError `picture`, `offline`, `refused`. */
  hand(file: Uint8Array): Promise<HandedPicture> {
    return this.#components.upload.hand(file)
  }

  /** Keeps the picture of a group that a change of this device names. */
  async keep(groupId: ConversationId, { pointer, content }: HandedPicture): Promise<void> {
    await this.#components.pictures.keep(groupId, pointer, content)
    await this.#noteLook(groupId, pointer)
  }

  /** Removes a picture of this account that is not in use any more; that of another account is theirs to remove. */
  letGo(pointer: BlobPointer): Promise<void> {
    return this.#components.upload.letGo(pointer)
  }

  /**
   * The picture of a group; null for none, and for a group that the user has not accepted: what strangers chose is not fetched.
   * @throws PeerError `offline`, `file-gone`, `file-damaged`.
   */
  async of(group: string): Promise<PersonPicture | null> {
    const known = this.#components.book.get(group)
    const pointer = known && shownPicture(known)
    return known && pointer ? this.#components.pictures.at(known.stored.groupId, pointer) : null
  }

  /** There is a connection: makes sure that nodes still have the pictures that are this account's to keep. */
  kick(): void {
    this.#looking ??= this.#lookAtAll().finally(() => (this.#looking = undefined))
  }

  async #lookAtAll(): Promise<void> {
    const { context, book } = this.#components
    for (const { log, stored } of book.all()) {
      const isMine = stored.answer === 'accepted' && equalBytes(keeperOf(log), context.accountId())
      if (!isMine || !book.isIn(toHex(log.groupId))) continue
      await this.#look(log).catch((error: unknown) => {
        context.log.debug('the picture of a group was not looked for', { reason: String(error) })
      })
    }
  }

  async #look({ groupId, state: { picture } }: GroupLog): Promise<void> {
    const { pictures, upload } = this.#components
    if (!picture || !(await this.#isLookDue(groupId, picture))) return
    const { content } = await pictures.at(groupId, picture)
    await upload.ensure(picture, content)
    await this.#noteLook(groupId, picture)
  }

  async #isLookDue(groupId: ConversationId, { hash }: BlobPointer): Promise<boolean> {
    const { store, timers } = this.#components.context
    const value = await store.get({ space: SPACE, id: toHex(groupId) })
    const look = value && decode(lookCodec, value, { maxBytes: 100 })
    return !look || !equalBytes(look.hash, hash) || look.at + LOOK_EVERY_MS <= timers.now()
  }

  async #noteLook(groupId: ConversationId, { hash }: BlobPointer): Promise<void> {
    const { store, timers } = this.#components.context
    await store.batch([{ space: SPACE, id: toHex(groupId), value: encode(lookCodec, { hash, at: timers.now() }) }])
  }
}

/** The picture that screens may ask for; null for none, and in a request. */
export function shownPicture({ stored, log }: ReturnType<GroupBook['all']>[number]): BlobPointer | null {
  return stored.answer === null ? null : log.state.picture
}

/** Which account hands the picture to nodes again: the one that chose it, or the first admin. */
export function keeperOf(log: GroupLog): AccountId {
  const { picture, members } = log.state
  const chose = log.changes().find(({ change }) => {
    const isChoice = change.kind === 'picture' || change.kind === 'create'
    return isChoice && change.picture !== null && picture !== null && equalBytes(change.picture.hash, picture.hash)
  })
  if (chose && members.has(toHex(chose.accountId))) return chose.accountId
  const [first] = [...members.values()].sort((a, b) => compareRanks(a.rank, b.rank))
  return first?.accountId ?? log.changes()[0]!.accountId
}
