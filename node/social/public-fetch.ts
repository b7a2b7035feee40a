/**
 * Reads a file of any web site that a stranger names, and nothing else: over TLS, from port 443, without following redirects, and
 * only from addresses of the public internet. So nobody can use a node to reach its own machine or network.
 */
import { lookup as resolve, type LookupAddress } from 'node:dns'
import { request } from 'node:https'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

const TIMEOUT_MS = 8_000

/** Why nothing was read. */
export class PublicFetchError extends Error {
  override name = 'PublicFetchError'
}

export interface PublicFetchInit {
  maxBytes: number
  /** Whether an address may be asked; tests allow their own. */
  isAllowed?: (address: string) => boolean
  /** Port and certificate of a test's server. */
  test?: { port: number; ca: string }
  /** Finds the addresses of a name. */
  lookup?: typeof resolve
}

/** Whether an address is one of the public internet: not of this machine, this network, a carrier, a test, or a multicast group. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  // An IPv4 address in the clothes of an IPv6 one is judged as what it is.
  return ipaddr.process(address).range() === 'unicast'
}

/** @throws PublicFetchError for a status other than 200, too much, too late, or an address that is not public. */
export function publicFetch(url: string, init: PublicFetchInit): Promise<string> {
  const { maxBytes, test } = init
  return new Promise((done, fail) => {
    const fault = (reason: string, cause?: unknown): void => fail(new PublicFetchError(reason, { cause }))
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const asked = request(
      url,
      { signal, agent: false, lookup: publicLookup(init), ...(test && { port: test.port, ca: test.ca }) },
      response => {
        const chunks: Buffer[] = []
        let size = 0
        if (response.statusCode !== 200) {
          response.resume()
          return fault(`the site answered ${response.statusCode}`)
        }
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size <= maxBytes) return void chunks.push(chunk)
          fault('the file is too long')
          asked.destroy()
        })
        response.on('end', () => done(Buffer.concat(chunks).toString('utf8')))
        response.on('error', error => fault('the answer broke off', error))
      }
    )
    asked.on('error', error => fault('the site cannot be read', error))
    asked.end()
  })
}

/** The connection goes to the address that was looked at: a name that changes its address in between gains nothing. */
function publicLookup({ isAllowed = isPublicAddress, lookup = resolve }: PublicFetchInit): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const all = addresses as LookupAddress[]
      if (error) return callback(error, '')
      const refused = all.find(({ address }) => !isAllowed(address))
      if (refused || all.length === 0) return callback(new Error('the name leads to an address that is not public'), '')
      if (options.all) return callback(null, all)
      callback(null, all[0]!.address, all[0]!.family)
    })
  }
}
