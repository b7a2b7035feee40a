import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppDatabase } from '../../../node/app-database.ts'
import { readConfig } from '../../../node/config/config.ts'
import { DeviceAuthorization, STORAGE_REQUESTS_PER_MINUTE } from '../../../node/http/device-authorization.ts'
import { HttpServer } from '../../../node/http/http-server.ts'
import { objectRoutes } from '../../../node/http/object-routes.ts'
import type { DirectoryPort } from '../../../node/key-directory/directory-port.ts'
import { BackupHeads } from '../../../node/storage/backup-heads.ts'
import { createObjectService } from '../../../node/storage/create-object-service.ts'
import { MAX_PROFILE_OBJECT_BYTES } from '../../../node/storage/object-room.ts'
import {
  FILE_TTL_MS,
  MAX_PROFILE_OBJECTS,
  UPLOAD_TTL_MS,
  type ObjectService
} from '../../../node/storage/object-service.ts'
import { signStorageRequest, STORAGE_REQUEST_LIFE_MS } from '../../../protocol/identity/storage-request.ts'
import { OBJECT_PART_BYTES } from '../../../protocol/limits.ts'
import type { DeviceId } from '../../../protocol/identity/device.ts'
import type { NetworkId } from '../../../protocol/network.ts'
import { IagonServer } from '../../support/storage/iagon-server.ts'
import { silentLogger } from '../../support/silent-logger.ts'
import { crypto } from '../../support/sign-in.ts'

const NETWORK = new Uint8Array(32).fill(1) as Uint8Array as NetworkId
const NODE_KEY = new Uint8Array(32).fill(2)
/** Requests under way at a time, where a test makes many. */
const AT_ONCE = 20
const EMPTY_EPOCH = { number: 0, seed: new Uint8Array(32), nodes: [], nodeSeeds: [] }

/** A device that the directory of these tests knows. */
async function makeDevice(id: number) {
  const key = await crypto.signingKeyFromSeed(Uint8Array.from(randomBytes(32)))
  const deviceId = new Uint8Array(16).fill(id) as Uint8Array as DeviceId
  return { deviceId, key, accountId: new Uint8Array(32).fill(id), state: 'live' as 'live' | 'revoked' }
}
type Device = Awaited<ReturnType<typeof makeDevice>>

let folder: string
let now: number
let database: AppDatabase
let objects: ObjectService
let server: HttpServer
let url: string
let ada: Device
let bob: Device

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'volo-objects-'))
  now = 1_800_000_000_000
  ;[ada, bob] = [await makeDevice(1), await makeDevice(2)]
  await startNode()
})

afterEach(async () => {
  await stopNode()
  await rm(folder, { recursive: true })
})

