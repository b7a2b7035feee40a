/** What a node for people whom its operator does not know must not do. `VOLO_PRODUCTION` asks for these checks. */
import { statSync } from 'node:fs'
import { ConfigError } from './config-error.ts'
import { variableOf, type SettingName, type SettingValues } from './settings.ts'

/** Rights of users who are neither the owner nor in the group of a file. */
const EVERYBODY = 0o007

/** Files that hold a secret. Keys of the data folder are looked at when they are opened. */
const SECRET_FILES = [
  'nodeKeyFile',
  'operatorKeyFile',
  'walletKeyFile',
  'chainProjectIdFile',
  'secondChainProjectIdFile',
  'signInProvidersFile',
  'storageKeyFile'
] as const satisfies SettingName[]

/** @throws {@link ConfigError} with a line for each unsafe setting, if the node is for production. */
export function requireProduction(config: SettingValues): void {
  if (!config.production) return
  const faults = [...faultsOfSettings(config), ...SECRET_FILES.flatMap(name => faultsOfFile(name, config[name]))]
  if (faults.length === 0) return
  throw new ConfigError(['VOLO_PRODUCTION is on, and these settings are not safe for it:', ...faults].join('\n  - '))
}

function faultsOfSettings({
  demoSignIn,
  signInProvidersFile,
  walletSignIn,
  chainUrl,
  publicUrl
}: SettingValues): string[] {
  const checks: [isUnsafe: boolean, fault: string][] = [
    [demoSignIn === true, 'With VOLO_DEMO_SIGN_IN anybody can be anybody: set it to false.'],
    [
      signInProvidersFile === undefined && !walletSignIn,
      'Nobody can sign in but by demo sign-in: name the providers in VOLO_SIGN_IN_PROVIDERS_FILE, or set VOLO_WALLET_SIGN_IN.'
    ],
    [chainUrl === undefined, 'The embedded devnet is no public record: set VOLO_CHAIN_URL.'],
    [
      !publicUrl?.startsWith('https:'),
      'Browsers keep no keys for an address without TLS: set VOLO_PUBLIC_URL to one that begins with https:.'
    ]
  ]
  return checks.filter(([isUnsafe]) => isUnsafe).map(([, fault]) => fault)
}

function faultsOfFile(name: SettingName, file: string | undefined): string[] {
  const mode = file && process.platform !== 'win32' ? statSync(file, { throwIfNoEntry: false })?.mode : undefined
  if (mode === undefined || (mode & EVERYBODY) === 0) return []
  return [`Every user of this machine can reach ${file} (${variableOf(name)}): chmod o= ${file}.`]
}
