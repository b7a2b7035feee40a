/**
 * The head of a backup: the one small thing about it that changes. It says how the passphrase opens the backup key, and, sealed
 * under that key, where the contents are. Everything else is an encrypted file, found by its hash.
 */
import { concatBytes, equalBytes, equalSecrets, wipe } from '../bytes.ts'
import { bytes, bytesBetween, decode, encode, list, struct, uint, type TypeOf } from '../codec.ts'
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, KEY_BYTES } from '../crypto/crypto.ts'
import type { Environment } from '../environment.ts'
import { ProtocolError } from '../errors.ts'
import { accountIdCodec, deviceIdCodec, type AccountId } from '../identity/device.ts'
import { labelled } from '../labels.ts'
import { MAX_ATTACHMENT_BYTES } from '../limits.ts'
import { BackupError } from './backup-error.ts'
import {
  backupKdfCodec,
  backupSaltCodec,
  backupTokenHash,
  requireKdf,
  type BackupKdf,
  type PassphraseSecrets
} from './backup-passphrase.ts'

/** Version of head, manifest and segments. */
export const BACKUP_VERSION = 1
/** Longest head. */
export const MAX_BACKUP_HEAD_BYTES = 16 * 1024
/** Devices whose contents a head lists. */
export const MAX_BACKUP_SERIES = 16
const LIMITS = { maxBytes: MAX_BACKUP_HEAD_BYTES, maxDepth: 4, maxItems: 256 }
/** In place of the sealed part, where the rest of the head is authenticated. */
const EMPTY_SEAL = new Uint8Array(AEAD_NONCE_BYTES + AEAD_TAG_BYTES)
const CONTENT_LIMITS = { maxBytes: MAX_BACKUP_HEAD_BYTES, maxDepth: 6, maxItems: 1024 }

/** A file of the backup, see docs/file-format.md. */
export const backupFileCodec = struct({ hash: bytes(32), size: uint(MAX_ATTACHMENT_BYTES), key: bytes(KEY_BYTES) })

const seriesCodec = struct({
  deviceId: deviceIdCodec,
  /** Milliseconds since 1970, by the device's clock. */
  createdAt: uint(),
  manifest: backupFileCodec,
  chats: uint(),
  messages: uint(),
  files: uint(),
  /** Of everything that the manifest names, as stored. */
  storedBytes: uint()
})
/** What one device of the account has backed up. */
export type BackupSeries = TypeOf<typeof seriesCodec>

const contentCodec = struct({ createdAt: uint(), series: list(seriesCodec, MAX_BACKUP_SERIES) })
/** What is sealed in a head. */
export type BackupHeadContent = TypeOf<typeof contentCodec>

const lockFields = {
  kdf: backupKdfCodec,
  salt: backupSaltCodec,
  /** See `backupTokenHash`. */
  tokenHash: bytes(32),
  /** The backup key under the passphrase. */
  wrappedKey: bytes(KEY_BYTES + AEAD_TAG_BYTES)
}
export const backupLockCodec = struct(lockFields)
/** What protects a backup key: made once for each passphrase. */
export type BackupLock = TypeOf<typeof backupLockCodec>

const headCodec = struct({
  version: uint(),
  accountId: accountIdCodec,
  ...lockFields,
  /** One more with each head: of two heads the higher one counts. */
  counter: uint(),
  /** Nonce, then the content under the backup key. */
  sealed: bytesBetween(AEAD_NONCE_BYTES + AEAD_TAG_BYTES, MAX_BACKUP_HEAD_BYTES)
})
/** A head as nodes keep it. */
export type BackupHead = TypeOf<typeof headCodec>

type HeadEnvironment = Pick<Environment, 'crypto' | 'network'>

export const encodeBackupHead = (head: BackupHead): Uint8Array => encode(headCodec, head)

/** @throws {@link BackupError} `damaged`, `newer`. */
export function decodeBackupHead(input: Uint8Array): BackupHead {
  let head: BackupHead
  try {
    head = decode(headCodec, input, LIMITS)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new BackupError(error.code === 'UNSUPPORTED_VERSION' ? 'newer' : 'damaged', error.message, { cause: error })
  }
  if (head.version !== BACKUP_VERSION) throw new BackupError('newer', `a backup of version ${head.version}`)
  return head
}

