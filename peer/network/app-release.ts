import { MAX_VERSION_UNITS, type AppRelease } from '../../protocol/audit/seen.ts'
import type { Crypto } from '../../protocol/crypto/crypto.ts'
import type { HttpClient } from '../ports.ts'

const MANIFEST = 'web-manifest.json'
const MANIFEST_TIMEOUT_MS = 15_000
/** Longest manifest that is read. */
const MAX_MANIFEST_BYTES = 1024 * 1024

/**
 * The build of the app, by the manifest that its node serves (docs/releases.md).
 * @param version - of the code that runs; a manifest of another version is not its own.
 * @returns null where there is none, or the node does not answer.
 */
export async function appRelease(
  fetch: HttpClient,
  crypto: Pick<Crypto, 'sha256'>,
  origin: string,
  version: string
): Promise<AppRelease | null> {
  if (version.length > MAX_VERSION_UNITS) return null
  try {
    const answer = await fetch(`${origin}/${MANIFEST}`, { signal: AbortSignal.timeout(MANIFEST_TIMEOUT_MS) })
    const bytes = new Uint8Array(await answer.arrayBuffer())
    if (!answer.ok || bytes.length > MAX_MANIFEST_BYTES) return null
    const manifest = JSON.parse(new TextDecoder().decode(bytes)) as { version?: unknown } | null
    return manifest?.version === version ? { version, hash: crypto.sha256(bytes) } : null
  } catch {
    // Nothing is compared then.
    return null
  }
}
