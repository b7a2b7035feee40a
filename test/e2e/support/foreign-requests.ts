import type { BrowserContext } from '@playwright/test'

/**
 * Collects every request of a context that goes to none of the given origins. Nothing of Volo may leave its nodes.
 * @returns a list that keeps filling.
 */
export function watchForeignRequests(context: BrowserContext, origins: string[]): string[] {
  const hosts = new Set(origins.map(origin => new URL(origin).host))
  const foreign: string[] = []
  const check = (address: string) => {
    const url = new URL(address)
    if (['data:', 'blob:', 'about:'].includes(url.protocol)) return
    if (!hosts.has(url.host)) foreign.push(address)
  }
  context.on('request', request => check(request.url()))
  context.on('page', page => page.on('websocket', socket => check(socket.url())))
  return foreign
}
