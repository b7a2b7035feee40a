/**
 * Keeps the whole app on this device, so that it opens when the node that served it is gone. A new version waits until
 * the person accepts it, or until every tab was closed: then the browser starts it, and nothing in this file can keep it
 * from that. The node could also serve another service worker, which takes over in the same way. Everything that is not a file of the app goes to the network untouched.
 */

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}

interface NotificationEvent extends ExtendableEvent {
  readonly notification: { readonly data: unknown; close(): void }
}

/** A tab of the app. */
interface WindowClient {
  focus(): Promise<unknown>
  postMessage(message: unknown): void
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}

/** The part of a service worker's global scope in use; TypeScript has the page's scope only. */
interface ServiceWorkerScope {
  readonly registration: { readonly scope: string }
  readonly clients: {
    claim(): Promise<void>
    matchAll(options: { type: 'window' }): Promise<WindowClient[]>
    openWindow(address: string): Promise<unknown>
  }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void
  addEventListener(type: 'notificationclick', listener: (event: NotificationEvent) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}

declare const self: ServiceWorkerScope
/** The build writes the list here: hashed names, or a revision beside the name. */
declare const __VOLO_FILES__: { url: string; revision: string | null }[]

export {}

const CACHE_PREFIX = 'volo-app-'
const files = __VOLO_FILES__
const addresses = new Set(files.map(file => new URL(file.url, self.registration.scope).href))
const startPage = new URL('index.html', self.registration.scope).href

/** One cache for each set of files, so that two versions never mix. */
async function cacheName(): Promise<string> {
  const list = new TextEncoder().encode(JSON.stringify(files))
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', list))
  return CACHE_PREFIX + Array.from(digest.subarray(0, 8), byte => byte.toString(16).padStart(2, '0')).join('')
}

async function keepFiles(): Promise<void> {
  const cache = await caches.open(await cacheName())
  await cache.addAll([...addresses].map(address => new Request(address, { cache: 'reload' })))
}

async function dropOlderVersions(): Promise<void> {
  const current = await cacheName()
  const names = await caches.keys()
  await Promise.all(
    names.filter(name => name.startsWith(CACHE_PREFIX) && name !== current).map(name => caches.delete(name))
  )
}

async function fromThisDevice(address: string, request: Request): Promise<Response> {
  const cache = await caches.open(await cacheName())
  return (await cache.match(address)) ?? fetch(request)
}

/** Headers are fetched again at most this often. */
const RENEW_EVERY_MS = 60 * 60 * 1_000
/** The files whose headers carry the policy for the page and for the worker. */
const policed = [...addresses].filter(address => address === startPage || address.includes('/peer-worker-'))
let renewedAt = 0

/**
 * The policy that is kept with a file names the nodes of the day it was fetched. Newer headers replace it only if the file
 * is still the same: code changes with a new version alone.
 */
async function renewHeaders(): Promise<void> {
  if (Date.now() - renewedAt < RENEW_EVERY_MS) return
  renewedAt = Date.now()
  const cache = await caches.open(await cacheName())
  for (const address of policed) {
    const [kept, fresh] = [await cache.match(address), await fetch(address, { cache: 'no-cache' }).catch(() => null)]
    if (!kept || !fresh?.ok) continue
    if ((await kept.text()) === (await fresh.clone().text())) await cache.put(address, fresh)
  }
}

/** The address of the kept file that answers a request; null if the request goes to the network. */
function keptAddress(request: Request): string | null {
  if (request.method !== 'GET') return null
  const url = new URL(request.url)
  url.hash = ''
  url.search = ''
  if (url.href === self.registration.scope) return startPage
  return addresses.has(url.href) ? url.href : null
}

/** Brings the app to the front and leads it to where a notice points; without an open tab it opens one. */
async function openFromNotice(data: unknown): Promise<void> {
  const { link } = (data ?? {}) as { link?: unknown }
  if (typeof link !== 'string' || !link.startsWith('#/')) return
  const [tab] = await self.clients.matchAll({ type: 'window' })
  if (!tab) return void (await self.clients.openWindow(new URL(link, self.registration.scope).href))
  tab.postMessage({ open: link })
  await tab.focus()
}

self.addEventListener('install', event => event.waitUntil(keepFiles()))
// Also take over pages that were open before the first version, so that they hear of the next one.
self.addEventListener('activate', event => event.waitUntil(Promise.all([dropOlderVersions(), self.clients.claim()])))
self.addEventListener('message', event => {
  if (event.data === 'accept-update') void self.skipWaiting()
})
self.addEventListener('notificationclick', event => {
  event.notification.close()
  event.waitUntil(openFromNotice(event.notification.data))
})
self.addEventListener('fetch', event => {
  const address = keptAddress(event.request)
  if (!address) return
  event.respondWith(fromThisDevice(address, event.request))
  if (event.request.mode === 'navigate') event.waitUntil(renewHeaders())
})
