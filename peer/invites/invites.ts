import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import {
  createInviteToken,
  formatInviteAddress,
  formatInviteCode,
  inviteProof,
  parseInviteAddress,
  parseInviteCode,
  type Invite
} from '../../protocol/invite/invite-link.ts'
import { INVITE_LIFE_MS, MAX_INVITE_LIFE_MS, MAX_INVITE_USES } from '../../protocol/invite/invite-limits.ts'
import { signInvite, signInviteMail } from '../../protocol/invite/invite-statement.ts'
import type { ConversationId } from '../../protocol/roster/roster.ts'
import type { MessageBody } from '../../protocol/conversation/message.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { isUsername } from '../../protocol/identity/username.ts'
import type { NetworkId } from '../../protocol/network.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import type { ConversationSummary, InviteOptions, InvitePreview, InvitesApi, OwnInvite, Person } from '../peer-api.ts'
import type { OwnAccount } from '../store/own-account.ts'
import { inviteSlots } from '../store/invite-slots.ts'
import type { StateStore, UnitOfWork } from '../store/state-store.ts'
import type { InviteClient } from './invite-client.ts'
import type { Invitation, OwnInvites } from './own-invites.ts'

const ATTEMPT_BYTES = 16

export interface InvitesComponents {
  context: EngineContext
  states: StateStore
  client: InviteClient
  own: OwnInvites
  account: () => OwnAccount
  /** The network, learned first if it is not known yet, and the origin of the node in use. */
  network: { require(): Promise<{ id: NetworkId }>; readonly entry: string }
  people: { find(accountId: string): Promise<Person | null> }
  conversations: { open(accountId: string): Promise<ConversationSummary> }
  rows: { rowFor(unit: UnitOfWork, accounts: AccountId[]): Promise<{ conversationId: ConversationId }> }
  sealer: { enqueue(unit: UnitOfWork, conversationId: ConversationId, body: MessageBody): Promise<void>; kick(): void }
  marks: { set(unit: UnitOfWork, accountId: AccountId, marks: { contact: true; answer: 'accepted' }): Promise<unknown> }
}

/** A link that was understood. */
interface ReadLink {
  origin: string
  invite: Invite
}

/** The calls about invitations. */
export class Invites implements InvitesApi {
  readonly #components: InvitesComponents

  constructor(components: InvitesComponents) {
    this.#components = components
  }

  async look(address: string): Promise<InvitePreview> {
    const { client, own } = this.#components
    const { origin, invite } = await this.#read(address)
    const said = {
      accountId: toHex(invite.inviter),
      username: invite.username || null,
      displayName: invite.displayName || null
    }
    try {
      return { ...said, state: 'open', expiresAt: await client.look(origin, own.hashOf(invite.token)) }
    } catch (error) {
      if (!(error instanceof PeerError)) throw error
      return { ...said, state: error.code === 'invite-over' ? 'over' : 'unknown', expiresAt: null }
    }
  }

  async create(options: InviteOptions = {}): Promise<OwnInvite> {
    const { client, own } = this.#components
    const { invitation, statement } = await this.#make(options)
    await client.publish(invitation.origin, statement)
    await own.keep(invitation)
    return this.#shown(invitation)
  }

  canMail(): Promise<boolean> {
    return this.#components.client.canMail(this.#components.network.entry)
  }

  async mail(address: string): Promise<OwnInvite> {
    const { context, client, own } = this.#components
    const { invitation, statement } = await this.#make({})
    const time = context.timers.now()
    const mail = { statement, code: this.#codeOf(invitation), address: address.trim(), time }
    const signed = await this.#signedMail(mail)
    await client.mail(invitation.origin, signed)
    await own.keep(invitation)
    return this.#shown(invitation)
  }

  /** @throws PeerError `mail-address` for a text that is too long for one. */
  async #signedMail(mail: Parameters<typeof signInviteMail>[2]): Promise<Uint8Array> {
    const { context } = this.#components
    if (!/^\S{1,64}@\S{1,189}$/.test(mail.address)) throw new PeerError('mail-address')
    return signInviteMail(context.network().id, context.device().signingKey, mail)
  }

