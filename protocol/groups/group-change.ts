/**
 * One change of a group, signed by a device of a member, and its place in the group's log: it names the changes that its
 * signer had seen last. See docs/groups.md.
 *
 * ```
 * body      = [1, group id / null, [parent, …], account, device, [signing key, messaging key hash], at (ms), change]
 * id        = H(group-change, bytes(body))
 * signature = Ed25519 of the device over L(group-change-signature, id)
 * encoded   = [bytes(body), signature 64]
 * ```
 */
import { compareBytes, equalBytes } from '../bytes.ts'
import {
  bytes,
  bytesBetween,
  constant,
  decode,
  encode,
  list,
  nullable,
  oneOf,
  refine,
  struct,
  text,
  uint,
  variant,
  type TypeOf
} from '../codec.ts'
import { SIGNATURE_BYTES, type SigningKey } from '../crypto/crypto.ts'
import { ProtocolError } from '../errors.ts'
import type { Environment } from '../environment.ts'
import {
  accountIdCodec,
  deviceIdCodec,
  deviceIdOf,
  devicePublicKeysCodec,
  type AccountId,
  type DeviceId,
  type DevicePublicKeys
} from '../identity/device.ts'
import { pictureBlobCodec } from '../files/blob-pointer.ts'
import { displayNameCodec } from '../identity/display-name.ts'
import { labelled, labelledHash } from '../labels.ts'
import {
  MAX_GROUP_CHANGE_BYTES,
  MAX_GROUP_CHANGE_TARGETS,
  MAX_GROUP_DESCRIPTION_UNITS,
  MAX_GROUP_HEADS
} from '../limits.ts'
import type { ConversationId, GroupHead } from '../roster/roster.ts'

/** 32 bytes: hash of a change's body. That of the first change is the group's id. */
export type GroupChangeId = GroupHead
export const groupChangeIdCodec = bytes<GroupChangeId>(32)

/** What a member may do. Admins change the group. */
export const groupRoleCodec = oneOf('member', 'admin')
export type GroupRole = TypeOf<typeof groupRoleCodec>

const mayCodec = oneOf('admins', 'members')
/** Who may add people, and who may change name, description and picture. */
export const groupSettingsCodec = struct({ add: mayCodec, edit: mayCodec })
export type GroupSettings = TypeOf<typeof groupSettingsCodec>

/** Longest username, in UTF-16 code units. */
const MAX_USERNAME_UNITS = 24

const targetCodec = struct({
  accountId: accountIdCodec,
  role: groupRoleCodec,
  /** What the signer calls the person, without the @; believed once the directory agrees. */
  username: nullable(text(MAX_USERNAME_UNITS))
})
/** A person who is added. */
export type GroupTarget = TypeOf<typeof targetCodec>

const targets = (min: number) => list(targetCodec, MAX_GROUP_CHANGE_TARGETS, min)
const accounts = list(accountIdCodec, MAX_GROUP_CHANGE_TARGETS, 1)

/** A group has a name; one that the rule for names refuses counts as none, and the change is refused. */
const groupNameCodec = refine(displayNameCodec, (name, path) => {
  if (name === '') throw new ProtocolError('MALFORMED', `"${path}" must be a name`)
  return name
})

const descriptionCodec = text(MAX_GROUP_DESCRIPTION_UNITS)

const changeCodec = variant({
  /** `nonce` makes two groups of the same people differ. The signer is the first admin. */
  create: [
    1,
    struct({
      nonce: bytes(16),
      name: groupNameCodec,
      description: descriptionCodec,
      picture: nullable(pictureBlobCodec),
      username: nullable(text(MAX_USERNAME_UNITS)),
      settings: groupSettingsCodec,
      targets: targets(0)
    })
  ],
  add: [2, struct({ targets: targets(1) })],
  remove: [3, struct({ accounts })],
  role: [4, struct({ accountId: accountIdCodec, role: groupRoleCodec })],
  leave: [5, struct({})],
  rename: [6, struct({ name: groupNameCodec })],
  describe: [7, struct({ description: descriptionCodec })],
  /** Where nodes keep the picture, and the key that opens it; null for none. */
  picture: [8, struct({ picture: nullable(pictureBlobCodec) })],
  settings: [9, struct({ settings: groupSettingsCodec })]
})
export type Change = TypeOf<typeof changeCodec>