async function startNode(flags: string[] = []): Promise<void> {
  const clock = (): number => now
  database = new AppDatabase(join(folder, 'app'))
  await database.open()
  const config = readConfig(['--storage-quota-mib', '4', '--data-dir', folder, ...flags], {})
  objects = await createObjectService({ clock, logger: silentLogger, database }, config)
  const device = async (deviceId: Uint8Array) => {
    const found = [ada, bob].find(known => known.deviceId[0] === deviceId[0])
    return found && { ...found, keys: { signingKey: found.key.publicKey } }
  }
  const directory = { device } as unknown as DirectoryPort
  const authorization = new DeviceAuthorization({ crypto, clock, directory }, { network: NETWORK, nodeKey: NODE_KEY })
  const init = { version: '0', trustProxy: false, requestsPerMinute: 1e6, overTls: false, epoch: () => EMPTY_EPOCH }
  server = new HttpServer({ logger: silentLogger }, init)
  await server.prepare()
  const heads = new BackupHeads({ crypto, clock, store: database.storeFor('backups') }, { network: NETWORK })
  await server.addLimited(app => objectRoutes(app, { objects, heads, authorization }))
  url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`
}

async function stopNode(): Promise<void> {
  await server.stop()
  await database.close()
}

interface Call {
  body?: Uint8Array
  headers?: Record<string, string>
  nodeKey?: Uint8Array
}

async function authorize(device: Device, method: string, target: string, { body, nodeKey = NODE_KEY }: Call = {}) {
  const request = { nodeKey, method, target, body: method === 'PUT' ? null : (body ?? new Uint8Array()) }
  const stamp = { nonce: Uint8Array.from(randomBytes(16)), time: now }
  return signStorageRequest(crypto, NETWORK, device, request, stamp)
}

async function call(device: Device, method: string, target: string, call: Call = {}): Promise<Response> {
  const headers: Record<string, string> = {
    authorization: await authorize(device, method, target, call),
    ...call.headers
  }
  if (call.body) headers['content-type'] = 'application/octet-stream'
  return fetch(url + target, { method, headers, ...(call.body && { body: Uint8Array.from(call.body) }) })
}

async function refusal(answer: Response): Promise<[number, string]> {
  return [answer.status, ((await answer.json()) as { error: string }).error]
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const begin = (device: Device, bytes: Uint8Array, purpose = 'file') =>
  call(device, 'POST', `/v1/objects/${hashOf(bytes)}?size=${bytes.length}&purpose=${purpose}`)
const part = (device: Device, bytes: Uint8Array, index: number) =>
  call(device, 'PUT', `/v1/objects/${hashOf(bytes)}/parts/${index}`, {
    body: bytes.subarray(index * OBJECT_PART_BYTES, (index + 1) * OBJECT_PART_BYTES)
  })
const complete = (device: Device, bytes: Uint8Array) => call(device, 'POST', `/v1/objects/${hashOf(bytes)}/complete`)
const download = (device: Device, bytes: Uint8Array, headers = {}) =>
  call(device, 'GET', `/v1/objects/${hashOf(bytes)}`, { headers })
const listOf = async (device: Device) =>
  (await (await call(device, 'GET', '/v1/objects')).json()) as {
    objects: { hash: string; size: number }[]
    usedBytes: number
    quotaBytes: number
  }

async function upload(device: Device, bytes: Uint8Array, purpose?: string): Promise<void> {
  const begun = await begin(device, bytes, purpose)
  expect(begun.status).toBe(200)
  if (((await begun.json()) as { stored: boolean }).stored) return
  for (let index = 0; index * OBJECT_PART_BYTES < bytes.length; index++) {
    expect((await part(device, bytes, index)).status).toBe(204)
  }
  expect((await complete(device, bytes)).status).toBe(204)
}

describe('objects over HTTP', () => {
  it('come back whole and in ranges, to any device that knows the hash', async () => {
    const bytes = randomBytes(2_500_000)
    await upload(ada, bytes)
    const whole = await download(bob, bytes)
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true)
    for (const [header, start, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=1000000-1099999', 1_000_000, 1_100_000],
      ['bytes=2499990-', 2_499_990, 2_500_000],
      ['bytes=2499990-9999999', 2_499_990, 2_500_000]
    ] as const) {
      const ranged = await download(bob, bytes, { range: header })
      expect(ranged.status).toBe(206)
      expect(ranged.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/2500000`)
      expect(Buffer.from(await ranged.arrayBuffer()).equals(bytes.subarray(start, end))).toBe(true)
    }
    expect((await download(bob, bytes, { range: 'bytes=2500000-' })).status).toBe(416)
    expect(await refusal(await download(bob, randomBytes(10)))).toEqual([404, 'not-found'])
  })

  it('go on after the node was restarted in the middle of an upload', async () => {
    const bytes = randomBytes(3 * OBJECT_PART_BYTES)
    await begin(ada, bytes)
    await part(ada, bytes, 0)
    await part(ada, bytes, 2)
    expect(await refusal(await complete(ada, bytes))).toEqual([409, 'incomplete'])
    await stopNode()
    await startNode()
    expect(await (await begin(ada, bytes)).json()).toEqual({
      stored: false,
      received: [0, 2],
      partBytes: OBJECT_PART_BYTES
    })
    await part(ada, bytes, 1)
    expect((await complete(ada, bytes)).status).toBe(204)
    expect(((await (await begin(ada, bytes)).json()) as { stored: boolean }).stored).toBe(true)
    expect(await readdir(join(folder, 'storage', 'uploads'))).toEqual([])
  })

  it('are sent before their hash is known, under a name drawn at random', async () => {
    const [bytes, other] = [randomBytes(3 * OBJECT_PART_BYTES), randomBytes(OBJECT_PART_BYTES)]
    const target = `/v1/objects/${hashOf(randomBytes(9))}`
    const put = (index: number, body: Uint8Array) => call(ada, 'PUT', `${target}/parts/${index}`, { body })
    const partOf = (index: number) => bytes.subarray(index * OBJECT_PART_BYTES, (index + 1) * OBJECT_PART_BYTES)
    const end = (hash: string) => call(ada, 'POST', `${target}/complete?hash=${hash}`)
    await call(ada, 'POST', `${target}?size=${bytes.length}&purpose=file`)
    for (const index of [2, 0, 1]) expect((await put(index, partOf(index))).status).toBe(204)
    // A part that is sent again takes the place of the first one, also in the hash.
    await put(1, other)
    expect(await refusal(await end(hashOf(bytes)))).toEqual([400, 'malformed'])
    for (const index of [0, 1]) await put(index, partOf(index))
    await stopNode()
    await startNode()
    expect(await (await call(ada, 'POST', `${target}?size=${bytes.length}&purpose=file`)).json()).toMatchObject({
      stored: false,
      received: [0, 1]
    })
    await put(2, partOf(2))
    for (const _again of [1, 2]) expect((await end(hashOf(bytes))).status).toBe(204)
    expect(Buffer.from(await (await download(bob, bytes)).arrayBuffer()).equals(bytes)).toBe(true)
    expect(await listOf(ada)).toMatchObject({ objects: [{ hash: hashOf(bytes) }], usedBytes: bytes.length })
    expect(await readdir(join(folder, 'storage', 'uploads'))).toEqual([])
    // Under another name, with the hash: it is not sent again.
    const again = `/v1/objects/${hashOf(randomBytes(9))}?size=${bytes.length}&purpose=file&hash=${hashOf(bytes)}`
    expect(await (await call(ada, 'POST', again)).json()).toMatchObject({ stored: true })
  })

  it('become those of a second account without being sent again, and count to its quota', async () => {
    const bytes = randomBytes(1000)
    await upload(ada, bytes)
    const begun = (await (await begin(bob, bytes, 'backup')).json()) as { stored: boolean }
    expect(begun.stored).toBe(true)
    expect(await listOf(bob)).toMatchObject({ objects: [{ purpose: 'backup' }], usedBytes: bytes.length })
    const wrong = await call(
      bob,
      'POST',
      `/v1/objects/${hashOf(randomBytes(9))}?size=999&purpose=file&hash=${hashOf(bytes)}`
    )
    expect(((await wrong.json()) as { stored: boolean }).stored).toBe(true)
  })

  it('are refused when the bytes do not have the hash, and can be sent again', async () => {
    const bytes = randomBytes(1000)
    await begin(ada, bytes)
    await call(ada, 'PUT', `/v1/objects/${hashOf(bytes)}/parts/0`, { body: randomBytes(1000) })
    expect(await refusal(await complete(ada, bytes))).toEqual([400, 'malformed'])
    await upload(ada, bytes)
  })

  it('are stored with one request where they are small, and not with bytes that do not have the hash', async () => {
    const bytes = randomBytes(OBJECT_PART_BYTES)
    const target = `/v1/objects/${hashOf(bytes)}?purpose=file`
    const [wrong, long] = [randomBytes(bytes.length), randomBytes(bytes.length + 1)]
    expect(await refusal(await call(ada, 'PUT', target, { body: wrong }))).toEqual([400, 'malformed'])
    expect(await refusal(await call(ada, 'PUT', target, { body: long }))).toEqual([413, 'too-large'])
    expect((await listOf(ada)).usedBytes).toBe(0)
    for (const _again of [1, 2]) expect((await call(ada, 'PUT', target, { body: bytes })).status).toBe(204)
    expect(Buffer.from(await (await download(bob, bytes)).arrayBuffer()).equals(bytes)).toBe(true)
    expect(await listOf(ada)).toMatchObject({ objects: [{ hash: hashOf(bytes) }], usedBytes: bytes.length })
  })

  it('leave no parts behind that belong to no upload', async () => {
    const bytes = randomBytes(1000)
    await begin(ada, bytes)
    await part(ada, bytes, 0)
    const uploads = join(folder, 'storage', 'uploads')
    const [name] = await readdir(uploads)
    await rename(join(uploads, name!), join(uploads, name!.replace(hashOf(bytes), hashOf(randomBytes(9)))))
    await objects.sweep()
    expect(await readdir(uploads)).toEqual([])
  })

  it('are refused in parts of another length, without a beginning, or past the last part', async () => {
    const bytes = randomBytes(1000)
    expect(await refusal(await part(ada, bytes, 0))).toEqual([404, 'not-found'])
    await begin(ada, bytes)
    const put = (index: number, length: number) =>
      call(ada, 'PUT', `/v1/objects/${hashOf(bytes)}/parts/${index}`, { body: randomBytes(length) })
    expect(await refusal(await put(0, 999))).toEqual([400, 'malformed'])
    expect(await refusal(await put(1, 1000))).toEqual([400, 'malformed'])
    expect(await refusal(await put(0, OBJECT_PART_BYTES + 1))).toEqual([413, 'too-large'])
  })

  it('count to the quota of their account from the beginning of the upload, until they are removed', async () => {
    const mib = (count: number) => randomBytes(count * 1024 * 1024)
    const [first, second] = [mib(3), mib(2)]
    const begun = await Promise.all([begin(ada, first), begin(ada, second)])
    expect(begun.map(answer => answer.status).sort()).toEqual([200, 507])
    await call(ada, 'DELETE', `/v1/objects/${hashOf(first)}`)
    await call(ada, 'DELETE', `/v1/objects/${hashOf(second)}`)
    await upload(ada, first)
    expect(await refusal(await begin(ada, second))).toEqual([507, 'over-quota'])
    expect((await begin(bob, second)).status).toBe(200)
    expect(await listOf(ada)).toMatchObject({
      objects: [{ hash: hashOf(first), size: first.length }],
      usedBytes: 3 * 1024 * 1024,
      quotaBytes: 4 * 1024 * 1024
    })
    expect((await call(ada, 'DELETE', `/v1/objects/${hashOf(first)}`)).status).toBe(204)
    expect((await begin(ada, second)).status).toBe(200)
  })

  it('stay until the last of their owners removes them; nobody removes for others', async () => {
    const bytes = randomBytes(1000)
    await upload(ada, bytes)
    await call(bob, 'DELETE', `/v1/objects/${hashOf(bytes)}`)
    expect((await download(bob, bytes)).status).toBe(200)
    await upload(bob, bytes)
    await call(ada, 'DELETE', `/v1/objects/${hashOf(bytes)}`)
    expect((await listOf(ada)).objects).toEqual([])
    expect((await download(ada, bytes)).status).toBe(200)
    await call(bob, 'DELETE', `/v1/objects/${hashOf(bytes)}`)
    expect((await download(ada, bytes)).status).toBe(404)
  })

  it('end when their time is over; backups stay', async () => {
    const [file, backup, unfinished] = [randomBytes(1000), randomBytes(1000), randomBytes(1000)]
    await upload(ada, file)
    await upload(ada, backup, 'backup')
    await begin(ada, unfinished)
    now += UPLOAD_TTL_MS
    await objects.sweep()
    expect(await refusal(await part(ada, unfinished, 0))).toEqual([404, 'not-found'])
    expect((await download(ada, file)).status).toBe(200)
    now += FILE_TTL_MS
    await objects.sweep()
    expect((await download(ada, file)).status).toBe(404)
    expect((await download(ada, backup)).status).toBe(200)
  })
})

