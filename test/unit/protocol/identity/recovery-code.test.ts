import { describe, expect, it } from 'vitest'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import {
  createRecoverySecret,
  formatRecoveryCode,
  parseRecoveryCode,
  recoveryKeyOf
} from '../../../../protocol/identity/recovery-code.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { toHex } from '../../../../protocol/bytes.ts'

const crypto = createNodeCrypto()
const network = new Uint8Array(32).fill(7) as NetworkId
const other = new Uint8Array(32).fill(8) as NetworkId
const secret = createRecoverySecret(length => Uint8Array.from({ length }, (_, i) => 17 * i + 3))
const code = formatRecoveryCode(crypto, network, secret)

describe('a recovery code', () => {
  it('is read as it is printed, and as people type it', () => {
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/)
    const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')
    for (const text of [
      code,
      typed,
      `For @ada\n\n  ${code}  \n\nKeep it safe.\n`,
      code.slice(0, 20) + '\n' + code.slice(20)
    ]) {
      expect(parseRecoveryCode(crypto, network, text)).toEqual(secret)
    }
  })

  it('with any one character changed is refused', () => {
    for (let i = 0; i < code.length; i++) {
      if (code[i] === '-') continue
      const changed = code.slice(0, i) + (code[i] === '7' ? '8' : '7') + code.slice(i + 1)
      expect(() => parseRecoveryCode(crypto, network, changed), `character ${i}`).toThrow('wrong')
    }
  })

  it('of another network, cut short, too long or empty is refused', () => {
    expect(() => parseRecoveryCode(crypto, other, code)).toThrow('another network')
    for (const text of ['', 'hello', code.slice(0, -1), `${code}7`, '\u0000'.repeat(40)]) {
      expect(() => parseRecoveryCode(crypto, network, text)).toThrow('eight groups')
    }
  })

  it('makes one key in each network', async () => {
    const key = async (id: NetworkId): Promise<string> => toHex((await recoveryKeyOf(crypto, id, secret)).publicKey)
    expect(await key(network)).toBe(await key(network))
    expect(await key(network)).not.toBe(await key(other))
  })
})
