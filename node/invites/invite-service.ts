import { createHmac, randomBytes } from 'node:crypto'
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import type { Clock, Crypto } from '../../protocol/crypto/crypto.ts'
import {
  inviteHashOf,
  parseInviteCode,
  formatInviteAddress,
  type InviteToken
} from '../../protocol/invite/invite-link.ts'
import {
  decodeInviteMail,
  decodeInviteStatement,
  verifyInvite,
  verifyInviteMail,
  type InviteStatement
} from '../../protocol/invite/invite-statement.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { NodeError } from '../errors.ts'
import type { DirectoryPort } from '../key-directory/directory-port.ts'
import { addressKey } from '../limits/address-key.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'
import type { Logger } from '../ports.ts'
import { KeyedLock } from '../storage/keyed-lock.ts'
import { inviteMail, isMailAddress } from './invite-mail.ts'
import type { InviteRecord, InviteRecords } from './invite-records.ts'
import type { Mailer } from './mailer.ts'

const MINUTE_MS = 60 * 1000
const DAY_MS = 24 * 60 * MINUTE_MS
/** Invitations of one account that a node keeps. Those that are over make room. */
export const MAX_INVITES_PER_ACCOUNT = 100
/** New invitations of one account in a day. */
export const INVITES_PER_DAY = 100
/** Mails that one account may have sent in a day. */
export const MAILS_PER_ACCOUNT_PER_DAY = 10
/** Mails that one address gets in a day, whoever invites. */
export const MAILS_PER_ADDRESS_PER_DAY = 2
/** Mails that a node sends in a day. */
export const MAILS_PER_DAY = 500
/** Times that one client address may try to accept in a minute. */
export const ACCEPTS_PER_MINUTE = 60

export interface InviteServiceComponents {
  crypto: Crypto
  clock: Clock
  logger: Logger
  records: InviteRecords
  directory: Pick<DirectoryPort, 'device'>
  /** Undefined where the operator has configured none: then there are links only. */
  mailer: Pick<Mailer, 'send'> | undefined
}

/** Keeps invitations: whose they are, and how often they may be used. Who accepts is told to the inviter alone, end to end. */
export class InviteService {
  readonly #components: InviteServiceComponents
  readonly #init: { network: NetworkId; publicUrl: string }
  readonly #log: Logger
  readonly #locks = new KeyedLock()
  readonly #made: RateLimiter
  readonly #accepts: RateLimiter
  readonly #mailsOfAccount: RateLimiter
  readonly #mailsToAddress: RateLimiter
  readonly #mails: RateLimiter
  /** Addresses are counted under a key that ends with the process. */
  readonly #addressKey = randomBytes(32)

  constructor(components: InviteServiceComponents, init: { network: NetworkId; publicUrl: string }) {
    this.#components = components
    this.#init = init
    this.#log = components.logger.forComponent('volo:invites')
    const perDay = (limit: number): RateLimiter => new RateLimiter(components, { limit, windowMs: DAY_MS })
    this.#made = perDay(INVITES_PER_DAY)
    this.#mailsOfAccount = perDay(MAILS_PER_ACCOUNT_PER_DAY)
    this.#mailsToAddress = perDay(MAILS_PER_ADDRESS_PER_DAY)
    this.#mails = perDay(MAILS_PER_DAY)
    this.#accepts = new RateLimiter(components, { limit: ACCEPTS_PER_MINUTE, windowMs: MINUTE_MS })
  }

  /** Whether this node sends invitations by e-mail. */
  get canMail(): boolean {
    return this.#components.mailer !== undefined
  }

  /**
   * Keeps an invitation, or ends one that is taken back. The same statement again changes nothing.
   * @param body - an encoded `InviteStatement`.
   * @throws ProtocolError for what is malformed or not rightly signed; NodeError `refused`, `rate-limited`.
   */
  async publish(body: Uint8Array): Promise<void> {
    await this.#keep(await this.#checked(body))
  }

