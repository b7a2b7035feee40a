/** What a device signed or sealed for one purpose counts for no other, and no older suite is taken. */
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeCbor, encodeCbor, type Cbor } from '../../../../protocol/cbor.ts'
import { decodeGroupChange, signGroupChange, verifyGroupChange } from '../../../../protocol/groups/group-change.ts'
import { labelled, type Purpose } from '../../../../protocol/labels.ts'
import { readOpen } from '../../../../protocol/session/accept.ts'
import { acceptKeyUpdate, keyUpdateFor } from '../../../../protocol/session/key-update.ts'
import { emptyOwnKeys } from '../../../../protocol/session/conversation-keys.ts'
import { decodePacket, encodePacket } from '../../../../protocol/session/packet.ts'
import { createAccount, heldKeysOf, openTo, partFor, rosterOf, testEnvironment, type TestAccount } from './fixtures.ts'

const env = testEnvironment('confusion')
const refused = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })
const LIMITS = { maxBytes: 100_000, maxDepth: 8 }

let ada: TestAccount
let bob: TestAccount

beforeAll(async () => {
  ada = await createAccount(env, 1)
  bob = await createAccount(env, 1)
})

describe('a signature', () => {
  it('of a key update does not make a change of a group, nor the other way round', async () => {
    const device = ada.devices[0]!
    const settings = { add: 'admins', edit: 'admins' } as const
    const create = {
      kind: 'create',
      nonce: env.random(16),
      name: 'Club',
      description: '',
      picture: null,
      username: null,
      settings,
      targets: []
    } as const
    const change = await signGroupChange(env, device, null, { ...create, targets: [] })
    const owner = { conversationId: change.groupId, deviceId: device.deviceId }
    const { update } = (await keyUpdateFor(env, device.signingKey, owner, emptyOwnKeys(), null))!
    const [body] = decodeCbor(change.encoded, LIMITS) as [Cbor, Cbor]
    const forged = decodeGroupChange(env, encodeCbor([body, update.signature]))
    await expect(verifyGroupChange(env, forged)).rejects.toThrow(refused('BAD_SIGNATURE'))
    const { signingKey } = device.publicKeys
    const [, signature] = decodeCbor(change.encoded, LIMITS) as [Cbor, Uint8Array]
    await expect(acceptKeyUpdate(env, owner, signingKey, undefined, { ...update, signature })).rejects.toThrow(
      refused('BAD_SIGNATURE')
    )
    await expect(acceptKeyUpdate(env, owner, signingKey, undefined, update)).resolves.toBeDefined()
  })

  it('covers its purpose and its network first, so that no two purposes share bytes', () => {
    const purposes: Purpose[] = [
      'group-change',
      'group-change-signature',
      'key-update',
      'session-part',
      'session-packet'
    ]
    const other = new Uint8Array(32).fill(9) as typeof env.network
    const texts = purposes.flatMap(purpose =>
      [env.network, other].map(network => labelled(purpose, network, 'x').join())
    )
    expect(new Set(texts).size).toBe(texts.length)
  })
})

describe('an Open', () => {
  it('of another suite is refused, whatever else fits: nobody can be talked down', async () => {
    const device = bob.devices[0]!
    const opened = await openTo(env, ada.devices[0]!, rosterOf(env, ada, bob), [device])
    const fields = decodeCbor(opened.openBody, LIMITS) as Cbor[]
    for (const suite of [0, 2]) {
      const body = encodeCbor([suite, ...fields.slice(1)])
      const read = readOpen(env, device.deviceId, heldKeysOf(env, device), body, partFor(opened, device.deviceId))
      await expect(read).rejects.toThrow(refused('MALFORMED'))
    }
  })

  it('cannot be handed in as a message, nor a packet of two devices as one of a session', () => {
    const packet = {
      kind: 'pair',
      tag: new Uint8Array(16),
      salt: new Uint8Array(16),
      ciphertext: new Uint8Array(272)
    } as const
    const fields = decodeCbor(encodePacket(packet), LIMITS) as Cbor[]
    for (let kind = 0; kind < 8; kind++) {
      if (kind === fields[0]) continue
      expect(() => decodePacket(encodeCbor([kind, ...fields.slice(1)]))).toThrow()
    }
  })
})
