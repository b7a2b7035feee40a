/** Calls of the lock, as they come from a tab: read and bounded, then made. */
import { PeerError } from '../../../peer/errors.ts'
import type { Opener } from '../../../peer/store/browser/key-slots.ts'
import { parsePasskey, PASSKEY_ANSWER_BYTES } from '../../../peer/store/browser/passkey-wrap.ts'
import { MAX_PASSPHRASE_LENGTH } from '../../../peer/store/passphrase-wrap.ts'
import { Secret } from '../../../protocol/secret.ts'
import type { LockFrame } from './frames.ts'
import { eraseOpeners, type LockApi, type LockCall } from './lock-api.ts'

/** The arguments of each call of the lock. @throws PeerError `malformed-call` if they have another form. */
const LOCK_ARGUMENTS: { [C in LockCall]: (args: unknown[]) => Parameters<LockApi[C]> } = {
  ways: () => [],
  unlock: ([opener]) => [parseOpener(opener)],
  state: () => [],
  replace: ([openers, current]) => [parseOpeners(openers), current === null ? null : parseOpener(current)],
  add: ([opener, current]) => [parseOpener(opener), parseOpener(current)],
  lockNow: () => [],
  forget: () => []
}

/** @throws PeerError `malformed-call` for more than a passphrase and a passkey. */
function parseOpeners(value: unknown): Opener[] {
  if (!Array.isArray(value) || value.length > 2) throw new PeerError('malformed-call')
  const openers = value.map(parseOpener)
  if (openers.length === 2 && openers[0]!.way === openers[1]!.way) throw new PeerError('malformed-call')
  return openers
}

/** Makes the call of a frame. @throws PeerError `malformed-call` for another method or other arguments. */
export async function answerLock(lock: Omit<LockApi, 'onLocked'>, { method, args }: LockFrame): Promise<unknown> {
  if (!Object.hasOwn(LOCK_ARGUMENTS, method)) throw new PeerError('malformed-call')
  const call = method as LockCall
  const parsed = LOCK_ARGUMENTS[call](args)
  try {
    return await (lock[call] as (...args: unknown[]) => Promise<unknown>)(...parsed)
  } finally {
    eraseOpeners(parsed)
  }
}

/** Reads an {@link Opener} from a frame. @throws PeerError `malformed-call` if the value has another form. */
function parseOpener(value: unknown): Opener {
  const { way, passphrase, answer } = (value ?? {}) as { way?: unknown; passphrase?: unknown; answer?: unknown }
  if (way === 'passphrase' && typeof passphrase === 'string' && passphrase.length <= MAX_PASSPHRASE_LENGTH)
    return { way, passphrase }
  const passkey = parsePasskey(value)
  if (way === 'passkey' && passkey && answer instanceof Uint8Array && answer.length === PASSKEY_ANSWER_BYTES)
    return { way, passkey, answer: new Secret(answer) }
  throw new PeerError('malformed-call')
}
