import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isNodeOrigin } from '../../../protocol/node-origin.ts'

describe('the origin of a node', () => {
  it.each([
    'https://node.example',
    'http://127.0.0.1:8787',
    'http://localhost:8801',
    'https://a-b.c1.example:8443',
    'https://0.0.0.0',
    'http://x'
  ])('may be %s', address => {
    expect(isNodeOrigin(address)).toBe(true)
    expect(new URL(address).origin).toBe(address)
  })

  it.each([
    'https://node.example:0',
    'https://node.example:6667',
    'https://node.example:22',
    'https://node.example:65536',
    'https://node.example:99999',
    'https://node.example:443',
    'http://node.example:80',
    'https://node.example.',
    'https://.',
    'https://a..b',
    'https://-a.b',
    'HTTPS://node.example',
    'https://Node.example',
    'https://node.example/',
    'https://user@node.example',
    'https://999.1.1.1',
    'https://1.2.3',
    'https://a.1',
    'https://a.0x7f',
    'https://01.2.3.4',
    'https://xn--a',
    'https://[::1]',
    `https://${'a'.repeat(64)}.example`,
    'ftp://node.example',
    ''
  ])('is not %s', address => {
    expect(isNodeOrigin(address)).toBe(false)
  })

  it('is one that URL takes and writes the same, whatever the text', () => {
    const host = fc.string({ unit: fc.constantFrom(...'a01x-.9'), minLength: 1, maxLength: 12 })
    const port = fc.oneof(
      fc.constant(''),
      fc.integer({ min: 0, max: 99_999 }).map(value => `:${value}`)
    )
    fc.assert(
      fc.property(fc.constantFrom('http', 'https'), host, port, (scheme, name, end) => {
        const address = `${scheme}://${name}${end}`
        if (isNodeOrigin(address)) expect(new URL(address).origin).toBe(address)
      }),
      { numRuns: 5_000 }
    )
  })
})
