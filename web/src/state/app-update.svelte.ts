import { trustedScript } from '../worker/trusted-script.ts'

/** How often a page that stays open asks whether there is a new version. */
const CHECK_EVERY_MS = 60 * 60 * 1_000

/**
 * Offers a new version of the app; nothing changes in a tab until the person accepts, then every tab reloads. Without a word
 * the browser starts the new version once the last tab was closed.
 */
export class AppUpdate {
  available = $state(false)
  accepting = $state(false)
  #waiting: ServiceWorker | null = null

  /** Registers the service worker and looks for updates. Without service workers the app still runs, online only. */
  async start(scriptUrl: string): Promise<void> {
    if (!('serviceWorker' in navigator)) return
    const { serviceWorker } = navigator
    // The first version that takes control is not an update: the page must not reload while the user works in it.
    let hadController = serviceWorker.controller !== null
    serviceWorker.addEventListener('controllerchange', () => {
      if (hadController) location.reload()
      hadController = true
    })
    try {
      this.#watch(await serviceWorker.register(trustedScript(scriptUrl), { scope: './' }))
    } catch (error) {
      console.warn('The app will not open offline.', error)
    }
  }

  /** Starts the waiting version. */
  accept(): void {
    this.accepting = true
    this.#waiting?.postMessage('accept-update')
  }

  /** Leaves the new version for the next start. */
  later(): void {
    this.available = false
  }

  #watch(registration: ServiceWorkerRegistration): void {
    if (registration.waiting && navigator.serviceWorker.controller) this.#offer(registration.waiting)
    registration.addEventListener('updatefound', () => {
      const { installing } = registration
      installing?.addEventListener('statechange', () => {
        if (installing.state === 'installed' && navigator.serviceWorker.controller) this.#offer(installing)
      })
    })
    setInterval(() => {
      // Offline: the next round asks again.
      if (document.visibilityState === 'visible') registration.update().catch(() => {})
    }, CHECK_EVERY_MS)
  }

  #offer(worker: ServiceWorker): void {
    this.#waiting = worker
    this.available = true
  }
}
