/** Checks of the public address: its name, its certificate, and whether this node answers under it. */
import { lookup } from 'node:dns/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:tls'
import { LOOPBACK_HOST } from '../../http/security-headers.ts'
import { fail, ok, reasonOf, warn, type Finding } from './finding.ts'

const TIMEOUT_MS = 5_000
const DAY_MS = 24 * 60 * 60 * 1000
const RENEW_DAYS = 14

/** @param publicUrl - the configured origin; undefined if none is. @param running - whether the node answers. */
export async function addressChecks(publicUrl: string | undefined, running: boolean): Promise<Finding[]> {
  if (publicUrl === undefined) {
    const change = 'Set VOLO_PUBLIC_URL to the https origin under which people reach this node.'
    return [warn('address', 'No public address is set: only this machine uses the node.', change)]
  }
  const url = new URL(publicUrl)
  const dns = await dnsCheck(url)
  if (dns.result === 'fail') return [dns]
  return [dns, await tlsCheck(url), ...(await dialChecks(url, running))]
}

async function dnsCheck({ hostname }: URL): Promise<Finding> {
  try {
    const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true })
    return ok('dns', `${hostname} is ${found.map(({ address }) => address).join(', ')}.`)
  } catch (error) {
    const change = `Add an A or AAAA record for ${hostname} with the address of this machine or its proxy.`
    return fail('dns', `${hostname} has no address (${reasonOf(error)}).`, change)
  }
}

async function tlsCheck(url: URL): Promise<Finding> {
  if (url.protocol !== 'https:') {
    if (LOOPBACK_HOST.test(url.hostname)) return ok('tls', 'No certificate is needed on this machine.')
    const change = 'Put a TLS proxy in front and set VOLO_PUBLIC_URL to its https origin.'
    return fail('tls', `${url.origin} is plain HTTP: browsers do not use the app there.`, change)
  }
  const change = `Renew the certificate of ${url.hostname} at the TLS proxy.`
  try {
    const days = Math.floor((Date.parse(await certificateEnd(url)) - Date.now()) / DAY_MS)
    const message = `The certificate of ${url.hostname} is trusted and good for ${days} days.`
    return days < RENEW_DAYS ? warn('tls', message, change) : ok('tls', message)
  } catch (error) {
    return fail('tls', `TLS with ${url.host} fails (${reasonOf(error)}).`, change)
  }
}

function certificateEnd({ hostname, port }: URL): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port || 443), servername: host, timeout: TIMEOUT_MS }, () => {
      resolve(socket.getPeerCertificate().valid_to)
      socket.destroy()
    })
    socket.once('timeout', () => socket.destroy(new Error('no answer in time')))
    socket.once('error', reject)
  })
}

async function dialChecks(url: URL, running: boolean): Promise<Finding[]> {
  if (!running) return [warn('dial', 'The node does not run: not dialled.', 'Start it, then run doctor again.')]
  return Promise.all([httpCheck(url), webSocketCheck(url)])
}

async function httpCheck(url: URL): Promise<Finding> {
  const change = `Let the proxy of ${url.host} pass everything to the port of this node (VOLO_PORT), and open the firewall.`
  try {
    const answer = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const { status } = (await answer.json()) as { status?: unknown }
    if (status === 'alive') return ok('dial', `A node answers at ${url.origin}.`)
    return fail('dial', `Something that is no node answers at ${url.origin} (${answer.status}).`, change)
  } catch (error) {
    return fail('dial', `${url.origin} does not answer as a node (${reasonOf(error)}).`, change)
  }
}

/** Browsers speak to nodes over WebSockets only, and proxies often have to be told to pass them. */
function webSocketCheck(url: URL): Promise<Finding> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64')
  }
  const refused = (what: string): Finding =>
    fail(
      'websocket',
      `${url.origin} passes no WebSockets (${what}).`,
      'Let the proxy pass upgrade requests: "Upgrade" and "Connection".'
    )
  return new Promise(resolve => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { headers, timeout: TIMEOUT_MS })
    request.once('upgrade', (_response, socket) => {
      socket.destroy()
      resolve(ok('websocket', `WebSockets pass at ${url.origin}.`))
    })
    request.once('response', response => {
      response.destroy()
      resolve(refused(`answer ${response.statusCode}`))
    })
    request.once('timeout', () => request.destroy(new Error('no answer in time')))
    request.once('error', error => resolve(refused(reasonOf(error))))
    request.end()
  })
}
