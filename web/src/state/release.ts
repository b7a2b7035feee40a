/** Names every file of the built app with its hash, see scripts/web-manifest.js. */
const MANIFEST = './web-manifest.json'

/**
 * The hash of what the address of this app serves now: lower-case hex of 64 characters, as `volo-verify` compares it with the
 * published release.
 * @returns null without a connection, and while the app is being developed.
 */
export async function servedRelease(): Promise<string | null> {
  try {
    const answer = await fetch(MANIFEST, { cache: 'no-cache' })
    if (!answer.ok || !answer.headers.get('content-type')?.includes('json')) return null
    const digest = await crypto.subtle.digest('SHA-256', await answer.arrayBuffer())
    return Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('')
  } catch {
    return null
  }
}
