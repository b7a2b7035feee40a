import { expect, test } from 'vitest'
import { Receiver, type ReceiverComponents } from '../../../../peer/receiving/receiver.ts'
import { seenEntry, slots } from '../../../../peer/store/store-layout.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import type { SessionId } from '../../../../protocol/session/context.ts'
import type { SealKeyId } from '../../../../protocol/session/seal-key.ts'
import { memoryStates } from '../../../support/peer/memory-states.ts'

test('a session is forgotten once it has expired and the key of its Open is erased, not before', async () => {
  const { states, random } = await memoryStates()
  const now = 1_000_000
  const held = random(32) as SealKeyId
  const context = {
    timers: { now: () => now, monotonic: () => now },
    device: () => ({ heldKeys: () => [{ keyId: held }] })
  }
  const receiver = new Receiver({ context, states } as unknown as ReceiverComponents)
  const sessionOf = (keyId: SealKeyId, expiry: number) => ({ sessionId: random(16) as SessionId, keyId, expiry })
  const gone = sessionOf(random(32) as SealKeyId, now - 1)
  const kept = [sessionOf(held, now - 1), sessionOf(random(32) as SealKeyId, now)]
  await states.unit(async unit => {
    for (const seen of [gone, ...kept]) {
      unit.write(slots.session(toHex(seen.sessionId)), { conversationId: random(32), seen })
    }
  })
  await receiver.forgetSessions()
  const left = (await states.all('session', seenEntry)).map(({ seen }) => toHex(seen.sessionId))
  expect(left.sort()).toEqual(kept.map(({ sessionId }) => toHex(sessionId)).sort())
})
