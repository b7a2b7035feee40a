/** The part of the Trusted Types API in use; see https://w3c.github.io/trusted-types/. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

/** Name of the policy, as the Content-Security-Policy lists it. */
const POLICY_NAME = 'volo-worker'

let policy: { createScriptURL(url: string): string } | undefined

function ownOriginOnly(url: string): string {
  const address = new URL(url, document.baseURI)
  if (address.origin !== location.origin) throw new TypeError(`a worker must come from ${location.origin}`)
  return address.href
}

/**
 * The address of a worker script in the form that `require-trusted-types-for 'script'` asks for. Only scripts of this
 * origin pass.
 */
export function trustedScript(url: string): URL {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  if (!trustedTypes) return new URL(ownOriginOnly(url))
  policy ??= trustedTypes.createPolicy(POLICY_NAME, { createScriptURL: ownOriginOnly })
  // The DOM types do not know TrustedScriptURL; workers and service workers take it where they take a URL.
  return policy.createScriptURL(url) as unknown as URL
}
