import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createNobleCrypto } from '../../../../protocol/crypto/noble.ts'
import { encodeCbor } from '../../../../protocol/cbor.ts'
import type { RecordId } from '../../../../protocol/identity/device.ts'
import type { Roster } from '../../../../protocol/roster/roster.ts'
import { conversationNumber, groupDigits, personNumber } from '../../../../protocol/conversation/safety-number.ts'
import { createAccount, NETWORK, rosterOf, testEnvironment, type TestAccount } from '../session/fixtures.ts'

const env = testEnvironment('safety')
let ada: TestAccount
let bob: TestAccount
let roster: Roster

beforeAll(async () => {
  ada = await createAccount(env, 2)
  bob = await createAccount(env, 1)
  roster = rosterOf(env, ada, bob)
})

describe('safety numbers', () => {
  it('are 30 digits for a person and 60 for a conversation', () => {
    expect(personNumber(env.crypto, NETWORK, ada.accountId)).toMatch(/^\d{30}$/)
    expect(conversationNumber(env.crypto, NETWORK, roster)).toMatch(/^\d{60}$/)
  })

  it('follow the written algorithm', () => {
    const input = encodeCbor(['volo/1/safety-number-person', NETWORK, ada.accountId])
    let hash = createHash('sha512').update(input).digest()
    for (let i = 1; i < 5200; i++) hash = createHash('sha512').update(hash).update(input).digest()
    let digits = ''
    for (let group = 0; group < 6; group++) {
      digits += String(hash.readUIntBE(group * 5, 5) % 100_000).padStart(5, '0')
    }
    expect(personNumber(env.crypto, NETWORK, ada.accountId)).toBe(digits)
  })

  it('of a person stay when devices come and go; that of the conversation changes', async () => {
    const carol = await createAccount(env, 1)
    const before = rosterOf(env, ada, carol)
    await carol.addDevice()
    const after = rosterOf(env, ada, carol)
    expect(personNumber(env.crypto, NETWORK, carol.accountId)).toBe(personNumber(env.crypto, NETWORK, carol.accountId))
    expect(conversationNumber(env.crypto, NETWORK, after)).not.toBe(conversationNumber(env.crypto, NETWORK, before))
  })

  it('of a conversation do not change with heads alone', () => {
    const members = roster.members.map(member => ({ ...member, head: new Uint8Array(32) as RecordId }))
    expect(conversationNumber(env.crypto, NETWORK, { ...roster, members })).toBe(
      conversationNumber(env.crypto, NETWORK, roster)
    )
  })

  it('differ when any key differs', () => {
    const [first, second] = roster.members as [Roster['members'][0], Roster['members'][0]]
    for (const field of ['signingKey', 'messagingKeyHash'] as const) {
      const device = { ...first.devices[0]!, [field]: new Uint8Array(32) }
      const changed = { ...roster, members: [{ ...first, devices: [device, ...first.devices.slice(1)] }, second] }
      expect(conversationNumber(env.crypto, NETWORK, changed)).not.toBe(conversationNumber(env.crypto, NETWORK, roster))
    }
  })

  it('are the same on every backend', () => {
    const noble = createNobleCrypto(env.random)
    expect(conversationNumber(noble, NETWORK, roster)).toBe(conversationNumber(env.crypto, NETWORK, roster))
  })

  it('are shown in groups of five', () => {
    expect(groupDigits('123456789012345')).toBe('12345 67890 12345')
  })
})
