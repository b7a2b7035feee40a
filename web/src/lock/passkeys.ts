/**
 * Making a passkey, and asking it (WebAuthn with the `prf` extension). Both happen on a page: a worker has no such calls. Nothing
 * of it goes over the network, and no server keeps anything.
 */
import { fromHex, toHex } from '../../../protocol/bytes.ts'
import { Secret } from '../../../protocol/secret.ts'
import type { Opener } from '../../../peer/store/browser/key-slots.ts'
import { PASSKEY_ANSWER_BYTES, PASSKEY_SALT_BYTES, type Passkey } from '../../../peer/store/browser/passkey-wrap.ts'

/**
 * `refused`: the person, or the browser, ended it. `no-key`: the passkey does not know the `prf` extension. `unusable`: this browser
 * makes or finds no passkey for this address.
 */
export type PasskeyProblem = 'refused' | 'no-key' | 'unusable'

export class PasskeyError extends Error {
  override name = 'PasskeyError'
  readonly problem: PasskeyProblem

  constructor(problem: PasskeyProblem, options?: ErrorOptions) {
    super(problem, options)
    this.problem = problem
  }
}

/** What a page has of WebAuthn, so that a test can stand in for it. */
export interface PasskeyPlatform {
  credentials: Pick<CredentialsContainer, 'create' | 'get'> | undefined
  /** `PublicKeyCredential`. */
  credentialClass: CredentialClass | undefined
  /** `location.hostname`. */
  hostname: string
  random(length: number): Uint8Array
}

/** Parts that older browsers lack. */
interface CredentialClass {
  getClientCapabilities?(): Promise<Record<string, boolean>>
  signalUnknownCredential?(options: { rpId: string; credentialId: string }): Promise<void>
}

/** A person has so long to touch the passkey. */
const TIMEOUT_MS = 120_000
const CHALLENGE_BYTES = 32
const USER_ID_BYTES = 32
/** EdDSA, ES256 and RS256 (COSE): some authenticator knows only one of them, and none is used. */
const ALGORITHMS = [-8, -7, -257]
/** Passkeys belong to names; browsers refuse them for addresses of machines. */
const IS_ADDRESS = /^[\d.]+$|^\[/

export function browserPlatform(): PasskeyPlatform {
  return {
    credentials: navigator.credentials,
    credentialClass: (globalThis as { PublicKeyCredential?: CredentialClass }).PublicKeyCredential,
    hostname: location.hostname,
    random: length => crypto.getRandomValues(new Uint8Array(length))
  }
}

/** Whether it is worth offering: some passkeys tell only when they are made that they give no key. */
export async function offersPasskeys({ credentials, credentialClass, hostname }: PasskeyPlatform): Promise<boolean> {
  if (!credentials || !credentialClass || IS_ADDRESS.test(hostname)) return false
  const capabilities = await credentialClass.getClientCapabilities?.().catch(() => undefined)
  return capabilities?.['extension:prf'] !== false
}

/**
 * Makes a passkey for a lock and asks it at once, which some passkeys answer only at a second touch.
 *
 * @param owner - what password managers list it as.
 * @throws PasskeyError
 */
export async function makePasskey(platform: PasskeyPlatform, owner: string): Promise<Opener & { way: 'passkey' }> {
  const salt = platform.random(PASSKEY_SALT_BYTES)
  const made = await attempt(() =>
    platform.credentials!.create({
      publicKey: {
        rp: { name: 'Volo' },
        user: { id: buffer(platform.random(USER_ID_BYTES)), name: owner, displayName: owner },
        challenge: buffer(platform.random(CHALLENGE_BYTES)),
        pubKeyCredParams: ALGORITHMS.map(alg => ({ type: 'public-key', alg })),
        authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
        attestation: 'none',
        timeout: TIMEOUT_MS,
        extensions: { prf: { eval: { first: buffer(salt) } } }
      }
    })
  )
  const passkey = { credentialId: toHex(new Uint8Array(made.rawId)), salt: toHex(salt) }
  const { prf } = made.getClientExtensionResults()
  const answer = prf?.results && secretOf(prf.results.first)
  if (answer) return { way: 'passkey', passkey, answer }
  try {
    if (!prf?.enabled) throw new PasskeyError('no-key')
    return await askPasskey(platform, passkey)
  } catch (error) {
    forgetPasskey(platform, passkey)
    throw error
  }
}

/** Asks a passkey for the key of its lock. @throws PasskeyError */
export async function askPasskey(platform: PasskeyPlatform, passkey: Passkey): Promise<Opener & { way: 'passkey' }> {
  if (!platform.credentials) throw new PasskeyError('unusable')
  const { credentials } = platform
  const used = await attempt(() =>
    credentials.get({
      publicKey: {
        challenge: buffer(platform.random(CHALLENGE_BYTES)),
        allowCredentials: [{ type: 'public-key', id: buffer(fromHex(passkey.credentialId)) }],
        userVerification: 'required',
        timeout: TIMEOUT_MS,
        extensions: { prf: { eval: { first: buffer(fromHex(passkey.salt)) } } }
      }
    })
  )
  const first = used.getClientExtensionResults().prf?.results?.first
  const answer = first && secretOf(first)
  if (!answer) throw new PasskeyError('no-key')
  return { way: 'passkey', passkey, answer }
}

/** Tells password managers that a passkey opens nothing any more, where the browser can. They may keep it all the same. */
export function forgetPasskey({ credentialClass, hostname }: PasskeyPlatform, { credentialId }: Passkey): void {
  const options = { rpId: hostname, credentialId: base64Url(fromHex(credentialId)) }
  void credentialClass?.signalUnknownCredential?.(options).catch(() => undefined)
}

async function attempt(call: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await call()
    if (!credential) throw new PasskeyError('refused')
    return credential as PublicKeyCredential
  } catch (error) {
    if (error instanceof PasskeyError) throw error
    const isRefused = error instanceof Error && ['NotAllowedError', 'AbortError'].includes(error.name)
    throw new PasskeyError(isRefused ? 'refused' : 'unusable', { cause: error })
  }
}

/** Takes an answer over. @returns undefined if it is none. */
function secretOf(result: BufferSource): Secret | undefined {
  const bytes = ArrayBuffer.isView(result)
    ? new Uint8Array(result.buffer, result.byteOffset, result.byteLength)
    : new Uint8Array(result)
  return bytes.length === PASSKEY_ANSWER_BYTES ? new Secret(bytes) : undefined
}

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

const buffer = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => bytes as Uint8Array<ArrayBuffer>
