import type { Clock } from '../../protocol/crypto/crypto.ts'
import { MAX_SITE_FILE_BYTES, siteAddress, siteNames, type Site } from '../../protocol/identity/site.ts'
import { NodeError } from '../errors.ts'
import { addressKey } from '../limits/address-key.ts'
import { RateLimiter } from '../limits/rate-limiter.ts'
import { PublicFetchError, publicFetch } from './public-fetch.ts'

const MINUTE_MS = 60_000
/** Sites that one address may have checked in a minute. */
export const SITE_CHECKS_PER_MINUTE = 30
/** What a site said counts for this long: nobody can make a node knock at a site over and over. */
export const SITE_CACHE_MS = 10 * MINUTE_MS
const MAX_CACHED = 10_000
const MAX_UNDER_WAY = 16

/** What a site says about an account. `unknown`: it cannot be read. */
export interface SiteCheck {
  state: 'linked' | 'not-linked' | 'unknown'
  /** When the site was asked, milliseconds since 1970. */
  checkedAt: number
}

interface Read {
  /** Null if the site could not be read. */
  file: string | null
  at: number
}

export interface SiteCheckerComponents {
  clock: Clock
  /** Reads the file of a site. @throws PublicFetchError. */
  read?: (url: string) => Promise<string>
}

/** Looks whether web sites name accounts. */
export class SiteChecker {
  readonly #clock: Clock
  readonly #read: (url: string) => Promise<string>
  readonly #perAddress: RateLimiter
  /** In the order in which they were asked. */
  readonly #cache = new Map<Site, Read>()
  readonly #underWay = new Map<Site, Promise<Read>>()

  constructor({ clock, read }: SiteCheckerComponents) {
    this.#clock = clock
    this.#read = read ?? (url => publicFetch(url, { maxBytes: MAX_SITE_FILE_BYTES }))
    this.#perAddress = new RateLimiter({ clock }, { limit: SITE_CHECKS_PER_MINUTE, windowMs: MINUTE_MS })
  }

  /**
   * @param account - lower-case hex. @param address - of the client.
   * @throws NodeError `rate-limited`, `busy`.
   */
  async check(site: Site, account: string, address: string): Promise<SiteCheck> {
    if (!this.#perAddress.spend(addressKey(address))) {
      throw new NodeError('rate-limited', 'Too many sites; try again in a minute.')
    }
    const { file, at } = await this.#fileOf(site)
    const state = file === null ? 'unknown' : siteNames(file, account) ? 'linked' : 'not-linked'
    return { state, checkedAt: at }
  }

  async #fileOf(site: Site): Promise<Read> {
    const cached = this.#cache.get(site)
    if (cached && cached.at + SITE_CACHE_MS > this.#clock()) return cached
    const running = this.#underWay.get(site)
    if (running) return running
    if (this.#underWay.size >= MAX_UNDER_WAY) throw new NodeError('busy', 'Too many sites are being asked; try again.')
    const asking = this.#ask(site).finally(() => this.#underWay.delete(site))
    this.#underWay.set(site, asking)
    return asking
  }

  async #ask(site: Site): Promise<Read> {
    const at = this.#clock()
    const file = await this.#read(siteAddress(site)).catch((error: unknown) => {
      if (error instanceof PublicFetchError) return null
      throw error
    })
    this.#cache.delete(site)
    if (this.#cache.size >= MAX_CACHED) this.#cache.delete(this.#cache.keys().next().value!)
    this.#cache.set(site, { file, at })
    return { file, at }
  }
}
