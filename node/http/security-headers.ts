import type { FastifyHelmetOptions } from '@fastify/helmet'
import type { Epoch } from '../../protocol/wire/placement.ts'

/** More origins than this would make every answer's headers long; such a network relies on its own origin. */
const MAX_NAMED_ORIGINS = 32

/** Loopback hosts as they stand in a URL. */
export const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])$/

const isLoopbackHttp = (url: string): boolean => {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && LOOPBACK_HOST.test(hostname)
}

/** Devices ask for no more than these: a page that is taken over can ask for nothing else. */
const PERMISSIONS = 'camera=(self), microphone=(self), geolocation=(), payment=(), usb=()'

/** Header that helmet does not know. */
export const PERMISSIONS_POLICY = { name: 'permissions-policy', value: PERMISSIONS }

/**
 * Headers of every answer. The policy closes the ways by which injected text becomes running code (Trusted Types,
 * no inline script) or data leaves for elsewhere: in a messenger, a script of an attacker uses the keys of its user.
 *
 * @param epoch - an app that moved to another node still reads its HTTP API: listed origins may be connected to, and
 * plain WebSockets on this machine where the network lives there. Asked for each answer, because lists change.
 * @param overTls - people reach this node by https.
 */
export function securityHeaders(epoch: () => Epoch, overTls: boolean): FastifyHelmetOptions {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        mediaSrc: ['blob:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'", 'wss:', () => connectSources(epoch()).join(' ')],
        workerSrc: ["'self'"],
        manifestSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
        trustedTypes: ['svelte-trusted-html', 'volo-worker']
      }
    },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginEmbedderPolicy: false,
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
    hsts: overTls ? { maxAge: 31_536_000, includeSubDomains: false } : false
  }
}

function connectSources(epoch: Epoch): string[] {
  const all = [...new Set(epoch.nodes.filter(({ url }) => URL.canParse(url)).map(({ url }) => new URL(url).origin))]
  // The grammar of sources knows no IPv6 addresses; browsers drop such a source and complain.
  const origins = all.filter(origin => !origin.includes('['))
  const local = all.some(isLoopbackHttp) ? ['ws://127.0.0.1:*', 'ws://localhost:*'] : []
  return [...local, ...(origins.length <= MAX_NAMED_ORIGINS ? origins : [])]
}

/**
 * Policy of the demo sign-in's pages: no script at all, and a form whose redirects may end on this machine. `[::1]` cannot
 * be named in a policy; who is on it is on `'self'`.
 */
export const DEMO_PAGE_POLICY = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      formAction: ["'self'", 'http://127.0.0.1:*', 'http://localhost:*'],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"]
    }
  }
} satisfies FastifyHelmetOptions