/**
 * Wraps a backup key under a passphrase.
 * @param salt - random, of this lock alone: the key that follows from it seals one thing, so its nonce is zero.
 */
export async function lockBackupKey(
  env: HeadEnvironment,
  accountId: AccountId,
  backupKey: Uint8Array,
  { kdf, salt, secrets }: { kdf: BackupKdf; salt: Uint8Array; secrets: PassphraseSecrets }
): Promise<BackupLock> {
  const { crypto, network } = env
  const tokenHash = backupTokenHash(crypto, network, accountId, secrets.token)
  const nonce = new Uint8Array(AEAD_NONCE_BYTES)
  const wrappedKey = await crypto.aesGcmSeal(secrets.wrapKey, nonce, backupKey, lockData(env, accountId, kdf, salt))
  return { kdf, salt, tokenHash, wrappedKey }
}

/**
 * @returns the backup key, 32 bytes.
 * @throws {@link BackupError} `weak`; `passphrase` if these are the secrets of another one; `damaged`.
 */
export async function unlockBackupKey(
  env: HeadEnvironment,
  accountId: AccountId,
  { kdf, salt, tokenHash, wrappedKey }: BackupLock,
  { wrapKey, token }: PassphraseSecrets
): Promise<Uint8Array> {
  requireKdf(kdf)
  const { crypto, network } = env
  if (!equalSecrets(backupTokenHash(crypto, network, accountId, token), tokenHash)) {
    throw new BackupError('passphrase', 'the passphrase does not open this backup')
  }
  const nonce = new Uint8Array(AEAD_NONCE_BYTES)
  return opened(() => crypto.aesGcmOpen(wrapKey, nonce, wrappedKey, lockData(env, accountId, kdf, salt)))
}

function lockData({ network }: HeadEnvironment, accountId: AccountId, kdf: BackupKdf, salt: Uint8Array): Uint8Array {
  return labelled('backup-key', network, accountId, BACKUP_VERSION, backupKdfCodec.toCbor(kdf), salt)
}

/** Makes a head. Everything outside of the sealed part is authenticated with it. */
export async function sealBackupHead(
  env: Pick<Environment, 'crypto' | 'network' | 'random'>,
  backupKey: Uint8Array,
  head: Omit<BackupHead, 'version' | 'sealed'>,
  content: BackupHeadContent
): Promise<BackupHead> {
  const whole = { version: BACKUP_VERSION, ...head, sealed: EMPTY_SEAL }
  const nonce = env.random(AEAD_NONCE_BYTES)
  const headKey = headKeyOf(env, backupKey)
  try {
    const data = headData(env, whole)
    const ciphertext = await env.crypto.aesGcmSeal(headKey, nonce, encode(contentCodec, content), data)
    const sealed = concatBytes(nonce, ciphertext)
    return { ...whole, sealed }
  } finally {
    wipe(headKey)
  }
}

/** @throws {@link BackupError} `other-account`, `damaged`. */
export async function openBackupHead(
  env: HeadEnvironment,
  accountId: AccountId,
  backupKey: Uint8Array,
  head: BackupHead
): Promise<BackupHeadContent> {
  if (!equalBytes(head.accountId, accountId)) throw new BackupError('other-account', 'the backup is of another account')
  const headKey = headKeyOf(env, backupKey)
  try {
    const nonce = head.sealed.subarray(0, AEAD_NONCE_BYTES)
    const ciphertext = head.sealed.subarray(AEAD_NONCE_BYTES)
    const content = await opened(() => env.crypto.aesGcmOpen(headKey, nonce, ciphertext, headData(env, head)))
    return decode(contentCodec, content, CONTENT_LIMITS)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new BackupError('damaged', error.message, { cause: error })
  } finally {
    wipe(headKey)
  }
}

function headKeyOf({ crypto, network }: HeadEnvironment, backupKey: Uint8Array): Uint8Array {
  return crypto.hkdfExpand(backupKey, labelled('backup-head-key', network), KEY_BYTES)
}

function headData({ network }: HeadEnvironment, head: BackupHead): Uint8Array {
  return labelled('backup-head', network, encodeBackupHead({ ...head, sealed: EMPTY_SEAL }))
}

async function opened(open: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'DECRYPT_FAILED') throw error
    throw new BackupError('damaged', 'the backup was changed', { cause: error })
  }
}