describe('objects of a profile', () => {
  it('stay without an end and count to no quota; a newer one removes the oldest', async () => {
    await upload(ada, new Uint8Array(randomBytes(3_000_000)))
    const pictures = Array.from({ length: MAX_PROFILE_OBJECTS + 1 }, () => new Uint8Array(randomBytes(50_000)))
    for (const picture of pictures) {
      await upload(ada, picture, 'profile')
      now += 1_000
    }
    expect(await listOf(ada)).toMatchObject({ usedBytes: 3_000_000 })
    expect((await download(ada, pictures[0]!)).status).toBe(404)
    now += FILE_TTL_MS
    await objects.sweep()
    const left = (await listOf(ada)).objects.map(({ hash }) => hash).sort()
    expect(left).toEqual(pictures.slice(1).map(hashOf).sort())
    expect((await download(bob, pictures[1]!)).status).toBe(200)
  })

  it('are small: neither a large object nor a file that is handed in once more gets the longer life', async () => {
    const large = new Uint8Array(randomBytes(MAX_PROFILE_OBJECT_BYTES + 1))
    expect(await refusal(await begin(ada, large, 'profile'))).toEqual([413, 'too-large'])
    await upload(ada, large)
    expect(await refusal(await begin(ada, large, 'profile'))).toEqual([413, 'too-large'])
    now += FILE_TTL_MS
    await objects.sweep()
    expect((await listOf(ada)).objects).toEqual([])
  })
})

