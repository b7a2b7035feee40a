import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressKey } from '../../../../node/limits/address-key.ts'

describe('address key', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7:20000', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['[::ffff:c000:207]:443', '192.0.2.7'],
    ['0:0:0:0:0:ffff:c000:0207', '192.0.2.7'],
    ['64:ff9b::192.0.2.7', '192.0.2.7'],
    ['64:FF9B::c000:207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::9', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]:30000', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', 'unknown'],
    ['unknown-7', 'unknown'],
    ['300.1.1.1', 'unknown'],
    ['3221225991', 'unknown'],
    ['0300.0.2.7', 'unknown'],
    ['192.0.2.7:999999', 'unknown']
  ])('counts %s as %s', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })

  it('is the same for every spelling of one IPv4 address, whatever the port', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }), (address, port) => {
        const key = addressKey(address)
        for (const prefix of ['::ffff:', '::FFFF:', '64:ff9b::']) expect(addressKey(prefix + address)).toBe(key)
        expect(addressKey(`${address}:${port}`)).toBe(key)
        expect(addressKey(`[::ffff:${address}]:${port}`)).toBe(key)
      })
    )
  })

  it('is short for any text, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV6(), fc.string({ unit: fc.constantFrom(...'0:.%[]f') })), text => {
        expect(addressKey(text).length).toBeLessThan(32)
      })
    )
  })
})
