import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AppDatabase } from '../../../../node/app-database.ts'
import { readConfig, type NodeConfig } from '../../../../node/config/config.ts'
import { openKeyFile } from '../../../../node/config/key-file.ts'
import { createNetwork, networkFileText } from '../../../../node/config/network-file.ts'
import { requireNoHalfRestore, RESTORE_MARK } from '../../../../node/config/restore-mark.ts'
import { decodeParts, encodeParts } from '../../../../node/operator/backup/backup-parts.ts'
import { restoreBackup } from '../../../../node/operator/backup/restore-backup.ts'
import { stoppedParts, writeBackup } from '../../../../node/operator/backup/write-backup.ts'
import type { ListedNode, NodeKey, OperatorId } from '../../../../protocol/wire/placement.ts'
import { createNodeCrypto } from '../../../../protocol/crypto/backends/node-crypto.ts'

let root: string
let config: NodeConfig
let target: NodeConfig
let out: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'volo-backup-'))
  config = readConfig(['--data-dir', join(root, 'node')], {})
  target = readConfig(['--data-dir', join(root, 'restored')], {})
  out = join(root, 'backup')
  await fillDataFolder(config.dataDir)
})
afterEach(() => rm(root, { recursive: true, force: true }))

/** Keys, a network of one, and a store with more entries than are read at once. */
async function fillDataFolder(dataDir: string): Promise<void> {
  const crypto = createNodeCrypto()
  const { publicKey } = await crypto.signingKeyFromSeed(openKeyFile(join(dataDir, 'node.key')))
  const self: ListedNode = {
    key: publicKey as NodeKey,
    operator: publicKey as Uint8Array as OperatorId,
    url: 'http://127.0.0.1:8787',
    link: ''
  }
  writeFileSync(join(dataDir, 'network.json'), networkFileText(createNetwork(crypto, [self])))
  await inStore(dataDir, async store => {
    for (let i = 0; i < 2_500; i++) await store.put(`key-${i}`, `value-${i}`.repeat(20), { sync: false })
  })
}

type Store = ReturnType<AppDatabase['storeFor']>

async function inStore<T>(dataDir: string, use: (store: Store) => Promise<T>): Promise<T> {
  const database = new AppDatabase(join(dataDir, 'app'))
  await database.open()
  try {
    return await use(database.storeFor('publisher'))
  } finally {
    await database.close()
  }
}

const backup = () => writeBackup(config, out, '0.0.0', async () => stoppedParts(config.dataDir))
const restore = () => restoreBackup(target, out)

/** Changes the manifest as a program would that knows the format. */
function rewriteManifest(change: (manifest: Record<string, unknown>) => void): void {
  const file = join(out, 'manifest.json')
  const { checksum: _old, ...manifest } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  change(manifest)
  const checksum = createHash('sha256').update(JSON.stringify(manifest)).digest('hex')
  writeFileSync(file, `${JSON.stringify({ ...manifest, checksum }, null, 2)}\n`)
}