describe("a storage of the person's own", () => {
  const OWN_KEY = 'ada.IAG-SN.canary'
  const bytes = randomBytes(2_000)
  const withKey = (device: Device, method: string, target: string) =>
    call(device, method, target, { headers: { 'x-volo-iagon-key': OWN_KEY } })

  it('holds what belongs to a backup, is opened with its key only, and leaves no key at the node', async () => {
    const iagon = new IagonServer()
    await iagon.start()
    try {
      const keyFile = join(folder, 'key-of-the-node')
      await writeFile(keyFile, 'test.IAG-SN.key')
      await stopNode()
      await startNode(['--storage', 'iagon', '--storage-url', iagon.url, '--storage-key-file', keyFile])
      iagon.keys.add(OWN_KEY)
      await begin(ada, bytes, 'backup')
      await part(ada, bytes, 0)
      expect((await withKey(ada, 'POST', `/v1/objects/${hashOf(bytes)}/complete`)).status).toBe(204)
      // It counts to no quota of the node, and is nobody else's.
      expect((await listOf(ada)).usedBytes).toBe(0)
      expect(await refusal(await download(bob, bytes))).toEqual([404, 'not-found'])
      expect(await refusal(await download(ada, bytes))).toEqual([403, 'storage-key'])
      const opened = await withKey(ada, 'GET', `/v1/objects/${hashOf(bytes)}`)
      expect(Buffer.from(await opened.arrayBuffer()).equals(bytes)).toBe(true)
      iagon.keys.delete(OWN_KEY)
      expect(await refusal(await withKey(ada, 'GET', `/v1/objects/${hashOf(bytes)}`))).toEqual([403, 'storage-key'])
      for (const name of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (name.isFile()) expect((await readFile(join(name.parentPath, name.name))).includes(OWN_KEY)).toBe(false)
      }
    } finally {
      await iagon.stop()
    }
  })
})

