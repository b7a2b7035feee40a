import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import type { LinkedAccount } from '../../protocol/identity/linked-account.ts'
import { MAX_SITES, parseSite, siteAddress, type Site } from '../../protocol/identity/site.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { askNode, jsonOf } from '../network/node-http.ts'
import type { AccountLink, PersonLink, SiteLink, SocialApi } from '../peer-api.ts'
import type { OwnLinkedAccount } from '../sending/profile.ts'
import type { HttpClient } from '../ports.ts'
import type { AccountLinking } from './account-linking.ts'
import type { LinkedAccounts } from './linked-accounts.ts'
import type { PersonSites } from './person-sites.ts'

/** The node waits for a site. */
const TIMEOUT_MS = 15_000

export interface SocialComponents {
  context: Pick<EngineContext, 'accountId'>
  fetch: HttpClient
  /** Origin of the node in use. */
  network: { readonly entry: string }
  /** The own sites, and what changes them on all devices and for those who have the profile. */
  own: { sites(): Site[]; accounts(): OwnLinkedAccount[]; change(sites: Site[]): Promise<void> }
  others: Pick<PersonSites, 'of'>
  accounts: Pick<LinkedAccounts, 'shown'>
  /** The accounts elsewhere that another person shows. */
  othersAccounts: (accountId: AccountId) => Promise<LinkedAccount[]>
  linking: AccountLinking
}

type Answer = Pick<SiteLink, 'state' | 'checkedAt'>

/** The calls about web sites and accounts elsewhere. */
export class Social implements SocialApi {
  readonly #components: SocialComponents

  constructor(components: SocialComponents) {
    this.#components = components
  }

  async link(typed: string): Promise<PersonLink[]> {
    const { own, context } = this.#components
    const site = siteOf(typed)
    const before = own.sites()
    if (!before.includes(site) && before.length >= MAX_SITES)
      throw new PeerError('too-many-sites', { limit: MAX_SITES })
    // Before others are told: a site that does not name the account would be shown as a contradiction.
    const { state } = await this.#ask(site, context.accountId())
    if (state === 'not-linked') throw new PeerError('site-not-linked', { url: siteAddress(site) })
    if (state === 'unknown') throw new PeerError('site-unreachable', { url: siteAddress(site) })
    if (!before.includes(site)) await own.change([...before, site])
    return this.links(toHex(context.accountId()))
  }

  async unlink(typed: string): Promise<PersonLink[]> {
    const { own, context } = this.#components
    const site = siteOf(typed)
    const before = own.sites()
    if (before.includes(site)) await own.change(before.filter(each => each !== site))
    return this.links(toHex(context.accountId()))
  }

  async links(account: string): Promise<PersonLink[]> {
    const { context, own, others } = this.#components
    const accountId = accountIdFromHex(account)
    const sites = equalBytes(accountId, context.accountId()) ? own.sites() : await others.of(accountId)
    const shown = await Promise.all(sites.map(site => this.#shown(site, accountId)))
    return [...shown, ...(await this.#accountsOf(accountId))]
  }

  startAccount(provider: string, returnTo: string): Promise<string> {
    return this.#components.linking.start(provider, returnTo)
  }

  async finishAccount(code: string, isShown: boolean): Promise<PersonLink[]> {
    await this.#components.linking.finish(code, isShown)
    return this.#ownLinks()
  }

  async showAccount(provider: string, isShown: boolean): Promise<PersonLink[]> {
    await this.#components.linking.show(provider, isShown)
    return this.#ownLinks()
  }

  async unlinkAccount(provider: string): Promise<PersonLink[]> {
    await this.#components.linking.unlink(provider)
    return this.#ownLinks()
  }

  #ownLinks(): Promise<PersonLink[]> {
    return this.links(toHex(this.#components.context.accountId()))
  }

  async #accountsOf(accountId: AccountId): Promise<AccountLink[]> {
    const { context, own, accounts, othersAccounts } = this.#components
    if (!equalBytes(accountId, context.accountId())) return accounts.shown(accountId, await othersAccounts(accountId))
    const linked = own.accounts()
    const links = await accounts.shown(
      accountId,
      linked.map(each => each.linked)
    )
    const isShown = (provider: string): boolean =>
      linked.some(each => each.linked.provider === provider && each.isShown)
    return links.map(link => ({ ...link, isShown: isShown(link.provider) }))
  }

  async #shown(site: Site, accountId: AccountId): Promise<SiteLink> {
    const link = { kind: 'site' as const, site, url: siteAddress(site) }
    try {
      const { state, checkedAt } = await this.#ask(site, accountId)
      const isKnown = state !== 'unknown'
      const checkedBy = isKnown ? this.#components.network.entry : null
      return { ...link, state, checkedAt: isKnown ? checkedAt : null, checkedBy }
    } catch (error) {
      if (!(error instanceof PeerError)) throw error
      return { ...link, state: 'unknown', checkedAt: null, checkedBy: null }
    }
  }

  /** @throws PeerError `offline`, `bad-answer`, `refused`. */
  async #ask(site: Site, accountId: AccountId): Promise<Answer> {
    const { fetch, network } = this.#components
    const path = `/v1/sites/${site}?account=${toHex(accountId)}`
    const answer = await askNode(fetch, network.entry, path, { timeoutMs: TIMEOUT_MS })
    if (!answer.ok) throw new PeerError('refused', { refusal: answer.status === 429 ? 'rate-limited' : 'internal' })
    const { state, checkedAt } = (jsonOf(answer) ?? {}) as { state?: unknown; checkedAt?: unknown }
    const isSound = ['linked', 'not-linked', 'unknown'].includes(state as string) && Number.isSafeInteger(checkedAt)
    if (!isSound) throw new PeerError('bad-answer')
    return { state: state as SiteLink['state'], checkedAt: checkedAt as number }
  }
}

/** @throws PeerError `site-malformed`. */
function siteOf(typed: string): Site {
  try {
    return parseSite(typed)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new PeerError('site-malformed', {}, { cause })
  }
}
