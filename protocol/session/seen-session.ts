/**
 * What is remembered of every session that this device accepted, so that an Open that is delivered again, even long
 * after its session was erased, starts nothing twice. One entry per session; the store finds it by session id.
 */
import { toHex } from '../bytes.ts'
import { bytes, struct, uint, type TypeOf } from '../codec.ts'
import { sessionIdCodec } from './context.ts'
import type { SealKeyId } from './seal-key.ts'
import { stateCodec } from './state.ts'

const seenSessionCodec = struct({
  sessionId: sessionIdCodec,
  /** The key of this device that the Open was sealed to. */
  keyId: bytes<SealKeyId>(32),
  /** No Open of this session is accepted from here on, under any key. Milliseconds. */
  expiry: uint()
})

export type SeenSession = TypeOf<typeof seenSessionCodec>
export const seenSessionState = stateCodec<SeenSession>(seenSessionCodec)

/**
 * Whether a session may be forgotten: its Open has expired *and* the key it was sealed to is erased. Both, because a
 * clock may be set back.
 *
 * @param heldKeyIds - hex of the id of every secret that this device still holds.
 */
export function isForgettable(seen: SeenSession, heldKeyIds: ReadonlySet<string>, now: number): boolean {
  return now > seen.expiry && !heldKeyIds.has(toHex(seen.keyId))
}
