import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { DiskStorageAdapter } from '../../../storage-adapter/disk/disk-storage-adapter.ts'
import { IagonStorageAdapter } from '../../../storage-adapter/iagon/iagon-storage-adapter.ts'
import { S3StorageAdapter } from '../../../storage-adapter/s3/s3-storage-adapter.ts'
import type { StorageSettings } from '../../../storage-adapter/open-storage.ts'
import { storageConformance, type StorageUnderTest } from '../../support/storage/conformance.ts'
import type { FaultKind } from '../../support/storage/fault-server.ts'
import { IagonServer, type IagonServerInit } from '../../support/storage/iagon-server.ts'
import { collect, listed, randomObject } from '../../support/storage/objects.ts'
import { S3Server } from '../../support/storage/s3-server.ts'

const NO_SERVICE = 'a disk has no service that could'
const quick = { retryDelayMs: 1 }

async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'volo-storage-'))
}

/** Every file below a folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
}

async function startDisk(): Promise<StorageUnderTest> {
  const directory = await temporaryFolder()
  const settings: StorageSettings = { kind: 'disk', directory, maxObjectBytes: 64 * 1024 * 1024 }
  const faults: Partial<Record<FaultKind, (file: string) => Promise<void>>> = {
    short: file => truncate(file, 100_000),
    'vanished object': file => rm(file)
  }
  const setFault = async (fault?: FaultKind): Promise<void> => {
    if (fault) for (const file of await filesBelow(join(directory, 'objects'))) await faults[fault]!(file)
  }
  return { settings, setFault, stop: () => rm(directory, { recursive: true }) }
}

async function startIagon(init: IagonServerInit): Promise<StorageUnderTest> {
  const server = new IagonServer(init)
  await server.start()
  const settings: StorageSettings = { kind: 'iagon', url: server.url, apiKey: 'test.IAG-SN.key', ...quick }
  return { settings, setFault: fault => server.setFault(fault), stop: () => server.stop() }
}

const s3Settings = (server: S3Server) => ({
  url: server.url,
  region: server.region,
  bucket: server.bucket,
  accessKeyId: 'AKIATEST',
  secretAccessKey: 'secret of the test',
  ...quick
})

async function startS3(): Promise<StorageUnderTest> {
  const server = new S3Server()
  await server.start()
  const settings: StorageSettings = { kind: 's3', ...s3Settings(server) }
  return { settings, setFault: fault => server.setFault(fault), stop: () => server.stop() }
}

storageConformance('disk', startDisk, {
  'one 500': NO_SERVICE,
  'always 500': NO_SERVICE,
  slow: NO_SERVICE,
  'broken off': NO_SERVICE,
  'success that is none': NO_SERVICE,
  'revoked key': 'a disk has no key',
  quota: 'see below'
})
storageConformance('Iagon v2', () => startIagon({}))
storageConformance('Iagon v2, older gateway', () =>
  startIagon({ idField: 'id', downloadForm: 'multipart', ranges: true })
)
storageConformance('S3', startS3)

describe('disk', () => {
  let directory: string
  const open = async (init = {}) => {
    directory ??= await temporaryFolder()
    return DiskStorageAdapter.open({ directory, ...init })
  }
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
    directory = undefined as unknown as string
  })

  it('refuses what does not fit, together with puts in hand, and takes it once there is room', async () => {
    const disk = await open({ capacityBytes: 2500 })
    const both = await Promise.allSettled(['a', 'b', 'c'].map(name => disk.put(randomObject(name, 1000))))
    expect(both.map(result => result.status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    const again = await open({ capacityBytes: 2500 })
    await expect(again.put(randomObject('d', 1000))).rejects.toMatchObject({ code: 'quota' })
    await again.delete((await listed(again))[0]!.reference)
    await again.put(randomObject('d', 1000))
  })

  it('never hands out a flipped bit', async () => {
    const disk = await open()
    const { reference } = await disk.put(randomObject('bits', 200_000))
    const [file] = await filesBelow(join(directory, 'objects'))
    const bytes = await readFile(file!)
    for (const at of [0, 20, 70_000, bytes.length - 1]) {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1
      await writeFile(file!, flipped)
      await expect(disk.get(reference).then(collect)).rejects.toMatchObject({ code: 'corrupt' })
    }
  })

  it('never hands out two blocks that changed places', async () => {
    const disk = await open()
    const { reference } = await disk.put(randomObject('blocks', 131_072))
    const [file] = await filesBelow(join(directory, 'objects'))
    const bytes = await readFile(file!)
    const block = 65_536 + 4
    const head = bytes.length - 2 * block
    const parts = [bytes.subarray(0, head), bytes.subarray(head + block), bytes.subarray(head, head + block)]
    await writeFile(file!, Buffer.concat(parts))
    await expect(disk.get(reference).then(collect)).rejects.toMatchObject({ code: 'corrupt' })
  })

  it('stores again what was cut off', async () => {
    const disk = await open()
    const object = randomObject('cut', 1000)
    await disk.put(object)
    const [file] = await filesBelow(join(directory, 'objects'))
    await truncate(file!, 3)
    const { reference } = await disk.put(object)
    expect((await collect(await disk.get(reference))).equals(object.bytes)).toBe(true)
  })

  it('removes what an earlier process left half-written', async () => {
    await open()
    await mkdir(join(directory, 'unfinished'), { recursive: true })
    await writeFile(join(directory, 'unfinished', 'orphan'), 'x')
    await open()
    expect(await filesBelow(directory)).toEqual([])
  })

  it('keeps files to the user of the process', async () => {
    const { stat } = await import('node:fs/promises')
    await (await open()).put(randomObject('mode', 10))
    for (const file of await filesBelow(directory)) expect((await stat(file)).mode & 0o077).toBe(0)
  })
})

describe('S3', () => {
  it('is refused with a wrong secret: the server does check signatures', async () => {
    const server = new S3Server()
    await server.start()
    const s3 = new S3StorageAdapter({ ...s3Settings(server), secretAccessKey: 'another' })
    await expect(s3.put(randomObject('a', 10))).rejects.toMatchObject({ code: 'unauthorised' })
    await expect(s3.health()).rejects.toMatchObject({ code: 'unauthorised' })
    await server.stop()
  })
})

describe('Iagon v2', () => {
  it('maps a file that is too large for the gateway', async () => {
    const server = new IagonServer({ maxBytes: 1000 })
    await server.start()
    const iagon = new IagonStorageAdapter({ url: server.url, apiKey: 'test.IAG-SN.key', ...quick })
    await expect(iagon.put(randomObject('a', 2000))).rejects.toMatchObject({ code: 'too-large' })
    await server.stop()
  })

  it('never has its key in an error', async () => {
    const iagon = new IagonStorageAdapter({ url: 'http://127.0.0.1:1', apiKey: 'CANARY-KEY', attempts: 1 })
    const error = await iagon.health().catch((reason: unknown) => reason as Error)
    expect(JSON.stringify([String(error), (error as Error).stack, String((error as Error).cause)])).not.toContain(
      'CANARY'
    )
  })
})
