/** Fixed values of the backup format (docs/backup-format.md): how they are made, and how an implementation is checked. */
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { BackupError } from '../../protocol/backup/backup-error.ts'
import {
  decodeBackupHead,
  encodeBackupHead,
  lockBackupKey,
  openBackupHead,
  sealBackupHead,
  unlockBackupKey,
  type BackupHead
} from '../../protocol/backup/backup-head.ts'
import {
  BACKUP_ARGON2ID,
  passphraseSecrets,
  PBKDF2_FLOOR,
  type BackupKdf,
  type DeriveSecrets
} from '../../protocol/backup/backup-passphrase.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { AccountId, DeviceId } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'

interface OpenedVector {
  name: string
  passphrase: string
  wrapKey: string
  token: string
  backupKey: string
  head: string
  /** JSON of the content, bytes as hex. */
  content: string
}

interface RefusedVector {
  name: string
  account: string
  passphrase: string
  head: string
  code: string
}

export interface BackupVectors {
  description: string
  network: string
  account: string
  opened: OpenedVector[]
  refused: RefusedVector[]
}

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)
const NETWORK = filled(32, 0x4e) as NetworkId
const ACCOUNT = filled(32, 0xa1) as AccountId
const SALT = filled(32, 0x5a)
const BACKUP_KEY = filled(32, 0xb0)
const PASSPHRASE = 'correct horse battery staple'
const CONTENT = {
  createdAt: 1_800_000_000_000,
  series: [
    {
      deviceId: filled(16, 0xd1) as DeviceId,
      createdAt: 1_799_999_999_000,
      manifest: { hash: filled(32, 1), size: 5_000, key: filled(32, 2) },
      chats: 3,
      messages: 1_234,
      files: 5,
      storedBytes: 9_876_543
    }
  ]
}

const plain = (value: unknown): string =>
  JSON.stringify(value, (_key, field: unknown) => (field instanceof Uint8Array ? toHex(field) : field))

async function madeHead(
  crypto: Crypto,
  passphrase: string,
  kdf: BackupKdf
): Promise<OpenedVector & { made: BackupHead }> {
  const env = { crypto, network: NETWORK, random: (length: number) => filled(length, 7) }
  const secrets = await passphraseSecrets(env, passphrase, kdf, SALT)
  const lock = await lockBackupKey(env, ACCOUNT, BACKUP_KEY, { kdf, salt: SALT, secrets })
  const made = await sealBackupHead(env, BACKUP_KEY, { accountId: ACCOUNT, ...lock, counter: 42 }, CONTENT)
  return {
    name: kdf.kind,
    passphrase,
    wrapKey: toHex(secrets.wrapKey),
    token: toHex(secrets.token),
    backupKey: toHex(BACKUP_KEY),
    head: toHex(encodeBackupHead(made)),
    content: plain(CONTENT),
    made
  }
}

/** Makes the vectors; every run makes the same. */
export async function makeBackupVectors(crypto: Crypto): Promise<BackupVectors> {
  const made = [
    await madeHead(crypto, PASSPHRASE, BACKUP_ARGON2ID),
    await madeHead(crypto, 'Zoe\u0308 \u{1f511}', { kind: 'pbkdf2', iterations: PBKDF2_FLOOR })
  ]
  return {
    description:
      'Heads of backups: see docs/backup-format.md. Made by test/vectors/generate-backup-vectors.ts. Bytes are lower-case hex.',
    network: toHex(NETWORK),
    account: toHex(ACCOUNT),
    opened: made.map(({ made: _head, ...vector }) => vector),
    refused: refusedVectors(made[0]!.made)
  }
}

