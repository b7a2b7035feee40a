import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPublicAddress, publicFetch, type PublicFetchInit } from '../../../../node/social/public-fetch.ts'
import { SITE_CACHE_MS, SITE_CHECKS_PER_MINUTE, SiteChecker } from '../../../../node/social/site-checker.ts'
import { parseSite, siteNames } from '../../../../protocol/identity/site.ts'

/** Made for this test alone: for site.example and other.example, good for a hundred years. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHf9iWvT9O4qlITyR
/ecMGtHj6jc1MMbowqDXDKXUnBmhRANCAATbIb4pScrRS/6vh8uQSVoMr0raCeh8
QxSRVD7HmCtaD5PfCRK4Ug26dp7YoF/l+16pzVLOADbnYgiRYG6Prq27
-----END PRIVATE KEY-----`
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBrjCCAVOgAwIBAgIUDAbILzIHpWgiSEnfG9iCir6tdmMwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMc2l0ZS5leGFtcGxlMCAXDTI2MTEyOTExMjMwOFoYDzIxMjYx
MTA1MTEyMzA4WjAXMRUwEwYDVQQDDAxzaXRlLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAATbIb4pScrRS/6vh8uQSVoMr0raCeh8QxSRVD7HmCtaD5Pf
CRK4Ug26dp7YoF/l+16pzVLOADbnYgiRYG6Prq27o3sweTAdBgNVHQ4EFgQU8YKS
ynZHy77y7JrZSkPGwF2YVLwwHwYDVR0jBBgwFoAU8YKSynZHy77y7JrZSkPGwF2Y
VLwwDwYDVR0TAQH/BAUwAwEB/zAmBgNVHREEHzAdggxzaXRlLmV4YW1wbGWCDW90
aGVyLmV4YW1wbGUwCgYIKoZIzj0EAwIDSQAwRgIhAOMhfG6f01HJx6v9A3/c0xjI
/FsLOLU+VCX+vdMx9fUDAiEAxk5nNwR2p0XWX5Hivwcm44RNgC3W2dWyJ/5P+sDi
Ovc=
-----END CERTIFICATE-----`
const ADA = 'aa'.repeat(32)
const BOB = 'bb'.repeat(32)

let server: Server
let init: PublicFetchInit
let served: { status: number; body: string; headers: Record<string, string> }
let asked = 0

beforeAll(async () => {
  server = createServer({ key: KEY, cert: CERTIFICATE }, (_request, response) => {
    asked++
    response.writeHead(served.status, served.headers).end(served.body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const lookup = ((_name: string, _options: object, done: (error: null, all: object[]) => void) =>
    done(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as NonNullable<PublicFetchInit['lookup']>
  init = {
    maxBytes: 1_000,
    lookup,
    isAllowed: () => true,
    test: { port: (server.address() as AddressInfo).port, ca: CERTIFICATE }
  }
})
afterAll(() => new Promise<void>(resolve => server.close(() => resolve())))

const serve = (body: string, status = 200, headers: Record<string, string> = {}): void => {
  served = { body, status, headers }
}
const URL_OF_SITE = 'https://site.example/.well-known/volo.json'

describe('a file of a stranger’s site', () => {
  test('is read over TLS from the address that was looked at', async () => {
    serve('hello')
    expect(await publicFetch(URL_OF_SITE, init)).toBe('hello')
  })

  test.each<[what: string, change: () => Partial<PublicFetchInit> & { url?: string }]>([
    ['at an address of this machine', () => ({ isAllowed: isPublicAddress })],
    ['under a name that its certificate does not have', () => ({ url: 'https://evil.example/' })],
    ['that is longer than allowed', () => (serve('x'.repeat(5_000)), {})],
    ['behind a redirect', () => (serve('', 302, { location: URL_OF_SITE }), {})],
    ['that is not there', () => (serve('', 404), {})],
    ['of a server that is not trusted', () => ({ test: { ...init.test!, ca: '' } })]
  ])('is not read %s', async (_what, change) => {
    serve('hello')
    const { url = URL_OF_SITE, ...more } = change()
    await expect(publicFetch(url, { ...init, ...more })).rejects.toMatchObject({ name: 'PublicFetchError' })
  })

  test('is not read where one of several addresses is of this network', async () => {
    serve('hello')
    const lookup = ((_name: string, _options: object, done: (error: null, all: object[]) => void) =>
      done(null, [
        { address: '93.184.216.34', family: 4 },
        { address: '10.0.0.1', family: 4 }
      ])) as unknown as NonNullable<PublicFetchInit['lookup']>
    const asking = publicFetch(URL_OF_SITE, { ...init, lookup, isAllowed: isPublicAddress })
    await expect(asking).rejects.toMatchObject({ name: 'PublicFetchError' })
  })
})

describe('an address is', () => {
  test.each(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'])('public: %s', address => {
    expect(isPublicAddress(address)).toBe(true)
  })

  test.each([
    '127.0.0.1',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::a00:1',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '2001:db8::1',
    'localhost',
    ''
  ])('not public: %j', address => {
    expect(isPublicAddress(address)).toBe(false)
  })
})

describe('a site', () => {
  test.each([
    ['ada.example', 'ada.example'],
    [' https://Ada.Example/ ', 'ada.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example']
  ])('is taken as typed: %j', (typed, site) => {
    expect(parseSite(typed)).toBe(site)
  })

  test.each([
    '',
    'localhost',
    '127.0.0.1',
    '[::1]',
    'ada.example:8443',
    'ada.example/path',
    'http://ada.example',
    'user@ada.example',
    'ada..example',
    '-ada.example',
    'ada.example.',
    'bücher.example',
    'ada.example?x',
    `${'a'.repeat(64)}.example`
  ])('is not %j', typed => {
    expect(() => parseSite(typed)).toThrow(expect.objectContaining({ code: 'INVALID' }))
  })

  test('names the accounts of its file and no others', () => {
    const file = JSON.stringify({ accounts: [ADA] })
    expect(siteNames(file, ADA)).toBe(true)
    expect(siteNames(file, BOB)).toBe(false)
    for (const other of ['', 'null', '[]', '{"accounts":"aa"}', JSON.stringify({ accounts: { 0: ADA } })]) {
      expect(siteNames(other, ADA)).toBe(false)
    }
  })
})

describe('a node that checks a site', () => {
  const site = parseSite('site.example')
  let now = 0
  const checker = (): SiteChecker => new SiteChecker({ clock: () => now, read: url => publicFetch(url, init) })

  test('asks once for many, and again once the answer is old', async () => {
    serve(JSON.stringify({ accounts: [ADA] }))
    asked = 0
    const sites = checker()
    const answers = await Promise.all([sites.check(site, ADA, '::1'), sites.check(site, BOB, '::1')])
    expect(answers.map(({ state }) => state)).toEqual(['linked', 'not-linked'])
    await sites.check(site, ADA, '::1')
    expect(asked).toBe(1)
    now += SITE_CACHE_MS + 1
    serve('{}')
    expect((await sites.check(site, ADA, '::1')).state).toBe('not-linked')
    expect(asked).toBe(2)
  })

  test('says unknown for one that cannot be read, and has a limit for each address', async () => {
    serve('', 500)
    const sites = checker()
    expect((await sites.check(site, ADA, '::1')).state).toBe('unknown')
    for (let i = 1; i < SITE_CHECKS_PER_MINUTE; i++) await sites.check(site, ADA, '::1')
    await expect(sites.check(site, ADA, '::1')).rejects.toMatchObject({ code: 'rate-limited' })
  })
})
