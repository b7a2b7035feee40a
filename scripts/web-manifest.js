/**
 * Writes web-manifest.json into a built web app: every file with its size and SHA-256. The manifest's own SHA-256 is what a
 * RELEASE record names, so its bytes follow from the files alone; chain/verify/web-manifest.ts reads it back.
 * `node scripts/web-manifest.js [dist/web]` prints that hash.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { at } from './checkout.js'

const NAME = 'web-manifest.json'

const sha256 = bytes => createHash('sha256').update(bytes).digest('hex')

/** @returns the manifest's SHA-256, lower-case hex. */
export function writeWebManifest(folder) {
  const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter(path => path !== NAME)
  const files = paths.toSorted().map(path => {
    const bytes = readFileSync(join(folder, path))
    return { path, size: bytes.length, sha256: sha256(bytes) }
  })
  const text = `${JSON.stringify({ format: 'volo/1/web-manifest', version, files }, null, 2)}\n`
  writeFileSync(join(folder, NAME), text)
  return sha256(text)
}

if (import.meta.filename === process.argv[1]) console.log(writeWebManifest(process.argv[2] ?? at('dist', 'web')))