  async list(): Promise<OwnInvite[]> {
    return Promise.all(this.#components.own.all().map(invitation => this.#shown(invitation)))
  }

  async revoke(id: string): Promise<void> {
    const { client, own } = this.#components
    const invitation = own.find(id)
    if (!invitation) throw new PeerError('invite-unknown')
    // At a node that has forgotten it nothing is left to end.
    if (invitation.expiresAt > this.#components.context.timers.now()) {
      await client.publish(invitation.origin, await this.#statementOf(invitation, true))
    }
    await own.forget(invitation)
  }

  async accept(address: string): Promise<ConversationSummary> {
    const { context, states, people, conversations, sealer } = this.#components
    const { origin, invite } = await this.#read(address)
    if (equalBytes(invite.inviter, context.accountId())) throw new PeerError('own-account')
    // First: an invitation must not be used up for a person who cannot be found.
    const inviter = await people.find(toHex(invite.inviter))
    if (!inviter) throw new PeerError('no-account')
    await this.#use(origin, invite)
    await states.unit(unit => this.#tell(unit, invite))
    sealer.kick()
    return conversations.open(inviter.accountId)
  }

  async #use(origin: string, { token }: Invite): Promise<void> {
    const { context, states, client, own } = this.#components
    const hash = own.hashOf(token)
    const slot = inviteSlots.attempt(toHex(hash))
    // On disk before it is sent: a process that ends in between asks with the same one.
    const { attempt } = await states.unit(async unit => {
      const made = (await unit.read(slot)) ?? { attempt: context.random(ATTEMPT_BYTES) }
      unit.write(slot, made)
      return made
    })
    await client.accept(origin, hash, token, attempt)
  }

  /** Marks the inviter as a contact, and tells them so. */
  async #tell(unit: UnitOfWork, { token, inviter }: Invite): Promise<void> {
    const { context, marks, rows, sealer } = this.#components
    const invited = context.accountId()
    await marks.set(unit, inviter, { contact: true, answer: 'accepted' })
    const { conversationId } = await rows.rowFor(unit, [invited, inviter])
    const proof = inviteProof(context.crypto, context.network().id, token, { inviter, invited })
    await sealer.enqueue(unit, conversationId, { kind: 'inviteAccepted', proof })
  }

  async #make({ uses = 1, lifeMs = INVITE_LIFE_MS }: InviteOptions) {
    const { context, network } = this.#components
    const createdAt = context.timers.now()
    const invitation: Invitation = {
      token: createInviteToken(context.random),
      createdAt,
      expiresAt: createdAt + clamp(lifeMs, MAX_INVITE_LIFE_MS),
      uses: clamp(uses, MAX_INVITE_USES),
      origin: network.entry
    }
    return { invitation, statement: await this.#statementOf(invitation, false) }
  }

  #statementOf({ token, createdAt, expiresAt, uses }: Invitation, revoked: boolean): Promise<Uint8Array> {
    const { context, own } = this.#components
    const { signingKey, deviceId: device } = context.device()
    const account = context.accountId()
    const statement = { account, device, hash: own.hashOf(token), createdAt, expiresAt, uses, revoked }
    return signInvite(context.network().id, signingKey, statement)
  }

  async #shown(invitation: Invitation): Promise<OwnInvite> {
    const { own } = this.#components
    const { token, origin, createdAt, expiresAt, uses } = invitation
    const accepted = (await own.acceptedBy(invitation)).map(toHex)
    const url = formatInviteAddress(origin, this.#codeOf(invitation))
    return { id: toHex(own.hashOf(token)), url, createdAt, expiresAt, uses, accepted }
  }

  #codeOf({ token }: Invitation): string {
    const { context, account } = this.#components
    const { displayName, name } = account()
    const username = name && name.state !== 'taken' && isUsername(name.username) ? name.username : null
    return formatInviteCode(context.network().id, { token, inviter: context.accountId(), username, displayName })
  }

  /** @throws PeerError `invite-malformed`, `other-network`, `offline`. */
  async #read(address: string): Promise<ReadLink> {
    const { id } = await this.#components.network.require()
    try {
      const { origin, code } = parseInviteAddress(address)
      return { origin, invite: parseInviteCode(id, code) }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      if (error.code === 'NOT_FOR_US') throw new PeerError('invite-other-network', {}, { cause: error })
      throw new PeerError('invite-malformed', {}, { cause: error })
    }
  }
}

/** A whole number from 1 to `max`. */
const clamp = (value: number, max: number): number => Math.max(1, Math.min(Math.floor(value), max))