describe('a request for objects', () => {
  it('counts once, for its method, target, body and node, while it is young and its device lives', async () => {
    const target = '/v1/objects'
    const header = await authorize(ada, 'GET', target)
    const get = (authorization: string, path = target) => fetch(url + path, { headers: { authorization } })
    expect((await get(header)).status).toBe(200)
    const stolen = await authorize(ada, 'GET', target)
    const refused: [string, Promise<Response>][] = [
      ['repeated', get(header)],
      ['unsigned', fetch(url + target)],
      ['junk', get('Volo 00')],
      ['another scheme', get('Bearer x')],
      ['another target', get(stolen, `${target}?after=`)],
      [
        'another method',
        fetch(`${url}/v1/objects/${'0'.repeat(64)}`, { method: 'DELETE', headers: { authorization: stolen } })
      ],
      ['another node', get(await authorize(ada, 'GET', target, { nodeKey: new Uint8Array(32) }))],
      ['another device', get(await authorize({ ...ada, key: bob.key }, 'GET', target))],
      ['unknown device', get(await authorize(await makeDevice(9), 'GET', target))]
    ]
    for (const [what, answer] of refused)
      expect([what, ...(await refusal(await answer))]).toEqual([what, 401, 'bad-authorization'])
    now += STORAGE_REQUEST_LIFE_MS + 1
    const late = await get(stolen)
    expect((await late.clone().json()).message).toContain('clock')
    expect(await refusal(late)).toEqual([400, 'expired'])
    ada.state = 'revoked'
    expect(await refusal(await call(ada, 'GET', target))).toEqual([401, 'bad-authorization'])
  })

  it('may come from a page of another node', async () => {
    const answer = await fetch(`${url}/v1/objects/${'0'.repeat(64)}/parts/0`, { method: 'OPTIONS' })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-allow-methods')).toContain('PUT')
    expect(answer.headers.get('access-control-allow-headers')).toContain('authorization')
  })

  it('is refused when an account makes too many', async () => {
    for (let count = 0; count < STORAGE_REQUESTS_PER_MINUTE; count += AT_ONCE) {
      const calls = Array.from({ length: AT_ONCE }, () => call(ada, 'GET', '/v1/objects'))
      expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200))
    }
    expect(await refusal(await call(ada, 'GET', '/v1/objects'))).toEqual([429, 'rate-limited'])
    expect((await call(bob, 'GET', '/v1/objects')).status).toBe(200)
  })
})

describe('docs/http-api.md', () => {
  it('names every route of objects', async () => {
    const docs = await readFile(new URL('../../../docs/http-api.md', import.meta.url), 'utf8')
    const { paths } = server.openApi() as { paths: Record<string, Record<string, unknown>> }
    for (const [path, methods] of Object.entries(paths)) {
      const written = path.replace(/\{(\w+)\}/g, ':$1')
      for (const method of Object.keys(methods)) expect(docs).toContain(`\`${method.toUpperCase()} ${written}`)
    }
  })
})