const bodyCodec = struct({
  version: constant(1),
  /** Null in the first change, whose id it is. */
  groupId: nullable(bytes<ConversationId>(32)),
  /** The last changes that the signer had, sorted; none in the first. */
  parents: list(groupChangeIdCodec, MAX_GROUP_HEADS),
  accountId: accountIdCodec,
  deviceId: deviceIdCodec,
  /** Keys that the device id is a hash of: the signature is checked before the directory is asked. */
  keys: devicePublicKeysCodec,
  /** Milliseconds since 1970, by the signer's clock: shown, never used to order. */
  at: uint(),
  change: changeCodec
})
type Body = TypeOf<typeof bodyCodec>

const signedCodec = struct({ body: bytesBetween(1, MAX_GROUP_CHANGE_BYTES), signature: bytes(SIGNATURE_BYTES) })

/** A change whose form was checked; {@link verifyGroupChange} checks its signature. Immutable. */
export interface GroupChange extends Omit<Body, 'version' | 'groupId'> {
  id: GroupChangeId
  groupId: ConversationId
  signature: Uint8Array
  /** As it travels and is stored. */
  encoded: Uint8Array
}

const BODY_LIMITS = { maxBytes: MAX_GROUP_CHANGE_BYTES, maxDepth: 6, maxItems: 4 * MAX_GROUP_CHANGE_TARGETS + 64 }
const SIGNED_LIMITS = { maxBytes: MAX_GROUP_CHANGE_BYTES + 128, maxDepth: 1, maxItems: 4 }

/** Who signs a change. */
export interface GroupSigner {
  accountId: AccountId
  deviceId: DeviceId
  signingKey: SigningKey
  publicKeys: DevicePublicKeys
}

/** Makes and signs a change. @param after - the group and the last changes known of it; null for a new group. */
export async function signGroupChange(
  env: Environment,
  signer: GroupSigner,
  after: { groupId: ConversationId; heads: readonly GroupChangeId[] } | null,
  change: Change
): Promise<GroupChange> {
  const { crypto, network, now } = env
  const body = encode(bodyCodec, {
    version: 1,
    groupId: after?.groupId ?? null,
    parents: [...(after?.heads ?? [])].sort(compareBytes),
    accountId: signer.accountId,
    deviceId: signer.deviceId,
    keys: signer.publicKeys,
    at: now(),
    change
  })
  const id = labelledHash(crypto, 'group-change', network, body)
  const signature = await signer.signingKey.sign(labelled('group-change-signature', network, id))
  // What no reader would take must not be signed: parsing it here names the field.
  return decodeGroupChange(env, encode(signedCodec, { body, signature }))
}

/** @throws ProtocolError `MALFORMED`, `TOO_LARGE`, `UNSUPPORTED_VERSION` for a kind of change that this build does not know. */
export function decodeGroupChange(
  { crypto, network }: Pick<Environment, 'crypto' | 'network'>,
  encoded: Uint8Array
): GroupChange {
  const { body, signature } = decode(signedCodec, encoded, SIGNED_LIMITS)
  const { version: _version, groupId, ...fields } = decode(bodyCodec, body, BODY_LIMITS)
  const id = labelledHash(crypto, 'group-change', network, body) as GroupChangeId
  const isFirst = fields.change.kind === 'create'
  if (isFirst !== (groupId === null) || isFirst !== (fields.parents.length === 0)) {
    throw new ProtocolError('MALFORMED', 'the first change of a group, and no other, names neither group nor parents')
  }
  requireSorted(fields.parents)
  if (!equalBytes(deviceIdOf(crypto, network, fields.keys), fields.deviceId)) {
    throw new ProtocolError('MALFORMED', 'the keys are not those of the signing device')
  }
  return {
    ...fields,
    id,
    groupId: groupId ?? (id as Uint8Array as ConversationId),
    signature,
    encoded: encoded.slice()
  }
}

function requireSorted(parents: GroupChangeId[]): void {
  for (let i = 1; i < parents.length; i++) {
    if (compareBytes(parents[i - 1]!, parents[i]!) >= 0) throw new ProtocolError('MALFORMED', 'parents are not sorted')
  }
}

/**
 * Whether the named device signed the change. That the device belongs to the named account is for the directory to say.
 * @throws ProtocolError `BAD_SIGNATURE`.
 */
export async function verifyGroupChange(
  { crypto, network }: Pick<Environment, 'crypto' | 'network'>,
  { id, keys, signature }: GroupChange
): Promise<void> {
  const signed = labelled('group-change-signature', network, id)
  if (await crypto.verify(keys.signingKey, signed, signature)) return
  throw new ProtocolError('BAD_SIGNATURE', 'a change of a group is not signed by its device')
}
