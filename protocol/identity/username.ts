import type { Brand } from '../brand.ts'
import type { Crypto } from '../crypto/crypto.ts'
import { requireInteger } from '../crypto/parameters.ts'
import { ProtocolError } from '../errors.ts'
import { labelled } from '../labels.ts'
import { MAX_NAME_TAG_MEMORY_KIB, MAX_NAME_TAG_PASSES } from '../limits.ts'
import type { Genesis, NetworkId } from '../network.ts'

/** 3 to 24 of `a` to `z`, `0` to `9` and `_`, with at least one that is not `_`. */
export type Username = Brand<string, 'Username'>

/** Bytes of a name tag. */
export const NAME_TAG_BYTES = 32

/** Shape of a username; see also {@link parseUsername}. */
const USERNAME = /^(?=.*[a-z0-9])[a-z0-9_]{3,24}$/

/**
 * Light enough for a phone to resolve a name while it is typed, heavy enough that a dictionary costs hours. Genesis
 * may choose otherwise.
 */
export const DEFAULT_NAME_TAG_COST: Genesis['nameTagCost'] = { memoryKib: 19 * 1024, passes: 2 }

/**
 * Takes a name as people type it: a leading `@` and capitals are forgiven, anything else is not.
 * @throws ProtocolError `INVALID`.
 */
export function parseUsername(text: string): Username {
  const name = text.replace(/^@/, '').toLowerCase()
  if (!isUsername(name)) {
    throw new ProtocolError('INVALID', 'a username has 3 to 24 letters a to z, digits or "_", not only "_"')
  }
  return name
}

/** Whether text is a username as it is written, in lower case and without `@`. */
export function isUsername(text: string): text is Username {
  return USERNAME.test(text)
}

/**
 * What names that look alike have in common: only one of them can be taken. In this order: `_` is dropped; `0` becomes
 * `o`, `1` and `i` become `l`, `5` becomes `s`; `rn` becomes `m`, `vv` becomes `w`, from left to right.
 */
export function skeletonOf(username: Username): string {
  return username
    .replaceAll('_', '')
    .replaceAll('0', 'o')
    .replaceAll(/[1i]/g, 'l')
    .replaceAll('5', 's')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
}

/** Whether two usernames share their {@link skeletonOf}: they belong to one account, whose owner says how it is spelled. */
export function isSameName(one: string, other: string): boolean {
  return isUsername(one) && isUsername(other) && skeletonOf(one) === skeletonOf(other)
}

/**
 * What is on chain for a name. Slow on purpose, as it hides names that are not in a dictionary: about 0.1 s.
 *
 * @returns {@link NAME_TAG_BYTES} bytes: Argon2id of the labelled skeleton under the network's salt and cost, one lane.
 * @throws ProtocolError `INVALID` past {@link MAX_NAME_TAG_MEMORY_KIB} or {@link MAX_NAME_TAG_PASSES}: the cost comes from
 * a node, which must not be able to hold a device's processor or exhaust its memory.
 */
export async function nameTagOf(
  crypto: Pick<Crypto, 'argon2id'>,
  network: NetworkId,
  genesis: Pick<Genesis, 'nameSalt' | 'nameTagCost'>,
  username: Username
): Promise<Uint8Array> {
  const { memoryKib, passes } = genesis.nameTagCost
  requireInteger('memory of a name tag', memoryKib, 8, MAX_NAME_TAG_MEMORY_KIB)
  requireInteger('passes of a name tag', passes, 1, MAX_NAME_TAG_PASSES)
  const password = labelled('name-tag', network, skeletonOf(username))
  return crypto.argon2id(password, genesis.nameSalt, { memoryKib, iterations: passes, parallelism: 1 }, NAME_TAG_BYTES)
}
