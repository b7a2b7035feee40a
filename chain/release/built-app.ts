import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { ReleaseError } from '../verify/manifest-errors.ts'
import {
  decodeWebManifest,
  isListedContent,
  WEB_MANIFEST_PATH,
  webManifestHash,
  type WebManifest
} from '../verify/web-manifest.ts'

/** A build that is what its manifest says. */
export interface BuiltApp {
  readonly manifest: WebManifest
  /** 32 bytes. */
  readonly manifestHash: Uint8Array
}

/**
 * Reads the manifest of a built app and holds every file in the folder against it: what is released has been looked at.
 * @throws ReleaseError `MALFORMED` without a readable manifest, `CHANGED` naming files that are missing, changed or extra.
 */
export async function readBuiltApp(folder: string): Promise<BuiltApp> {
  const bytes = await readFile(join(folder, WEB_MANIFEST_PATH)).catch((cause: unknown) => {
    const message = `${folder} holds no ${WEB_MANIFEST_PATH}: "npm run build" makes one`
    throw new ReleaseError('MALFORMED', message, { cause })
  })
  const manifest = decodeWebManifest(bytes)
  const found = await filesIn(folder)
  const problems: string[] = []
  for (const file of manifest.files) {
    if (!found.delete(file.path)) problems.push(`${file.path} is missing`)
    else if (!isListedContent(file, await readFile(join(folder, file.path)))) problems.push(`${file.path} is changed`)
  }
  for (const path of found) problems.push(`${path} is not in the manifest`)
  if (problems.length > 0) throw new ReleaseError('CHANGED', `not the build of its manifest: ${problems.join(', ')}`)
  return { manifest, manifestHash: webManifestHash(bytes) }
}

async function filesIn(folder: string): Promise<Set<string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter(entry => !entry.isDirectory())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  return new Set(paths.filter(path => path !== WEB_MANIFEST_PATH))
}
