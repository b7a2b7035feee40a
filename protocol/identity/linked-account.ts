/**
 * An account elsewhere, such as one of X, that a person links to theirs: a node has seen the person sign in there, and says so. That is
 * the word of one node. It never says which keys are a person's, and nobody but its owner hands it on.
 */
import { bytes, list, nullable, refine, struct, text, uint, type TypeOf } from '../codec.ts'
import { KEY_BYTES, SIGNATURE_BYTES, type Crypto, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import { labelled } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import type { AccountId } from './device.ts'

/** Accounts elsewhere that one account links. */
export const MAX_LINKED_ACCOUNTS = 4
/** Longest name that an account has elsewhere, in UTF-16 code units. */
export const MAX_HANDLE_UNITS = 64

/** The names that people have at providers: letters without accents, digits, and three signs. Nothing in one can pass for something else. */
const HANDLE = /^[A-Za-z0-9_.-]{1,64}$/
const PROVIDER = /^[a-z0-9-]{1,32}$/

/** A provider's name for a person if it has that form, else null: a display name or an e-mail address is no handle. */
export const handleOrNull = (said: unknown): string | null =>
  typeof said === 'string' && HANDLE.test(said) ? said : null

const matching = (pattern: RegExp, maxUnits: number, what: string) =>
  refine(text(maxUnits), (value, path) => {
    if (pattern.test(value)) return value
    throw new ProtocolError('MALFORMED', `"${path}" must be ${what}`)
  })

/** Whose account it is follows from who carries it: the signature covers that. */
export const linkedAccountCodec = struct({
  /** Short name of the provider at the node, such as `x`. */
  provider: matching(PROVIDER, 32, 'the name of a provider'),
  /** What the person is called there; null where a provider has no such names. */
  handle: nullable(matching(HANDLE, MAX_HANDLE_UNITS, 'a handle')),
  /** When the person signed in there, milliseconds by the node's clock. */
  time: uint(),
  nodeKey: bytes(KEY_BYTES),
  nodeSignature: bytes(SIGNATURE_BYTES)
})
export type LinkedAccount = TypeOf<typeof linkedAccountCodec>

/** At most one a provider counts, the first. */
export const linkedAccountsCodec = list(linkedAccountCodec, MAX_LINKED_ACCOUNTS)

/** Longest encoded one, in bytes. */
export const MAX_LINKED_ACCOUNT_BYTES = 256

const signedBytes = (
  network: NetworkId,
  accountId: AccountId,
  { provider, handle, time, nodeKey }: Omit<LinkedAccount, 'nodeSignature'>
): Uint8Array => labelled('linked-account', network, accountId, provider, handle, time, nodeKey)

/** The word of a node that the holder of an account signed in elsewhere. */
export async function signLinkedAccount(
  network: NetworkId,
  nodeKey: SigningKey,
  accountId: AccountId,
  said: Pick<LinkedAccount, 'provider' | 'handle' | 'time'>
): Promise<LinkedAccount> {
  const unsigned = { ...said, nodeKey: nodeKey.publicKey }
  return { ...unsigned, nodeSignature: await nodeKey.sign(signedBytes(network, accountId, unsigned)) }
}

/** Whether the named node said so of this account. Whether that node is listed, and believed, is the caller's to say. */
export function isLinkedAccount(
  crypto: Crypto,
  network: NetworkId,
  accountId: AccountId,
  linked: LinkedAccount
): Promise<boolean> {
  return crypto.verify(linked.nodeKey, signedBytes(network, accountId, linked), linked.nodeSignature)
}
