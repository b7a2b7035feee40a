/** Session ids stand in clear on messages, so whoever carries those knows them before the Open has arrived. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Roster } from '../../protocol/roster/roster.ts'
import { readOpen } from '../../protocol/session/accept.ts'
import type { SessionContext } from '../../protocol/session/context.ts'
import { decodeMessagePacket } from '../../protocol/session/message-packet.ts'
import { encryptMessage } from '../../protocol/session/outbound.ts'
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
import { forgeOpen } from '../unit/protocol/session/forged-open.ts'

const env = testEnvironment('session-id')

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
async function malloryOpens(change: (context: SessionContext) => SessionContext, signer = m1) {
  const honest = await openTo(env, m1, strangers, [b1])
  const { delivery } = honest
  const part = partFor(honest, b1.deviceId)
  const { content } = await readOpen(env, b1.deviceId, heldKeysOf(env, b1), honest.openBody, part)
  const context = change(content.context)
  const forged = forgeOpen(env, { ...content, context }, delivery.secret, signer.signingKey)
  return { openBody: forged.openBody, part: await forged.partTo(b1) }
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
    expect(seen).toBeDefined()
    const forged = await malloryOpens(context => ({ ...context, createdAt: context.createdAt + 1 }), a1)
    const open = readOpen(env, b1.deviceId, heldKeysOf(env, b1), forged.openBody, forged.part)
    await expect(open).rejects.toEqual(refused('BAD_SIGNATURE'))
  })
})
