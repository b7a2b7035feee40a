import { parseRoute, type Route } from './routes.ts'

/** The part of a window that a router needs. */
export interface AddressBar {
  location: { hash: string; pathname: string; search: string }
  history: { replaceState(data: unknown, unused: string, url: string): void }
  addEventListener(type: 'hashchange', listener: () => void): void
}

/** Follows the fragment of the address: no server rewrites needed, and secrets in it never reach a server. */
export class Router {
  route = $state.raw<Route>({ screen: 'chats' })
  readonly #window: AddressBar

  constructor(window: AddressBar) {
    this.#window = window
    this.route = parseRoute(window.location.hash)
  }

  /** Starts to follow the address bar. */
  start(): void {
    this.#window.addEventListener('hashchange', () => (this.route = parseRoute(this.#window.location.hash)))
  }

  /** Goes to an address of {@link links}; "back" returns from it. */
  go(link: string): void {
    this.#window.location.hash = link
  }

  /** Goes to an address in place of the present one, which leaves the history. */
  replace(link: string): void {
    const { pathname, search } = this.#window.location
    this.#window.history.replaceState(null, '', `${pathname}${search}${link}`)
    this.route = parseRoute(link)
  }
}
