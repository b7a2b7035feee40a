import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareCodes,
  formatVerificationCode,
  isSameConversation,
  parseVerificationCode,
  verificationCodeOf
} from '../../../../protocol/conversation/verification-code.ts'
import { equalBytes, toHex } from '../../../../protocol/bytes.ts'
import { createAccount, rosterOf, testEnvironment } from '../session/fixtures.ts'

const env = testEnvironment('verification')
const [ada, bob] = [await createAccount(env, 2), await createAccount(env, 1)]
const codeOf = (...accounts: Parameters<typeof rosterOf> extends [unknown, ...infer Rest] ? Rest : never) =>
  verificationCodeOf(env.network, rosterOf(env, ...accounts), { by: ada.accountId, height: 7 })!

describe('a code for comparing', () => {
  it('comes back as it was from its text, with space around it', () => {
    const code = codeOf(ada, bob)
    expect(parseVerificationCode(` ${formatVerificationCode(code)}\n`)).toEqual(code)
  })

  it('is the same where both know the same devices', () => {
    expect(compareCodes(codeOf(ada, bob), codeOf(bob, ada))).toEqual([])
  })

  it('names the person and the device that only one side has', () => {
    const code = codeOf(ada, bob)
    const account = bob.accountId.slice(0, 12)
    const device = new Uint8Array(12).fill(255)
    const members = code.members.map(member =>
      equalBytes(member.account, account) ? { account, devices: [...member.devices, device] } : member
    )
    const named = { account: toHex(account), device: toHex(device) }
    expect(compareCodes(code, { ...code, members })).toEqual([{ ...named, seenBy: 'there' }])
    expect(compareCodes({ ...code, members }, code)).toEqual([{ ...named, seenBy: 'here' }])
  })

  it('of another conversation or network is told from one of this', async () => {
    const here = codeOf(ada, bob)
    expect(isSameConversation(here, codeOf(ada, await createAccount(env, 1)))).toBe(false)
    expect(isSameConversation(here, { ...here, network: new Uint8Array(8) })).toBe(false)
    expect(isSameConversation(here, codeOf(bob, ada))).toBe(true)
  })

  it('is none where a QR code could not hold it', () => {
    const roster = rosterOf(env, ada, bob)
    const members = roster.members.map(member => ({ ...member, devices: Array(33).fill(member.devices[0]!) }))
    const shown = { by: ada.accountId, height: 0 }
    expect(verificationCodeOf(env.network, { ...roster, members }, shown)).toBeUndefined()
  })

  it('whatever else the text is, it is no code and no error', () => {
    const text = formatVerificationCode(codeOf(ada, bob))
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, letter) => {
        const spoilt = text.slice(0, at) + letter + text.slice(at + 1)
        const parsed = parseVerificationCode(spoilt)
        if (parsed) expect(formatVerificationCode(parsed)).toBe(spoilt.trim())
      }),
      { numRuns: 300 }
    )
    for (const other of ['', 'volo-verify:', 'https://node.example/#/link/abc', `volo-verify:${'A'.repeat(5_000)}`])
      expect(parseVerificationCode(other)).toBeUndefined()
  })
})