  /**
   * Keeps an invitation and mails its link.
   * @param body - an encoded `InviteMail`.
   * @throws as {@link publish}; NodeError `no-mail` where no mail server is configured, `malformed` for what is no address,
   * `unreachable` if the mail server does not take it.
   */
  async mail(body: Uint8Array): Promise<void> {
    const { crypto, clock, mailer } = this.#components
    if (!mailer) throw new NodeError('no-mail', 'This node sends no mail; share the link yourself.')
    const request = decodeInviteMail(body)
    const { statement, signingKey } = await this.#checked(request.statement)
    await verifyInviteMail(crypto, this.#init.network, signingKey, request, clock())
    if (!isMailAddress(request.address)) throw new NodeError('malformed', 'That is not an e-mail address.')
    const invite = parseInviteCode(this.#init.network, request.code)
    const isOfStatement =
      equalBytes(invite.inviter, statement.account) &&
      equalBytes(inviteHashOf(crypto, this.#init.network, invite.token), statement.hash)
    if (!isOfStatement || statement.revoked) throw new NodeError('refused', 'The link is not of this invitation.')
    await this.#keep({ statement })
    this.#requireMail(toHex(statement.account), request.address)
    const link = formatInviteAddress(this.#init.publicUrl, request.code)
    await mailer.send(inviteMail(request.address, invite, link))
    this.#log.info('mailed an invitation', { account: toHex(statement.account) })
  }

  /** How an invitation is doing. @throws NodeError `not-found` if it is not known, or over. */
  async look(hash: string): Promise<{ expiresAt: number; usesLeft: number }> {
    const { expiresAt, uses, attempts } = this.#open(await this.#components.records.get(hash))
    return { expiresAt, usesLeft: uses - attempts.length }
  }

  /**
   * Uses an invitation once. On disk once this resolves.
   *
   * @param attempt - lower-case hex of 16 bytes that the device chose: the same again counts once.
   * @param address - of the client.
   * @throws NodeError `not-found` if the token is wrong, or the invitation is not known, used up, taken back or over.
   */
  async accept(hash: string, token: InviteToken, attempt: string, address: string): Promise<void> {
    const { crypto, records } = this.#components
    if (!this.#accepts.spend(addressKey(address))) {
      throw new NodeError('rate-limited', 'Too many attempts; try again in a minute.')
    }
    if (!equalBytes(inviteHashOf(crypto, this.#init.network, token), fromHex(hash, 32))) throw notFound()
    await this.#locks.run(hash, async () => {
      const record = await records.get(hash)
      if (record?.attempts.includes(attempt)) return
      const open = this.#open(record)
      await records.save({ ...open, attempts: [...open.attempts, attempt] })
    })
  }

  /** Forgets what is over. */
  sweep(): Promise<void> {
    return this.#components.records.forgetUntil(this.#components.clock())
  }

  async #checked(encoded: Uint8Array): Promise<{ statement: InviteStatement; signingKey: Uint8Array }> {
    const { crypto, clock, directory } = this.#components
    const statement = decodeInviteStatement(encoded)
    const device = await directory.device(statement.device)
    if (!device || device.state === 'revoked' || !equalBytes(device.accountId, statement.account)) {
      throw new NodeError('refused', 'The device is not on that account.')
    }
    const { signingKey } = device.keys
    await verifyInvite(crypto, this.#init.network, signingKey, statement)
    if (statement.expiresAt <= clock()) throw new NodeError('refused', 'The invitation is over already.')
    return { statement, signingKey }
  }

  #keep({ statement }: { statement: InviteStatement }): Promise<void> {
    const { records } = this.#components
    const hash = toHex(statement.hash)
    const account = toHex(statement.account)
    return this.#locks.run(hash, async () => {
      const before = await records.get(hash)
      if (before && before.account !== account) throw new NodeError('refused', 'The invitation is of another account.')
      if (before) return statement.revoked ? records.save({ ...before, revoked: true }) : undefined
      const { expiresAt, uses, revoked } = statement
      await this.#requireRoom(account)
      await records.save({ hash, account, expiresAt, uses, attempts: [], revoked })
    })
  }

  async #requireRoom(account: string): Promise<void> {
    const count = await this.#components.records.countOf(account, MAX_INVITES_PER_ACCOUNT)
    if (count < MAX_INVITES_PER_ACCOUNT && this.#made.spend(account)) return
    throw new NodeError('rate-limited', 'This account has made too many invitations; try again tomorrow.')
  }

  #requireMail(account: string, address: string): void {
    const key = createHmac('sha256', this.#addressKey).update(address.toLowerCase()).digest('hex')
    // The address last: a person who invites too much must not use up what others may send there.
    const isAllowed = this.#mails.spend('') && this.#mailsOfAccount.spend(account) && this.#mailsToAddress.spend(key)
    if (!isAllowed)
      throw new NodeError('rate-limited', 'Too many invitations were mailed today; share the link yourself.')
  }

  /** @throws NodeError `not-found`, the same for all: who guesses learns nothing. */
  #open(record: InviteRecord | undefined): InviteRecord {
    const isOpen =
      record && !record.revoked && record.expiresAt > this.#components.clock() && record.attempts.length < record.uses
    if (isOpen) return record
    throw notFound()
  }
}

const notFound = (): NodeError =>
  new NodeError('not-found', 'The invitation is not known here, was used or taken back, or is over.')
