/** The table of sign-in providers: what an operator writes, completed from presets, parsed once. */
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../../config/config-error.ts'

/** How the node proves itself to a provider's token endpoint. */
export type ClientAuthentication = 'post' | 'basic' | 'none' | 'apple'

/** What Apple signs a client in by: a key in place of a secret. */
export interface AppleKey {
  teamId: string
  keyId: string
  /** EC key on P-256, PEM (the .p8 file). */
  privateKey: string
}

interface CommonProvider {
  /** Part of the address of its routes, such as `google`. */
  id: string
  /** What people read: "Continue with …". */
  name: string
  clientId: string
  clientSecret: string | undefined
  /** Only where `authentication` is `apple`. */
  appleKey?: AppleKey | undefined
  authentication: ClientAuthentication
  scope: string
  /** Anybody can be anybody. */
  demo: boolean
}

/** Speaks OpenID Connect: discovery, and an ID token whose nonce is bound to the device's keys. */
export interface OidcProvider extends CommonProvider {
  kind: 'oidc'
  issuer: string
}

/** Plain OAuth 2.0: endpoints are written out, and the person's id comes from an API call. */
export interface OAuth2Provider extends CommonProvider {
  kind: 'oauth2'
  authorizationEndpoint: string
  tokenEndpoint: string
  userinfoEndpoint: string
  /** Where the id stands in the answer, such as `data.id`. */
  subjectPath: string
  /** Where the name that the person has there stands; undefined if nothing is suggested. */
  namePath?: string | undefined
}

/** A provider that people can sign in with. */
export type SignInProviderConfig = OidcProvider | OAuth2Provider

type Preset = Partial<OidcProvider> | Partial<OAuth2Provider>

/** What needs no asking about well-known providers; an operator adds the client id and secret they were given. */
const PRESETS: Record<string, Preset> = {
  google: {
    kind: 'oidc',
    name: 'Google',
    issuer: 'https://accounts.google.com',
    scope: 'openid profile',
    authentication: 'post'
  },
  x: {
    kind: 'oauth2',
    name: 'X',
    authorizationEndpoint: 'https://x.com/i/oauth2/authorize',
    tokenEndpoint: 'https://api.x.com/2/oauth2/token',
    userinfoEndpoint: 'https://api.x.com/2/users/me',
    subjectPath: 'data.id',
    namePath: 'data.username',
    scope: 'users.read tweet.read',
    authentication: 'basic'
  },
  github: {
    kind: 'oauth2',
    name: 'GitHub',
    authorizationEndpoint: 'https://github.com/login/oauth/authorize',
    tokenEndpoint: 'https://github.com/login/oauth/access_token',
    userinfoEndpoint: 'https://api.github.com/user',
    subjectPath: 'id',
    namePath: 'login',
    scope: 'read:user',
    authentication: 'post'
  },
  discord: {
    kind: 'oauth2',
    name: 'Discord',
    authorizationEndpoint: 'https://discord.com/oauth2/authorize',
    tokenEndpoint: 'https://discord.com/api/oauth2/token',
    userinfoEndpoint: 'https://discord.com/api/users/@me',
    subjectPath: 'id',
    namePath: 'username',
    scope: 'identify',
    authentication: 'post'
  },
  apple: {
    kind: 'oidc',
    name: 'Apple',
    issuer: 'https://appleid.apple.com',
    // A name or an address would come by a form from another site: neither is asked for.
    scope: 'openid',
    authentication: 'apple'
  }
}

const endpoint = z.string().refine(isEndpoint, 'expected an https address (http only on this machine)')

/** Tokens must not travel in clear, except within this machine. */
function isEndpoint(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname } = new URL(value)
  return protocol === 'https:' || (protocol === 'http:' && /^(127\.0\.0\.1|localhost|\[::1\])$/.test(hostname))
}

const common = {
  id: z.string().regex(/^[a-z0-9-]{1,32}$/, 'expected lower-case letters, digits and hyphens'),
  name: z.string().min(1).max(64),
  clientId: z.string().min(1).max(512),
  clientSecret: z.string().min(1).max(4_096).optional(),
  clientSecretFile: z.string().min(1).optional(),
  teamId: z.string().min(1).max(64).optional(),
  keyId: z.string().min(1).max(64).optional(),
  privateKeyFile: z.string().min(1).optional(),
  authentication: z.enum(['post', 'basic', 'none', 'apple']),
  scope: z.string().min(1).max(512)
}

const fieldPath = z.string().regex(/^\w+(\.\w+){0,4}$/, 'expected field names joined by dots')

const providerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('oidc'), ...common, issuer: endpoint }),
  z.strictObject({
    kind: z.literal('oauth2'),
    ...common,
    authorizationEndpoint: endpoint,
    tokenEndpoint: endpoint,
    userinfoEndpoint: endpoint,
    subjectPath: fieldPath,
    namePath: fieldPath.optional()
  })
])

const fileSchema = z.strictObject({ providers: z.array(z.record(z.string(), z.unknown())).max(16) })

/**
 * Reads the providers' file: `{ "providers": [{ "preset": "google", "clientId": "…", "clientSecretFile": "…" }] }`.
 * @throws ConfigError naming the file and the entry.
 */
export function readProviders(file: string): SignInProviderConfig[] {
  try {
    const { providers } = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    const parsed = providers.map(parseProvider)
    const ids = new Set(parsed.map(provider => provider.id))
    if (ids.has('cardano')) throw new ConfigError('the id "cardano" is that of wallets; choose another')
    if (ids.size !== parsed.length) throw new ConfigError('two providers have the same id')
    return parsed
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll('\n', ' ') : (cause as Error).message
    throw new ConfigError(`Cannot use the sign-in providers in ${file}: ${reason}.`, { cause })
  }
}

function parseProvider(entry: Record<string, unknown>): SignInProviderConfig {
  const { preset: presetName, ...written } = entry
  const preset = presetName === undefined ? {} : PRESETS[String(presetName)]
  if (preset === undefined) throw new ConfigError(`there is no preset "${String(presetName)}"`)
  const parsed = providerSchema.parse({ id: presetName, ...preset, ...written })
  const { clientSecretFile, teamId, keyId, privateKeyFile, ...provider } = parsed
  if (provider.authentication === 'apple') {
    const appleKey = readAppleKey(provider.id, { teamId, keyId, privateKeyFile })
    return { ...provider, clientSecret: undefined, appleKey, demo: false }
  }
  const clientSecret = clientSecretFile ? readFileSync(clientSecretFile, 'utf8').trim() : provider.clientSecret
  if (provider.authentication !== 'none' && clientSecret === undefined) {
    throw new ConfigError(`provider "${provider.id}" needs "clientSecret" or "clientSecretFile"`)
  }
  return { ...provider, clientSecret, demo: false }
}

/** @throws ConfigError for a missing part, or a file that is no EC key on P-256. */
function readAppleKey(
  id: string,
  { teamId, keyId, privateKeyFile }: { [K in 'teamId' | 'keyId' | 'privateKeyFile']: string | undefined }
): AppleKey {
  if (!teamId || !keyId || !privateKeyFile) {
    throw new ConfigError(`provider "${id}" needs "teamId", "keyId" and "privateKeyFile"`)
  }
  const privateKey = readFileSync(privateKeyFile, 'utf8')
  const { asymmetricKeyDetails } = createPrivateKey(privateKey)
  if (asymmetricKeyDetails?.namedCurve === 'prime256v1') return { teamId, keyId, privateKey }
  throw new ConfigError(`the key of provider "${id}" is not one of P-256`)
}
