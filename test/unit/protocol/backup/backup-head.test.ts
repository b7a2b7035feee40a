import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  decodeBackupManifest,
  decodeBackupSegment,
  encodeBackupSegment
} from '../../../../protocol/backup/backup-contents.ts'
import {
  decodeBackupHead,
  encodeBackupHead,
  lockBackupKey,
  openBackupHead,
  sealBackupHead,
  unlockBackupKey,
  type BackupHead
} from '../../../../protocol/backup/backup-head.ts'
import {
  BACKUP_ARGON2ID,
  passphraseSecrets,
  PBKDF2_FLOOR,
  requireKdf,
  type BackupKdf
} from '../../../../protocol/backup/backup-passphrase.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'
import type { AccountId, DeviceId } from '../../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { checkBackupVectors, makeBackupVectors, type BackupVectors } from '../../../vectors/backup-vectors.ts'

const crypto = createNodeCrypto()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const env = { crypto, network: random(32) as NetworkId, random }
const ada = random(32) as AccountId
const bob = random(32) as AccountId
const salt = random(32)
const backupKey = random(32)
const secrets = await passphraseSecrets(env, 'correct horse', BACKUP_ARGON2ID, salt)
const content = {
  createdAt: 1_800_000_000_000,
  series: [
    {
      deviceId: random(16) as DeviceId,
      createdAt: 1_800_000_000_000,
      manifest: { hash: random(32), size: 1_000, key: random(32) },
      chats: 1,
      messages: 2,
      files: 0,
      storedBytes: 4_113
    }
  ]
}

async function made(accountId = ada): Promise<BackupHead> {
  const lock = await lockBackupKey(env, accountId, backupKey, { kdf: BACKUP_ARGON2ID, salt, secrets })
  return sealBackupHead(env, backupKey, { accountId, ...lock, counter: 7 }, content)
}

describe('the head of a backup', () => {
  test('comes back through its bytes, with the key that the passphrase opens', async () => {
    const head = decodeBackupHead(encodeBackupHead(await made()))
    const key = await unlockBackupKey(env, ada, head, secrets)
    expect(key).toEqual(backupKey)
    expect(await openBackupHead(env, ada, key, head)).toEqual(content)
  })

  test('is refused under another passphrase', async () => {
    const wrong = { wrapKey: random(32), token: random(32) }
    await expect(unlockBackupKey(env, ada, await made(), wrong)).rejects.toMatchObject({ code: 'passphrase' })
  })

  test('is refused for another account, in its own name and in that of the other', async () => {
    const head = await made()
    await expect(openBackupHead(env, bob, backupKey, head)).rejects.toMatchObject({ code: 'other-account' })
    await expect(openBackupHead(env, bob, backupKey, { ...head, accountId: bob })).rejects.toMatchObject({
      code: 'damaged'
    })
    await expect(unlockBackupKey(env, bob, head, secrets)).rejects.toMatchObject({ code: 'passphrase' })
  })

  test.each([
    ['counter', { counter: 8 }],
    ['salt', { salt: random(32) }],
    ['kdf', { kdf: { ...BACKUP_ARGON2ID, iterations: 4 } }],
    ['tokenHash', { tokenHash: random(32) }],
    ['wrappedKey', { wrappedKey: random(48) }]
  ] as [string, Partial<BackupHead>][])('does not open with another %s', async (_field, change) => {
    const head = { ...(await made()), ...change }
    await expect(openBackupHead(env, ada, backupKey, head)).rejects.toMatchObject({ code: 'damaged' })
  })

  test('does not open with a flipped bit, and is not read when it is cut off or of another version', async () => {
    const bytes = encodeBackupHead(await made())
    const sealed = (await made()).sealed.slice()
    sealed[20]! ^= 1
    const head = { ...(await made()), sealed }
    await expect(openBackupHead(env, ada, backupKey, head)).rejects.toMatchObject({ code: 'damaged' })
    for (const length of [0, 1, 40, bytes.length - 1]) {
      expect(() => decodeBackupHead(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: 'damaged' }))
    }
    const newer = encodeBackupHead({ ...(await made()), version: 2 })
    expect(() => decodeBackupHead(newer)).toThrow(expect.objectContaining({ code: 'newer' }))
  })
})

describe('the parameters of a passphrase', () => {
  test.each([
    { ...BACKUP_ARGON2ID, memoryKib: 1024 },
    { ...BACKUP_ARGON2ID, iterations: 1 },
    { kind: 'pbkdf2', iterations: 1_000 }
  ] as BackupKdf[])('below the floor are refused before anything is derived: %o', async kdf => {
    await expect(passphraseSecrets(env, 'x', kdf, salt)).rejects.toMatchObject({ code: 'weak' })
  })

  test.each([
    { ...BACKUP_ARGON2ID, memoryKib: 8 * 1024 * 1024 },
    { kind: 'pbkdf2', iterations: 1e12 }
  ] as BackupKdf[])('that would exhaust the machine are refused: %o', kdf => {
    expect(() => requireKdf(kdf)).toThrow(expect.objectContaining({ code: 'damaged' }))
  })

  test('PBKDF2 is a named alternative; letters that are composed differently are the same passphrase', async () => {
    const kdf = { kind: 'pbkdf2', iterations: PBKDF2_FLOOR } as const
    const composed = await passphraseSecrets(env, 'Zoë', kdf, salt)
    expect(await passphraseSecrets(env, 'Zoe\u0308', kdf, salt)).toEqual(composed)
    expect(composed.wrapKey).not.toEqual(composed.token)
  })

  test('an empty passphrase is none', async () => {
    await expect(passphraseSecrets(env, '', BACKUP_ARGON2ID, salt)).rejects.toMatchObject({ code: 'passphrase' })
  })
})

describe('the contents of a backup', () => {
  test('segments come back; what is cut off or of another version is refused', () => {
    const pieces = [Uint8Array.of(1, 2), Uint8Array.of(3)]
    const bytes = encodeBackupSegment(pieces)
    expect(decodeBackupSegment(bytes)).toEqual(pieces)
    expect(() => decodeBackupSegment(bytes.subarray(0, -1))).toThrow(expect.objectContaining({ code: 'damaged' }))
    expect(() => decodeBackupManifest(bytes)).toThrow(expect.objectContaining({ code: 'damaged' }))
    const newer = bytes.slice()
    newer[1] = 2
    expect(() => decodeBackupSegment(newer)).toThrow(expect.objectContaining({ code: 'newer' }))
  })
})

describe('the vectors of backups', () => {
  const vectors = JSON.parse(
    readFileSync(new URL('../../../vectors/backup.json', import.meta.url), 'utf8')
  ) as BackupVectors

  test('hold, and are made again as they are', async () => {
    expect(await checkBackupVectors(vectors, crypto)).toEqual([])
    expect(await makeBackupVectors(crypto)).toEqual(vectors)
  })
})
