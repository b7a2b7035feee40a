/** Session ids stand in clear on messages, so whoever carries those knows them before the Open has arrived. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Roster } from '../../protocol/roster/roster.ts'
import { acceptOpen, readOpen } from '../../protocol/session/accept.ts'
import { contextHash, type SessionContext } from '../../protocol/session/context.ts'
import { bodyKey } from '../../protocol/session/key-schedule.ts'
import { decodeMessagePacket } from '../../protocol/session/message-packet.ts'
import { openSigningBytes, sealParts } from '../../protocol/session/open.ts'
import { encodeOpenBody, encodeOpenContent } from '../../protocol/session/open-body.ts'
import { encryptMessage } from '../../protocol/session/outbound.ts'
import { padToMultiple } from '../../protocol/session/padding.ts'
import {
  acceptAs,
  createAccount,
  heldKeysOf,
  openTo,
  partFor,
  rosterOf,
  testEnvironment,
  text,
  type TestDevice
} from '../unit/protocol/session/fixtures.ts'

const env = testEnvironment('session-id')
const { crypto, network } = env

let a1: TestDevice, b1: TestDevice, m1: TestDevice
let friends: Roster
let strangers: Roster

beforeAll(async () => {
  const [ada, bob, mallory] = await Promise.all([createAccount(env, 1), createAccount(env, 1), createAccount(env, 1)])
  ;[a1, b1, m1] = [ada.devices[0]!, bob.devices[0]!, mallory.devices[0]!]
  friends = rosterOf(env, ada, bob)
  strangers = rosterOf(env, bob, mallory)
})

const refused = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })

/** An Open of Mallory's own to Bob, changed before it is signed (by Mallory) and sealed. */
async function malloryOpens(change: (context: SessionContext) => SessionContext, sign = true) {
  const honest = await openTo(env, m1, strangers, [b1])
  const { delivery } = honest
  const part = partFor(honest, b1.deviceId)
  const { content } = await readOpen(env, b1.deviceId, heldKeysOf(env, b1), honest.openBody, part)
  const context = change(content.context)
  const signed = openSigningBytes(network, contextHash(crypto, network, context), content.members, content.joined)
  const deviceSignature = sign ? await m1.signingKey.sign(signed) : content.deviceSignature
  const { key, nonce } = bodyKey(crypto, network, delivery.secret, delivery.commitment)
  const padded = padToMultiple(encodeOpenContent({ ...content, context, deviceSignature }), 1024)
  const sealed = crypto.chachaSeal(key, nonce, padded, delivery.commitment)
  const openBody = encodeOpenBody({ suite: 1, commitment: delivery.commitment, sealed })
  const target = { device: b1.listed, keyId: heldKeysOf(env, b1)[0]!.keyId, publicKey: b1.bundle.weeklyKey }
  const { parts } = await sealParts(env, openBody, delivery.commitment, delivery.secret, [target])
  return { openBody, part: parts[0]!.part }
}

describe('a session id', () => {
  it('seen on a message cannot be taken by somebody else before its Open arrives', async () => {
    const opened = await openTo(env, a1, friends, [b1])
    const { packet } = await encryptMessage(env, opened.outbound, text('hi'), true)
    const { sessionId } = decodeMessagePacket(packet)
    const squatted = await malloryOpens(context => ({ ...context, sessionId }))
    await expect(acceptAs(env, b1, strangers, squatted.openBody, squatted.part)).rejects.toEqual(refused('INVALID'))
  })

  it('changes with everything that it names: no second Open has the id of the first', async () => {
    const ids = await Promise.all([1, 2].map(async () => (await openTo(env, a1, friends, [b1])).sessionId))
    expect(ids[0]).not.toEqual(ids[1])
    const moved = await malloryOpens(context => ({ ...context, sessionKey: a1.listed.signingKey }))
    await expect(acceptAs(env, b1, strangers, moved.openBody, moved.part)).rejects.toEqual(refused('INVALID'))
  })

  it('is not reported as opened before the Open that names it was found to be genuine', async () => {
    const first = await malloryOpens(context => context)
    const { seen } = await acceptAs(env, b1, strangers, first.openBody, first.part)
    const forged = await malloryOpens(context => ({ ...context, createdAt: context.createdAt + 1 }), false)
    const open = await readOpen(env, b1.deviceId, heldKeysOf(env, b1), forged.openBody, forged.part)
    const replayed = { ...seen, sessionId: open.content.context.sessionId }
    const accepted = acceptOpen(env, {
      deviceId: b1.deviceId,
      open,
      roster: strangers,
      seen: replayed,
      peerKey: undefined
    })
    await expect(accepted).rejects.toEqual(refused('BAD_SIGNATURE'))
  })
})