describe('a backup', () => {
  test('is restored into another folder, with every entry and the same keys', async () => {
    await backup()
    await restore()
    const values = await inStore(target.dataDir, async store => [await store.get('key-0'), await store.get('key-2499')])
    expect(values).toEqual(['value-0'.repeat(20), 'value-2499'.repeat(20)])
    for (const name of ['node.key', 'network.json']) {
      expect(readFileSync(join(target.dataDir, name))).toEqual(readFileSync(join(config.dataDir, name)))
    }
    expect(existsSync(join(target.dataDir, RESTORE_MARK))).toBe(false)
  })

  test('holds the objects of people, as files that are there or are not', async () => {
    const object = join(config.dataDir, 'storage', 'objects', 'ab', 'object-1')
    mkdirSync(dirname(object), { recursive: true })
    writeFileSync(object, 'sealed')
    const { objects } = await backup()
    expect(objects).toEqual({ count: 1, bytes: 6 })
    await restore()
    expect(readFileSync(join(target.dataDir, 'storage', 'objects', 'ab', 'object-1'), 'utf8')).toBe('sealed')
  })

  test('belongs to its owner only', async () => {
    await backup()
    expect(statSync(out).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(out)) expect(statSync(join(out, name)).mode & 0o777).toBe(0o600)
  })

  test('names the files that settings keep elsewhere', async () => {
    const elsewhere = join(root, 'wallet.key')
    const report = await writeBackup({ ...config, walletKeyFile: elsewhere }, out, '0.0.0', async () =>
      stoppedParts(config.dataDir)
    )
    expect(report.elsewhere).toEqual([elsewhere])
  })

  test('is not written into a folder that holds something', async () => {
    mkdirSync(out)
    writeFileSync(join(out, 'photo.jpg'), '')
    await expect(backup()).rejects.toThrow(/is not empty/)
    expect(readdirSync(out)).toEqual(['photo.jpg'])
  })

  test('leaves nothing when its stream ends early', async () => {
    async function* cut(): AsyncGenerator<Buffer> {
      let left = 3
      for await (const chunk of encodeParts(stoppedParts(config.dataDir))) if (left-- > 0) yield chunk
    }
    const cutShort = writeBackup(config, out, '0.0.0', async () => decodeParts(cut()))
    await expect(cutShort).rejects.toThrow(/could not be made \(it is cut short\)/)
    expect(readdirSync(out)).toEqual([])
    await expect(restore()).rejects.toThrow(/no finished backup/)
  })
})

describe('restore refuses, and writes nothing for', () => {
  beforeEach(backup)
  afterEach(() => expect(existsSync(join(target.dataDir, 'node.key'))).toBe(false))

  test('a data folder that holds something', async () => {
    mkdirSync(target.dataDir)
    writeFileSync(join(target.dataDir, 'something'), '')
    await expect(restore()).rejects.toThrow(/is not empty/)
  })

  test('a folder without a manifest', async () => {
    await rm(join(out, 'manifest.json'))
    await expect(restore()).rejects.toThrow(/no finished backup/)
  })

  test('every file that is cut short, changed in one bit, or missing', async () => {
    for (const name of readdirSync(out)) {
      const file = join(out, name)
      const whole = readFileSync(file)
      truncateSync(file, whole.length - 1)
      await expect(restore(), `${name} cut short`).rejects.toThrow(/is damaged/)
      const flipped = Buffer.from(whole)
      flipped[whole.length >> 1]! ^= 1
      writeFileSync(file, flipped)
      await expect(restore(), `${name} changed`).rejects.toThrow(/is damaged/)
      await rm(file)
      await expect(restore(), `${name} missing`).rejects.toThrow(/is damaged|no finished backup/)
      writeFileSync(file, whole)
    }
    expect(existsSync(target.dataDir)).toBe(false)
  })

  test('objects that are missing or cut short', async () => {
    const object = join(config.dataDir, 'storage', 'objects', 'ab', 'object-1')
    mkdirSync(dirname(object), { recursive: true })
    writeFileSync(object, 'sealed')
    await rm(out, { recursive: true })
    await backup()
    truncateSync(join(out, 'objects', 'ab', 'object-1'), 3)
    await expect(restore()).rejects.toThrow('its objects have 3 bytes instead of 6')
    await rm(join(out, 'objects', 'ab', 'object-1'))
    await expect(restore()).rejects.toThrow('0 of 1 objects are there')
  })

  test('a backup of a newer format', async () => {
    rewriteManifest(manifest => (manifest['version'] = 2))
    await expect(restore()).rejects.toThrow(/has format 2 and this program reads up to 1/)
  })

  test('a store of a newer layout', async () => {
    rewriteManifest(manifest => ((manifest['stores'] as { storeVersion: number }[])[0]!.storeVersion = 99))
    await expect(restore()).rejects.toThrow(/has version 99 and this program reads up to/)
  })

  test('a file that leads out of the folder', async () => {
    rewriteManifest(manifest => ((manifest['files'] as { name: string }[])[0]!.name = '../node.key'))
    await expect(restore()).rejects.toThrow(/is damaged/)
  })
})

test('a node does not start on a restore that was cut short', () => {
  mkdirSync(target.dataDir)
  writeFileSync(join(target.dataDir, RESTORE_MARK), '')
  expect(() => requireNoHalfRestore(target.dataDir)).toThrow(/was cut short/)
})
