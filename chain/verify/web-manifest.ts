/** The list of all files of one build of the web app; scripts/web-manifest.js writes it as part of the build. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ReleaseError } from './manifest-errors.ts'

/** The path of the manifest, beside index.html. */
export const WEB_MANIFEST_PATH = 'web-manifest.json'
/** Longest manifest, in bytes. */
export const MAX_WEB_MANIFEST_BYTES = 1024 * 1024
const MAX_FILES = 4_096
const MAX_FILE_BYTES = 64 * 1024 * 1024
const MAX_PATH_LENGTH = 255
/** What a RELEASE record has room for, in bytes. */
const MAX_VERSION_LENGTH = 32

/** Below the app's folder; no way up, no query, nothing that needs escaping. */
const path = z
  .string()
  .max(MAX_PATH_LENGTH)
  .regex(/^(?!\.)[\w.@~+-]+(\/(?!\.)[\w.@~+-]+)*$/)

const manifestSchema = z.strictObject({
  format: z.literal('volo/1/web-manifest'),
  version: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .max(MAX_VERSION_LENGTH),
  files: z
    .array(
      z.strictObject({ path, size: z.int().min(0).max(MAX_FILE_BYTES), sha256: z.string().regex(/^[0-9a-f]{64}$/) })
    )
    .min(1)
    .max(MAX_FILES)
})

/** One file of a build. */
export interface WebFile {
  /** Relative to the app's folder, with `/`. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Lower-case hex. */
  readonly sha256: string
}

/** All files of a build but the manifest itself, by rising path. */
export interface WebManifest {
  readonly format: 'volo/1/web-manifest'
  /** 1 to 32 printable ASCII characters. */
  readonly version: string
  readonly files: readonly WebFile[]
}

/** The only way to write it. */
export function encodeWebManifest(manifest: WebManifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)
}

/** @throws ReleaseError `MALFORMED` for anything else than {@link encodeWebManifest} makes of sorted files. */
export function decodeWebManifest(bytes: Uint8Array): WebManifest {
  if (bytes.length > MAX_WEB_MANIFEST_BYTES) throw malformed('it is too long')
  let manifest: WebManifest
  try {
    manifest = manifestSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? `at "${cause.issues[0]?.path.join('.') ?? ''}"` : 'it is not JSON'
    throw malformed(issue, cause)
  }
  const { files } = manifest
  if (files.some((file, i) => i > 0 && files[i - 1]!.path >= file.path)) throw malformed('its files are not sorted')
  if (!Buffer.from(encodeWebManifest(manifest)).equals(bytes)) throw malformed('it is not written canonically')
  return manifest
}

const malformed = (reason: string, cause?: unknown): ReleaseError =>
  new ReleaseError('MALFORMED', `no manifest of a web app: ${reason}`, { cause })

/** SHA-256 of a manifest's bytes, 32 bytes: what a RELEASE record names. Its label is the manifest's own `format`. */
export function webManifestHash(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}

/** Whether these are the bytes that a manifest lists. */
export function isListedContent({ size, sha256 }: WebFile, bytes: Uint8Array): boolean {
  return bytes.length === size && createHash('sha256').update(bytes).digest('hex') === sha256
}