function refusedVectors(head: BackupHead): RefusedVector[] {
  const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, bytes[at]! ^ 1)
  const bytes = encodeBackupHead(head)
  const changed = (change: Partial<BackupHead>): Uint8Array => encodeBackupHead({ ...head, ...change })
  const cases: [name: string, head: Uint8Array, code: string, passphrase?: string, account?: Uint8Array][] = [
    ['another passphrase', bytes, 'passphrase', 'incorrect'],
    ['another account', bytes, 'other-account', PASSPHRASE, filled(32, 0xa2)],
    [
      'another account in the head',
      changed({ accountId: filled(32, 0xa2) as AccountId }),
      'passphrase',
      PASSPHRASE,
      filled(32, 0xa2)
    ],
    ['less memory than allowed', changed({ kdf: { ...BACKUP_ARGON2ID, memoryKib: 1024 } }), 'weak'],
    ['fewer passes than allowed', changed({ kdf: { ...BACKUP_ARGON2ID, iterations: 1 } }), 'weak'],
    ['two lanes', changed({ kdf: { ...BACKUP_ARGON2ID, parallelism: 2 } }), 'weak'],
    ['fewer iterations of PBKDF2 than allowed', changed({ kdf: { kind: 'pbkdf2', iterations: 599_999 } }), 'weak'],
    ['a derivation without end', changed({ kdf: { kind: 'pbkdf2', iterations: 2 ** 40 } }), 'damaged'],
    ['another counter', changed({ counter: 43 }), 'damaged'],
    ['a changed key', changed({ wrappedKey: flipped(head.wrappedKey, 3) }), 'damaged'],
    ['a changed content', changed({ sealed: flipped(head.sealed, 20) }), 'damaged'],
    ['cut off', bytes.subarray(0, -1), 'damaged'],
    ['nothing', new Uint8Array(), 'damaged'],
    ['version 2', changed({ version: 2 }), 'newer'],
    ['an unknown derivation', bytes.with(bytes.indexOf(0x84, 3) + 1, 9), 'newer']
  ]
  return cases.map(([name, refused, code, passphrase = PASSPHRASE, account = ACCOUNT]) => ({
    name,
    account: toHex(account),
    passphrase,
    head: toHex(refused),
    code
  }))
}

/** Checks one backend. @returns what differs; nothing if all is as it must be. */
export async function checkBackupVectors(vectors: BackupVectors, crypto: Crypto): Promise<string[]> {
  const problems: string[] = []
  const env = { crypto, network: fromHex(vectors.network) as NetworkId, derive: onceEach(passphraseSecrets) }
  const same = (what: string, actual: unknown, expected: unknown): void => {
    if (actual !== expected) problems.push(`${what}: ${String(actual)}`)
  }
  for (const { name, passphrase, head, content } of vectors.opened) {
    same(name, await opens(env, vectors.account, passphrase, head), content)
  }
  for (const { name, account, passphrase, head, code } of vectors.refused) {
    same(name, await opens(env, account, passphrase, head), code)
  }
  return problems
}

interface OpeningEnvironment {
  crypto: Crypto
  network: NetworkId
  derive: DeriveSecrets
}

/** Derives once what several vectors share: a derivation takes half a second of a processor. */
function onceEach(derive: DeriveSecrets): DeriveSecrets {
  const known = new Map<string, ReturnType<DeriveSecrets>>()
  return (env, passphrase, kdf, salt) => {
    const name = JSON.stringify([passphrase, kdf, toHex(salt)])
    if (!known.has(name)) known.set(name, derive(env, passphrase, kdf, salt))
    return known.get(name)!
  }
}

/** The content, or the code of the refusal. */
async function opens(env: OpeningEnvironment, account: string, passphrase: string, hex: string): Promise<string> {
  const accountId = fromHex(account) as AccountId
  try {
    const head = decodeBackupHead(fromHex(hex))
    // Whose it is shows without the passphrase.
    if (toHex(head.accountId) !== account) throw new BackupError('other-account', 'of another account')
    const secrets = await env.derive(env, passphrase, head.kdf, head.salt)
    const backupKey = await unlockBackupKey(env, accountId, head, secrets)
    return plain(await openBackupHead(env, accountId, backupKey, head))
  } catch (error) {
    if (error instanceof BackupError) return error.code
    throw error
  }
}
