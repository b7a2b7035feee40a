import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { MAX_SITES, parseSite, siteAddress, type Site } from '../../protocol/identity/site.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { askNode, jsonOf } from '../network/node-http.ts'
import type { PersonLink, SocialApi } from '../peer-api.ts'
import type { HttpClient } from '../ports.ts'
import type { PersonSites } from './person-sites.ts'

/** The node waits for a site. */
const TIMEOUT_MS = 15_000

export interface SocialComponents {
  context: Pick<EngineContext, 'accountId'>
  fetch: HttpClient
  /** Origin of the node in use. */
  network: { readonly entry: string }
  /** The own sites, and what changes them on all devices and for those who have the profile. */
  own: { sites(): Site[]; change(sites: Site[]): Promise<void> }
  others: PersonSites
}

type Answer = Pick<PersonLink, 'state' | 'checkedAt'>

/** The calls about web sites. */
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
    return Promise.all(sites.map(site => this.#shown(site, accountId)))
  }

  async #shown(site: Site, accountId: AccountId): Promise<PersonLink> {
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
    return { state: state as PersonLink['state'], checkedAt: checkedAt as number }
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
