import { argon2id as nobleArgon2id } from '@noble/hashes/argon2.js'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../../../protocol/bytes.ts'
import { argon2id, type Argon2idParameters } from '../../../../protocol/crypto/argon2id.ts'

const SMALL: Argon2idParameters = { memoryKib: 64, iterations: 2, parallelism: 1 }
const invalid = expect.objectContaining({ name: 'ProtocolError', code: 'INVALID' }) as unknown

describe('Argon2id', () => {
  it('gives what the reference implementation gives for 64 MiB and two passes', async () => {
    // From the tests of github.com/P-H-C/phc-winner-argon2: hashtest(version, 2, 16, 1, "password", "somesalt", ...).
    const hash = await argon2id(
      utf8('password'),
      utf8('somesalt'),
      { memoryKib: 65536, iterations: 2, parallelism: 1 },
      32
    )
    expect(toHex(hash)).toBe('09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7')
  })

  it.each([
    [8, 1, 1, 16],
    [64, 3, 2, 32],
    [130, 2, 4, 64]
  ])('agrees with another implementation for %i KiB, %i passes, %i lanes, %i bytes', async (m, t, p, length) => {
    const [password, salt] = [utf8('a passphrase'), utf8('0123456789abcdef')]
    const ours = await argon2id(password, salt, { memoryKib: m, iterations: t, parallelism: p }, length)
    expect(ours).toEqual(nobleArgon2id(password, salt, { m, t, p, dkLen: length }))
  })

  it.each<[string, Partial<Argon2idParameters>]>([
    ['too little memory', { memoryKib: 7 }],
    ['memory that would exhaust the machine', { memoryKib: 2 ** 21 }],
    ['no passes', { iterations: 0 }],
    ['passes without end', { iterations: 1e9 }],
    ['no lanes', { parallelism: 0 }],
    ['a fraction', { memoryKib: 64.5 }],
    ['no number', { iterations: NaN }]
  ])('refuses %s', async (_, change) => {
    await expect(argon2id(utf8('x'), utf8('somesalt'), { ...SMALL, ...change }, 32)).rejects.toThrow(invalid)
  })

  it('refuses an empty password, a short salt and a senseless length', async () => {
    await expect(argon2id(utf8(''), utf8('somesalt'), SMALL, 32)).rejects.toThrow(invalid)
    await expect(argon2id(utf8('x'), utf8('salt'), SMALL, 32)).rejects.toThrow(invalid)
    await expect(argon2id(utf8('x'), utf8('somesalt'), SMALL, 3)).rejects.toThrow(invalid)
  })
})
