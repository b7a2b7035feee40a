/** Requests that are nearly right: good parts of all routes, put together with odd ones. */
import type { SeededRandom } from '../../support/seeded-random.ts'

const METHODS = ['GET', 'GET', 'GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'CONNECT', 'TRACE', 'PRI', 'get', '']
const TARGETS = [
  '/',
  '//',
  '///',
  '/\\',
  '//x',
  '/;',
  '?',
  '#',
  '*',
  'http://',
  'http://[',
  'http://node.example/',
  'https://a:99999/',
  '/%',
  '/%zz',
  '/%00',
  '/..//',
  '/healthz',
  '/readyz',
  '/index.html/..',
  '/assets/%2e%2e/%2e%2e/etc/passwd',
  '/v1/network',
  '/v1/network/lists/9999999999999999999/proof',
  '/v1/network/lists/-1/proof',
  '/v1/names/zz',
  '/v1/names/abcd',
  `/v1/names/${'a'.repeat(5_000)}`,
  '/v1/accounts/%ff/proof',
  `/v1/accounts/${'00'.repeat(32)}/proof`,
  `/v1/accounts/${'00'.repeat(32)}/bundles`,
  '/v1/releases',
  '/v1/openapi.json',
  '/v1/auth/providers',
  '/v1/auth/demo/start',
  '/v1/auth/x/callback?state=%',
  '/v1/auth/demo/callback?state[]=1',
  '/v1/device-challenge',
  '/v1/registrations',
  '/demo-sign-in/interaction/%ff',
  '/demo-sign-in/%',
  '/demo-sign-in//',
  '/demo-sign-in/auth?client_id=x&redirect_uri=http://',
  '/demo-sign-in/token',
  `/?${'a=1&'.repeat(500)}`,
  '/metrics',
  '/status',
  '/nodes',
  '/records',
  `/accounts/${'0'.repeat(64)}`
]
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '']
const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
]
const HEADERS = [
  'Connection: close',
  'Connection: keep-alive',
  'Upgrade: h2c',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 7',
  'Sec-WebSocket-Key: short',
  `Sec-WebSocket-Extensions: ${'a;'.repeat(500)}`,
  'Sec-WebSocket-Protocol: ,,',
  'Expect: 100-continue',
  'Expect: anything',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Origin: http://x',
  'Access-Control-Request-Method: POST',
  `X-Forwarded-For: ${','.repeat(500)}`,
  'X-Forwarded-For: [::1]:1',
  'X-Forwarded-Host: [',
  'X-Forwarded-Proto: javascript',
  'Cookie: _session=%; _interaction=1',
  'Range: bytes=0-,5-1',
  'If-None-Match: *',
  'Accept-Encoding: br;q=x',
  'Content-Type: application/json',
  'Content-Type: application/cbor',
  'Content-Type: application/x-www-form-urlencoded',
  'Content-Type: ;',
  ': no name'
]
const HOSTS = ['127.0.0.1', 'localhost', '[::1]', '[', '::', 'a b', '127.0.0.1:99999', '', 'evil.example', 'a@b']
const BODIES = [
  '',
  '{',
  '[]',
  '{}',
  '{"signingKey":1}',
  '{"__proto__":{}}',
  '\xff\xfe',
  '\xa1\x01',
  'login=a&login=b',
  '5\r\nabc'
]

/** One request, as latin-1 text. @param port - of the listener it goes to. */
export function requestText(random: SeededRandom, port: number): string {
  const host = random.chance(0.95) ? `127.0.0.1:${port}` : random.pick(HOSTS)
  const headers = random.chance(0.95) ? [`Host: ${host}`] : []
  const isUpgrade = random.chance(0.1)
  if (isUpgrade) headers.push(...UPGRADE)
  while (random.chance(0.2)) headers.push(random.pick(HEADERS))
  const body = !isUpgrade && random.chance(0.2) ? random.pick(BODIES) : ''
  if (body !== '' && random.chance(0.9)) headers.push(`Content-Length: ${body.length}`)
  // Few odd lines: nothing after one is read.
  const method = random.chance(0.9) ? (body === '' ? 'GET' : 'POST') : random.pick(METHODS)
  const target = isUpgrade && random.chance(0.5) ? '/' : random.pick(TARGETS)
  const line = [method, target, random.chance(0.97) ? 'HTTP/1.1' : random.pick(VERSIONS)].join(' ')
  return `${line}\r\n${random.shuffled(headers).join('\r\n')}\r\n\r\n${body}`
}
