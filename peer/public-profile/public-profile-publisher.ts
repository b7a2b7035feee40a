/** Keeps the public profile of the account at nodes as its owner wants it. Loaded only where there is something to do. */
import { equalBytes } from '../../protocol/bytes.ts'
import { decode, encode, struct, uint } from '../../protocol/codec.ts'
import {
  encodePublicProfile,
  openContents,
  sealContents,
  signPublicProfile
} from '../../protocol/profile/public-profile.ts'
import type { PublicProfile } from '../../protocol/profile/public-profile.ts'
import { profileContentsCodec, type ProfileContents } from '../../protocol/profile/profile-contents.ts'
import type { Username } from '../../protocol/identity/username.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import type { NodeConnection } from '../network/node-connection.ts'
import type { PublicProfileReader } from './public-profile-reader.ts'
import { SIGNED_PROFILE } from './public-profile-book.ts'
import type { OwnDetails } from '../sending/profile.ts'
import type { OwnAccount } from '../store/own-account.ts'

const signedCodec = struct({ revision: uint() })

export interface PublicProfilePublisherComponents {
  context: EngineContext
  directory: DirectoryClient
  reader: PublicProfileReader
  connection: () => NodeConnection
  account: () => OwnAccount
  details: () => OwnDetails
}

/** What nodes should have. Null: nothing. */
interface Wanted {
  username: Username
  contents: ProfileContents | null
  foundBy: PublicProfile['foundBy']
}

export class PublicProfilePublisher {
  readonly #components: PublicProfilePublisherComponents

  constructor(components: PublicProfilePublisherComponents) {
    this.#components = components
  }

  /**
   * Hands the profile to nodes unless they have it as it is wanted. An own device that has changed it meanwhile is not overtaken: what
   * all devices agree on is what is wanted.
   *
   * @param withdraw - the account shows nothing any more, whatever its owner chose.
   * @throws as a request to a node does.
   */
  async publish({ withdraw = false } = {}): Promise<void> {
    const { context, directory, reader, connection } = this.#components
    const own = await directory.account(context.accountId())
    if (!own) return
    const current = await reader.newest(own)
    const wanted = withdraw ? undefined : this.#wanted()
    if (await this.#isAsWanted(current, wanted)) return
    const revision = Math.max(current?.revision ?? 0, await this.#lastSigned()) + 1
    const profile = await this.#signed(revision, wanted)
    await context.store.batch([{ ...SIGNED_PROFILE, value: encode(signedCodec, { revision }) }])
    await connection().request({ kind: 'publishProfile', profile: encodePublicProfile(profile) }, 'done')
  }

  /** Nothing before the name can no longer be taken by a node that guesses it. */
  #wanted(): Wanted | undefined {
    const { account, details } = this.#components
    const { name, displayName } = account()
    if (!name || (name.state !== 'reserved' && name.state !== 'recorded')) return undefined
    const { about, picture, sites, accounts, visibility } = details()
    const shown = accounts.filter(({ isShown }) => isShown).map(({ linked }) => linked)
    const findable = visibility.isFoundByHandle ? shown.filter(({ handle }) => handle !== null) : []
    if (visibility.seenBy !== 'everybody' && findable.length === 0) return undefined
    const contents = visibility.seenBy === 'everybody' ? { displayName, about, picture, sites, accounts: shown } : null
    const username = name.username as Username
    return { username, contents, foundBy: findable.length > 0 ? { username, accounts: findable } : null }
  }

  async #isAsWanted(current: PublicProfile | undefined, wanted: Wanted | undefined): Promise<boolean> {
    if (!current) return wanted === undefined
    const foundBy = wanted?.foundBy ?? null
    if (bytesOfFoundBy(current.foundBy) !== bytesOfFoundBy(foundBy)) return false
    if (!wanted?.contents) return current.sealed.length === 0
    const { context, reader } = this.#components
    const key = await reader.keyOf(wanted.username)
    const shown = openContents(context.crypto, context.network().id, key, current)
    return (
      shown !== undefined &&
      equalBytes(encode(profileContentsCodec, shown), encode(profileContentsCodec, wanted.contents))
    )
  }

  async #signed(revision: number, wanted: Wanted | undefined): Promise<PublicProfile> {
    const { context, reader } = this.#components
    const { deviceId, signingKey } = context.device()
    const network = context.network().id
    const accountId = context.accountId()
    const sealed = wanted?.contents
      ? sealContents(context, network, await reader.keyOf(wanted.username), { accountId, revision }, wanted.contents)
      : new Uint8Array()
    const said = { accountId, deviceId, revision, time: context.timers.now(), sealed, foundBy: wanted?.foundBy ?? null }
    return signPublicProfile(network, signingKey, said)
  }

  async #lastSigned(): Promise<number> {
    const value = await this.#components.context.store.get(SIGNED_PROFILE)
    return value ? decode(signedCodec, value, { maxBytes: 16 }).revision : 0
  }
}

const bytesOfFoundBy = (foundBy: PublicProfile['foundBy']): string =>
  foundBy ? [foundBy.username, ...foundBy.accounts.map(({ nodeSignature }) => nodeSignature.join())].join(' ') : ''
