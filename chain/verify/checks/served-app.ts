/** The web app as one node serves it, held against the manifest of a release. */
import { toHex } from '../../../protocol/bytes.ts'
import { ReleaseError } from '../manifest-errors.ts'
import {
  decodeWebManifest,
  isListedContent,
  MAX_WEB_MANIFEST_BYTES,
  WEB_MANIFEST_PATH,
  webManifestHash,
  type WebFile,
  type WebManifest
} from '../web-manifest.ts'
import { VerifyError } from '../errors.ts'
import { httpGet, type HttpAnswer } from '../sources/http-client.ts'

/** Files that are asked for at once. */
const CONCURRENCY = 4
/** Room for a page that says that the file does not exist. */
const MIN_ANSWER_BYTES = 64 * 1024
/** The name under which the app's root serves it too. */
const PAGE = 'index.html'

/** How a node's files compare with a manifest; paths, sorted. */
export interface ServedFiles {
  /** Files that are as they should be. */
  readonly same: number
  readonly changed: readonly string[]
  readonly missing: readonly string[]
}

/** A manifest as a node serves it. */
export interface ServedManifest {
  /** Lower-case hex. */
  readonly hash: string
  /** `undefined` if it cannot be read. */
  readonly manifest: WebManifest | undefined
}

export interface ServedAppInit {
  /** Scheme, host and port. */
  origin: string
  signal?: AbortSignal | undefined
}

/** @returns `undefined` if the node serves none. @throws VerifyError `UNREACHABLE`, `BAD_ANSWER`. */
export async function fetchManifest({ origin, signal }: ServedAppInit): Promise<ServedManifest | undefined> {
  const { status, body } = await httpGet(`${origin}/${WEB_MANIFEST_PATH}`, { maxBytes: MAX_WEB_MANIFEST_BYTES, signal })
  if (status !== 200) return undefined
  const hash = toHex(webManifestHash(body))
  try {
    return { hash, manifest: decodeWebManifest(body) }
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error
    return { hash, manifest: undefined }
  }
}

/** Gets every file of a manifest from a node, and its page at the root. @throws VerifyError `UNREACHABLE`. */
export async function compareServedFiles(init: ServedAppInit, { files }: WebManifest): Promise<ServedFiles> {
  const wanted: { path: string; file: WebFile }[] = files.map(file => ({ path: file.path, file }))
  const page = files.find(({ path }) => path === PAGE)
  if (page) wanted.push({ path: '', file: page })
  const results = new Map<string, 'same' | 'changed' | 'missing'>()
  for (let i = 0; i < wanted.length; i += CONCURRENCY) {
    const chunk = wanted.slice(i, i + CONCURRENCY)
    const verdicts = await Promise.all(chunk.map(({ path, file }) => compareFile(init, path, file)))
    chunk.forEach(({ path }, j) => results.set(path === '' ? '/' : path, verdicts[j]!))
  }
  const named = (kind: string): string[] => [...results].filter(([, result]) => result === kind).map(([path]) => path)
  return { same: named('same').length, changed: named('changed'), missing: named('missing') }
}

async function compareFile(
  { origin, signal }: ServedAppInit,
  path: string,
  file: WebFile
): Promise<'same' | 'changed' | 'missing'> {
  let answer: HttpAnswer
  try {
    answer = await httpGet(`${origin}/${path}`, { maxBytes: Math.max(file.size, MIN_ANSWER_BYTES), signal })
  } catch (error) {
    // Longer than it should be, or somewhere else.
    if (error instanceof VerifyError && error.code === 'BAD_ANSWER') return 'changed'
    throw error
  }
  if (answer.status !== 200) return 'missing'
  return isListedContent(file, answer.body) ? 'same' : 'changed'
}

/** Files that a node's own manifest lists and the release does not. */
export function extraFiles(served: WebManifest | undefined, released: WebManifest): string[] {
  const known = new Set(released.files.map(({ path }) => path))
  return (served?.files ?? []).map(({ path }) => path).filter(path => !known.has(path))
}
