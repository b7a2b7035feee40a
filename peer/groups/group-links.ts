/**
 * Joining a group by a link of this account: the secret that makes the link, and the people who have asked where the user wants to
 * approve each. Both are what all own devices know; no node and no other member learns who has asked.
 */
import { equalSecrets, toHex } from '../../protocol/bytes.ts'
import { decode, encode, uint } from '../../protocol/codec.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { GroupLinkOptions, GroupLinkView, GroupRequestView } from '../peer-api.ts'
import type { GroupBook } from './group-book.ts'
import { GROUP_LINK_SECRET_BYTES, groupLinkText } from './group-link.ts'
import type { ShownPeople } from './group-views.ts'

/** What all own devices know. An empty value takes one back. */
export interface SharedItems {
  get(name: string): Uint8Array | undefined
  set(name: string, value: Uint8Array): Promise<void>
  /** Of all items that begin so. */
  namesWith(prefix: string): string[]
}

export interface GroupLinksComponents {
  context: EngineContext
  book: GroupBook
  items: SharedItems
  people: ShownPeople
  add: (group: string, account: string) => Promise<unknown>
  mayAdd: (group: string) => boolean
}

/** People who may wait for an answer in one group; who asks after them is told nothing, and may ask again. */
const MAX_REQUESTS = 100
const NOTHING = new Uint8Array(0)

const secretItem = (group: string): string => `group-link/${group}`
/** Set while each person needs an approval. */
const approvalItem = (group: string): string => `group-approval/${group}`
/** An item's name is short: a part of the group's id tells own groups apart. */
const requestsOf = (group: string): string => `group-asks/${group.slice(0, 16)}/`

export class GroupLinks {
  readonly #components: GroupLinksComponents

  constructor(components: GroupLinksComponents) {
    this.#components = components
  }

  /** The link of a group, made if there is none. @param needsApproval - left out, it stays as it is. */
  async link(group: string, { needsApproval, isNew = false }: GroupLinkOptions): Promise<GroupLinkView> {
    const { context, items } = this.#components
    const known = isNew ? undefined : items.get(secretItem(group))
    const secret = known ?? context.random(GROUP_LINK_SECRET_BYTES)
    if (!known) await items.set(secretItem(group), secret)
    if (needsApproval !== undefined && needsApproval !== this.needsApproval(group)) {
      await items.set(approvalItem(group), needsApproval ? Uint8Array.of(1) : NOTHING)
    }
    const url = groupLinkText(context.network().entry, { accountId: context.accountId(), secret })
    return { url, needsApproval: this.needsApproval(group) }
  }

  needsApproval(group: string): boolean {
    return this.#components.items.get(approvalItem(group)) !== undefined
  }

  /** A person asks to be added, with the secret of a link. Whose link it is not is told nothing. Never rejects. */
  async onJoin(accountId: AccountId, secret: Uint8Array): Promise<void> {
    const { book, items, context } = this.#components
    for (const { stored } of book.all()) {
      const group = toHex(stored.groupId)
      const expected = items.get(secretItem(group))
      if (!expected || !equalSecrets(expected, secret)) continue
      await this.#let(group, accountId).catch((error: unknown) =>
        context.log.warn('a person with a link could not be added', { reason: String(error) })
      )
    }
  }

  async #let(group: string, accountId: AccountId): Promise<void> {
    const { book, add, mayAdd } = this.#components
    const account = toHex(accountId)
    // The link may be older than what its maker may do now.
    if (!book.isIn(group) || !mayAdd(group) || book.isMember(group, accountId)) return
    // Who was taken out still has the link: it must not let them in again by itself. Who left may come back.
    if (book.wasRemoved(group, accountId) || this.needsApproval(group)) await this.#noteRequest(group, account)
    else await add(group, account)
  }

  async #noteRequest(group: string, account: string): Promise<void> {
    const { context, items } = this.#components
    const name = requestsOf(group) + account
    if (items.get(name) || this.requests(group).length >= MAX_REQUESTS) return
    await items.set(name, encode(uint(), context.timers.now()))
  }

  /** Who waits for an answer, the longest first. Who was added meanwhile does not. */
  requests(group: string): GroupRequestView[] {
    const { items, book, people } = this.#components
    const prefix = requestsOf(group)
    const members = book.stateOf(group)?.members
    return items
      .namesWith(prefix)
      .flatMap(name => {
        const account = name.slice(prefix.length)
        const value = items.get(name)
        if (!value || members?.has(account)) return []
        return [{ person: people.person(accountIdFromHex(account)), at: decode(uint(), value, { maxBytes: 16 }) }]
      })
      .sort((a, b) => a.at - b.at)
  }

  /** Adds a person who has asked, or lets the request go: nobody tells them. @throws PeerError `no-request`, as the adding. */
  async answer(group: string, account: string, isApproved: boolean): Promise<void> {
    const { items, add } = this.#components
    if (!this.requests(group).some(({ person }) => person.accountId === account)) throw new PeerError('no-request')
    if (isApproved) await add(group, account)
    await items.set(requestsOf(group) + account, NOTHING)
  }
}
