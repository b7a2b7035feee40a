/**
 * From a passphrase to the two secrets of a backup: the key that wraps the backup key, and the token by which a node lets its
 * owner have the backup. The parameters come with the backup, so a reader checks them before it derives anything: a storage that
 * asks for a cheap derivation would learn a token that is quickly tried out.
 */
import { utf8, wipe } from '../bytes.ts'
import { bytes, struct, uint, variant, type TypeOf } from '../codec.ts'
import { MAX_ARGON2ID_ITERATIONS, MAX_ARGON2ID_MEMORY_KIB } from '../crypto/argon2id.ts'
import { KEY_BYTES, type Crypto } from '../crypto/crypto.ts'
import { labelled } from '../labels.ts'
import type { NetworkId } from '../network.ts'
import { BackupError } from './backup-error.ts'

/** Bytes of the salt of a passphrase, random for each of them. */
export const BACKUP_SALT_BYTES = 32
/** Argon2id: 64 MiB, half a second of one processor. */
export const BACKUP_ARGON2ID = { kind: 'argon2id', memoryKib: 64 * 1024, iterations: 3, parallelism: 1 } as const
/** Least that a reader accepts: what this version writes. */
const ARGON2ID_FLOOR = BACKUP_ARGON2ID
/** Least iterations of PBKDF2-SHA-512 that a reader accepts (OWASP, 2023: 210,000). */
export const PBKDF2_FLOOR = 600_000
const PBKDF2_CEILING = 10_000_000
/** Longest passphrase in UTF-8. */
const MAX_PASSPHRASE_BYTES = 1024

export const backupKdfCodec = variant({
  argon2id: [0, struct({ memoryKib: uint(), iterations: uint(), parallelism: uint() })],
  /** PBKDF2-HMAC-SHA-512, for platforms without WebAssembly. */
  pbkdf2: [1, struct({ iterations: uint() })]
})
/** How a passphrase is turned into keys. */
export type BackupKdf = TypeOf<typeof backupKdfCodec>
export const backupSaltCodec = bytes(BACKUP_SALT_BYTES)

/** What follows from a passphrase. Wiped by who asked for it. */
export interface PassphraseSecrets {
  /** 32 bytes; wraps the backup key. */
  wrapKey: Uint8Array
  /** 32 bytes; shown to nodes. It says nothing about `wrapKey`. */
  token: Uint8Array
}

/** @throws {@link BackupError} `weak` for parameters below the floors, `damaged` for ones that would exhaust the machine. */
export function requireKdf(kdf: BackupKdf): void {
  const isWeak =
    kdf.kind === 'argon2id'
      ? kdf.memoryKib < ARGON2ID_FLOOR.memoryKib || kdf.iterations < ARGON2ID_FLOOR.iterations || kdf.parallelism !== 1
      : kdf.iterations < PBKDF2_FLOOR
  if (isWeak) throw new BackupError('weak', 'the backup asks for a weaker derivation than allowed')
  const isHuge =
    kdf.kind === 'argon2id'
      ? kdf.memoryKib > MAX_ARGON2ID_MEMORY_KIB || kdf.iterations > MAX_ARGON2ID_ITERATIONS
      : kdf.iterations > PBKDF2_CEILING
  if (isHuge) throw new BackupError('damaged', 'the backup asks for a derivation without end')
}

/**
 * @param passphrase - as typed; compared in Unicode form NFKC, so that keyboards which compose letters differently agree.
 * @throws {@link BackupError} as {@link requireKdf}; `passphrase` for an empty one, or one past 1,024 bytes.
 */
export async function passphraseSecrets(
  { crypto, network }: { crypto: Crypto; network: NetworkId },
  passphrase: string,
  kdf: BackupKdf,
  salt: Uint8Array
): Promise<PassphraseSecrets> {
  requireKdf(kdf)
  const typed = utf8(passphrase.normalize('NFKC'))
  if (typed.length === 0 || typed.length > MAX_PASSPHRASE_BYTES) {
    throw new BackupError('passphrase', `a passphrase has 1 to ${MAX_PASSPHRASE_BYTES} bytes`)
  }
  const master =
    kdf.kind === 'argon2id'
      ? await crypto.argon2id(typed, salt, kdf, KEY_BYTES)
      : await crypto.pbkdf2Sha512(typed, salt, kdf.iterations, KEY_BYTES)
  try {
    const expand = (purpose: 'backup-wrap-key' | 'backup-token'): Uint8Array =>
      crypto.hkdfExpand(master, labelled(purpose, network), KEY_BYTES)
    return { wrapKey: expand('backup-wrap-key'), token: expand('backup-token') }
  } finally {
    wipe(master, typed)
  }
}

/** {@link passphraseSecrets}, or what a test has in its place: it takes half a second of a processor. */
export type DeriveSecrets = typeof passphraseSecrets

/** What a node keeps of a token. @returns 32 bytes. */
export function backupTokenHash(
  crypto: Crypto,
  network: NetworkId,
  accountId: Uint8Array,
  token: Uint8Array
): Uint8Array {
  return crypto.sha256(labelled('backup-token-hash', network, accountId, token))
}
