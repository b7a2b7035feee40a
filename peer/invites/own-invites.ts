/**
 * The invitations of this account. All own devices know them, as items that they agree on: whichever of them hears that a person
 * has accepted knows what that person was invited by.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { bytes, decode, encode, struct, text, uint, type TypeOf } from '../../protocol/codec.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import {
  INVITE_TOKEN_BYTES,
  inviteHashOf,
  inviteProof,
  type InviteHash,
  type InviteToken
} from '../../protocol/invite/invite-link.ts'
import { MAX_INVITE_USES } from '../../protocol/invite/invite-limits.ts'
import { PENDING_TTL_MS } from '../../protocol/limits.ts'
import type { EngineContext } from '../engine-context.ts'
import type { SyncItem } from '../store/own-device-slots.ts'
import { inviteSlots, inviteUseEntry } from '../store/invite-slots.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'

const NAME = /^invite\/([0-9a-f]{64})$/

const invitationCodec = struct({
  token: bytes<InviteToken>(INVITE_TOKEN_BYTES),
  createdAt: uint(),
  expiresAt: uint(),
  uses: uint(MAX_INVITE_USES),
  /** Of the node that keeps it. */
  origin: text(256)
})

/** An invitation that was made on one of the own devices. */
export type Invitation = TypeOf<typeof invitationCodec>

export interface OwnInvitesComponents {
  context: EngineContext
  states: StateStore
  items: { all(): SyncItem[] }
  sync: { setItem(name: string, value: Uint8Array): Promise<void> }
  marks: { set(unit: UnitOfWork, accountId: AccountId, marks: { contact: true; answer: 'accepted' }): Promise<unknown> }
}

export class OwnInvites {
  readonly #components: OwnInvitesComponents

  constructor(components: OwnInvitesComponents) {
    this.#components = components
  }

  hashOf(token: InviteToken): InviteHash {
    const { context } = this.#components
    return inviteHashOf(context.crypto, context.network().id, token)
  }

  /** Keeps an invitation, here and on the other devices. */
  async keep(invitation: Invitation): Promise<void> {
    await this.#components.sync.setItem(this.#nameOf(invitation), encode(invitationCodec, invitation))
  }

  /** Forgets an invitation, on all devices. */
  async forget(invitation: Invitation): Promise<void> {
    await this.#components.sync.setItem(this.#nameOf(invitation), new Uint8Array())
  }

  #nameOf({ token }: Invitation): string {
    return `invite/${toHex(this.hashOf(token))}`
  }

  /** Those that are not taken back, newest first. */
  all(): Invitation[] {
    const found = this.#components.items.all().flatMap(item => invitationIn(item) ?? [])
    return found.sort((a, b) => b.createdAt - a.createdAt)
  }

  /** @param id - lower-case hex of the hash. */
  find(id: string): Invitation | undefined {
    return this.all().find(({ token }) => toHex(this.hashOf(token)) === id)
  }

  /** Who has accepted an invitation, as far as this device has heard, in the order of the account ids. */
  async acceptedBy({ token }: Invitation): Promise<AccountId[]> {
    const uses = await this.#components.states.range('invite-use', toHex(this.hashOf(token)), inviteUseEntry)
    return uses.map(({ value }) => value.accountId)
  }

  /**
   * A person says that they have accepted an invitation. If it is one of ours, both are contacts from now on; anything else
   * changes nothing.
   */
  async noteAccepted(unit: UnitOfWork, accountId: AccountId, proof: Uint8Array): Promise<void> {
    const { context, marks } = this.#components
    const pair = { inviter: context.accountId(), invited: accountId }
    if (equalBytes(pair.inviter, accountId)) return
    const now = context.timers.now()
    for (const invitation of this.all()) {
      const { token, expiresAt } = invitation
      // What was accepted in time may have waited at the nodes for long.
      if (expiresAt + PENDING_TTL_MS < now) continue
      if (!equalBytes(inviteProof(context.crypto, context.network().id, token, pair), proof)) continue
      if (await this.#use(unit, invitation, accountId, now)) {
        await marks.set(unit, accountId, { contact: true, answer: 'accepted' })
      }
      return
    }
  }

  /** @returns false once as many people have used it as may. */
  async #use(unit: UnitOfWork, { token, uses }: Invitation, accountId: AccountId, now: number): Promise<boolean> {
    const hash = toHex(this.hashOf(token))
    const slot = inviteSlots.use(hash, toHex(accountId))
    if (await unit.read(slot)) return true
    if ((await unit.range('invite-use', hash, inviteUseEntry)).length >= uses) return false
    unit.write(slot, { accountId, at: now })
    return true
  }
}

/** Undefined for an item of another kind, one that was taken back, and one that this version cannot read. */
function invitationIn({ name, value }: SyncItem): Invitation | undefined {
  if (!NAME.test(name) || value.length === 0) return undefined
  try {
    return decode(invitationCodec, value, { maxBytes: 1024 })
  } catch {
    return undefined
  }
}
