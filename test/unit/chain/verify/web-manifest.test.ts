import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readBuiltApp } from '../../../../chain/release/built-app.ts'
import { createReleaseKey, readReleaseKey } from '../../../../chain/release/release-key.ts'
import {
  decodeWebManifest,
  encodeWebManifest,
  webManifestHash,
  type WebManifest
} from '../../../../chain/verify/web-manifest.ts'
import { toHex, utf8 } from '../../../../protocol/bytes.ts'
import { crypto } from '../../../support/directory/cast.ts'
import { root, temporaryFolder } from '../../../support/network/real-processes/node-process.ts'

let folder: string

beforeEach(() => {
  folder = temporaryFolder()
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<p>hello')
  writeFileSync(join(folder, 'assets', 'index-abc.js'), 'hello()')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** As the build does. @returns the hash that it prints. */
const build = (): string =>
  spawnSync(process.execPath, [join(root, 'scripts', 'web-manifest.js'), folder], { encoding: 'utf8' }).stdout.trim()

describe('the manifest that a build writes', () => {
  it('is read back, names every file but itself, and hashes to what is printed', async () => {
    const hash = build()
    const bytes = readFileSync(join(folder, 'web-manifest.json'))
    expect(toHex(webManifestHash(bytes))).toBe(hash)
    const manifest = decodeWebManifest(bytes)
    expect(manifest.files.map(({ path, size }) => [path, size])).toEqual([
      ['assets/index-abc.js', 7],
      ['index.html', 8]
    ])
    expect(encodeWebManifest(manifest)).toEqual(Uint8Array.from(bytes))
    expect(await readBuiltApp(folder)).toEqual({ manifest, manifestHash: webManifestHash(bytes) })
  })

  it('is the same for the same files, built again or elsewhere', () => {
    const first = build()
    expect(build()).toBe(first)
    writeFileSync(join(folder, 'index.html'), '<p>hello!')
    expect(build()).not.toBe(first)
  })

  it('does not fit a folder whose files are changed, missing or more', async () => {
    build()
    writeFileSync(join(folder, 'index.html'), '<p>HELLO')
    rmSync(join(folder, 'assets', 'index-abc.js'))
    writeFileSync(join(folder, 'evil.js'), '')
    await expect(readBuiltApp(folder)).rejects.toMatchObject({
      code: 'CHANGED',
      message: expect.stringMatching(
        /index-abc\.js is missing.*index\.html is changed.*evil\.js is not in the manifest/
      )
    })
  })

  it('is asked for where there is none', async () => {
    await expect(readBuiltApp(folder)).rejects.toMatchObject({
      code: 'MALFORMED',
      message: expect.stringContaining('npm run build')
    })
  })
})

describe('a manifest is refused', () => {
  const good: WebManifest = {
    format: 'volo/1/web-manifest',
    version: '1.0.0',
    files: ['a.js', 'b.js'].map(path => ({ path, size: 1, sha256: '0'.repeat(64) }))
  }
  const [a, b] = good.files as [WebManifest['files'][number], WebManifest['files'][number]]
  const encode = (value: unknown): Uint8Array => utf8(`${JSON.stringify(value, null, 2)}\n`)
  const withPath = (path: string): Uint8Array => encode({ ...good, files: [{ ...a, path }] })

  it.each([
    ['that is no JSON', utf8('{')],
    ['that is not UTF-8', Uint8Array.of(0xff)],
    ['of another format', encode({ ...good, format: 'volo/2/web-manifest' })],
    ['with a field more', encode({ ...good, more: 1 })],
    ['with fields in another order', encode({ version: '1', format: good.format, files: good.files })],
    ['in another layout', utf8(JSON.stringify(good))],
    ['without files', encode({ ...good, files: [] })],
    ['with files in another order', encode({ ...good, files: [b, a] })],
    ['with a file twice', encode({ ...good, files: [a, a] })],
    ['with a version that no record has room for', encode({ ...good, version: 'x'.repeat(33) })],
    ['with a hash in capitals', encode({ ...good, files: [{ ...a, sha256: 'A'.repeat(64) }] })],
    ['with a negative size', encode({ ...good, files: [{ ...a, size: -1 }] })],
    ['with a path that leads up', withPath('../a.js')],
    ['with a path that leads up inside', withPath('a/../../b.js')],
    ['with a path from the root', withPath('/a.js')],
    ['with a query', withPath('a.js?x')],
    ['with an address', withPath('https://a.example/a.js')],
    ['with a hidden file', withPath('.env')],
    ['that is too long', new Uint8Array(2 * 1024 * 1024)]
  ])('%s', (_name, bytes) => {
    expect(() => decodeWebManifest(bytes)).toThrow(expect.objectContaining({ code: 'MALFORMED' }))
    expect(decodeWebManifest(encodeWebManifest(good))).toEqual(good)
  })
})

describe('a release key', () => {
  it('is made once, for its owner alone, and read back', async () => {
    const file = join(folder, 'release.key')
    const { publicKey } = await createReleaseKey(crypto, file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await readReleaseKey(crypto, file)).publicKey).toEqual(publicKey)
    await expect(createReleaseKey(crypto, file)).rejects.toMatchObject({ code: 'BAD_KEY_FILE' })
    expect((await readReleaseKey(crypto, file)).publicKey).toEqual(publicKey)
  })

  it('is refused if others may read it, if it is malformed or missing, and its text is never told', async () => {
    const file = join(folder, 'release.key')
    writeFileSync(file, 'secretsecret', { mode: 0o600 })
    const refusal = (path: string) => readReleaseKey(crypto, path).catch((error: Error) => error.message)
    expect(await refusal(file)).toMatch(/does not hold 64 hex characters$/)
    writeFileSync(join(folder, 'open.key'), 'ab'.repeat(32), { mode: 0o644 })
    expect(await refusal(join(folder, 'open.key'))).toContain('chmod 600')
    expect(await refusal(join(folder, 'none'))).toContain('ENOENT')
  })
})
