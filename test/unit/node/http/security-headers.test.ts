import { describe, expect, it } from 'vitest'
import { DEMO_PAGE_POLICY, securityHeaders } from '../../../../node/http/security-headers.ts'
import { configuredEpoch, type Epoch, type ListedNode } from '../../../../protocol/wire/placement.ts'

/** https://www.w3.org/TR/CSP3/#grammardef-source-expression, without hashes and nonces, which we do not use. */
const SOURCE = /^('[a-z-]+'|[a-z]+:|([a-z]+:\/\/)?(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:(\d+|\*))?)$/
/** Directives whose values are no sources. */
const NO_SOURCES = new Set(['requireTrustedTypesFor', 'trustedTypes'])

/** A source, or what tells sources for an answer. */
type Source = string | (() => string)

const nodeAt = (url: string): ListedNode => ({ url }) as ListedNode
const epochOf =
  (...urls: string[]) =>
  (): Epoch =>
    configuredEpoch(0, new Uint8Array(32), urls.map(nodeAt))

function sourcesOf(policy: unknown): string[] {
  const { directives } = (policy as { contentSecurityPolicy: { directives: Record<string, Source[]> } })
    .contentSecurityPolicy
  return Object.entries(directives)
    .flatMap(([name, values]) => (NO_SOURCES.has(name) ? [] : values))
    .flatMap(value => (typeof value === 'function' ? value().split(' ') : value))
    .filter(source => source !== '')
}

describe('security policies', () => {
  it('name only sources that browsers understand, wherever the nodes are', () => {
    const urls = ['https://node.example', 'https://node.example:8443', 'http://127.0.0.1:8787', 'http://[::1]:8787']
    const sources = [...sourcesOf(securityHeaders(epochOf(...urls), true)), ...sourcesOf(DEMO_PAGE_POLICY)]
    expect(sources).toContain('https://node.example:8443')
    expect(sources.filter(source => !SOURCE.test(source))).toEqual([])
  })

  it('let plain WebSockets go to this machine only where the network lives there', () => {
    const local = sourcesOf(securityHeaders(epochOf('http://[::1]:8787'), false))
    expect(local).toContain('ws://127.0.0.1:*')
    expect(sourcesOf(securityHeaders(epochOf('https://node.example'), true)).join(' ')).not.toContain('ws:/')
  })

  it('name the nodes of the list that is in force when they are sent', () => {
    let list = epochOf('https://node.example')
    const headers = securityHeaders(() => list(), true)
    list = epochOf('https://other.example')
    expect(sourcesOf(headers)).toContain('https://other.example')
    expect(sourcesOf(headers)).not.toContain('https://node.example')
  })
})
