/** Every setting of a node, once: its names, what it accepts, what it means, what it is when left out. */
import { z } from 'zod'
import { isNodeOrigin } from '../../protocol/node-origin.ts'

/** One setting; `--help`, `config check`, `config print` and docs/operating.md all come from these. */
export interface Setting {
  /** Environment variables that set it, the first one wins. */
  env: readonly string[]
  /** Accepts the text of a flag or variable, and the value of a configuration file. */
  schema: z.ZodType
  /** What it means, in a sentence or two. */
  help: string
  /** What holds when it is left out, in words; also the value where `schema` has a default. */
  fallback: string
  /** Never printed. */
  secret?: boolean
}

const path = z.string().min(1)

const wholeNumber = (min: number, max: number): z.ZodCoercedNumber => {
  const error = `expected a whole number from ${min} to ${max}`
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}
const port = wholeNumber(0, 65_535)
const count = wholeNumber(1, 1_000_000_000)
const text = z.string().min(1).max(4_096)

const yesNo = z
  .union([z.boolean(), z.enum(['true', 'false', 'yes', 'no', 'on', 'off', '1', '0'])])
  .transform(value => value === true || ['true', 'yes', 'on', '1'].includes(String(value)))

/** An origin: scheme, host and port, nothing else; written as browsers write it, and judged as clients judge it. */
const origin = z
  .string()
  .refine(isBareOrigin, 'expected an origin such as https://node.example, without a path')
  .transform(value => new URL(value).origin)
  .refine(
    isNodeOrigin,
    'expected an origin that browsers accept: a host name or IPv4 address without a trailing dot, and a port that they do not block'
  )

/** With TLS from the beginning (smtps), or as soon as the server offers it (smtp), which must then do so. */
const smtpUrl = z
  .string()
  .max(4_096)
  .refine(
    value => /^smtps?:\/\/./i.test(value) && URL.canParse(value),
    'expected an address such as smtps://user:password@mail.example:465'
  )

function isBareOrigin(value: string): boolean {
  return /^https?:\/\/[^/?#@]+\/?$/i.test(value) && URL.canParse(value)
}

const chainUrl = z.url({ protocol: /^https?$/, error: 'expected the base address of a Blockfrost-compatible service' })

/** Port of `npm start` when none is given. */
export const DEFAULT_PORT = 8787
/** Port of metrics and administration when none is given. */
export const DEFAULT_ADMIN_PORT = 9464

/** All settings, in the order in which help shows them. */
export const SETTINGS = {
  production: {
    env: ['VOLO_PRODUCTION'],
    schema: yesNo.default(false),
    fallback: 'false',
    help: 'For people you do not know: refuses demo sign-in, the devnet, a public address without TLS, and secrets that every user of the machine can read.'
  },
  port: {
    env: ['VOLO_PORT', 'PORT'],
    schema: port.default(DEFAULT_PORT),
    fallback: `${DEFAULT_PORT}, or the next free one`,
    help: 'Public port for the app, the HTTP API and WebSockets, but none that browsers refuse, such as 6667. 0 takes any free one.'
  },
  host: {
    env: ['VOLO_HOST'],
    schema: z.string().min(1).default('127.0.0.1'),
    fallback: '127.0.0.1, this machine only',
    help: 'Address that the public port listens on; 0.0.0.0 or :: for all.'
  },
  dataDir: {
    env: ['VOLO_DATA_DIR'],
    schema: path.default('.data/node'),
    fallback: '.data/node below the current folder',
    help: "Folder of the node's keys and stores. One node at a time."
  },
  publicUrl: {
    env: ['VOLO_PUBLIC_URL'],
    schema: origin.optional(),
    fallback: 'http://HOST:PORT',
    help: 'Origin under which people reach this node, such as https://node.example behind a TLS proxy.'
  },
  trustProxy: {
    env: ['VOLO_TRUST_PROXY'],
    schema: yesNo.default(false),
    fallback: 'false',
    help: 'Take client addresses from X-Forwarded-For. Only behind a proxy that sets it: otherwise anybody can pose as anybody.'
  },
  adminPort: {
    env: ['VOLO_ADMIN_PORT'],
    schema: port.default(DEFAULT_ADMIN_PORT),
    fallback: `${DEFAULT_ADMIN_PORT}, or a free one (written to listening.json in the data folder)`,
    help: 'Port on 127.0.0.1 for /metrics and /status. 0 takes any free one.'
  },
  linkListen: {
    env: ['VOLO_LINK_LISTEN'],
    schema: z
      .string()
      .regex(/^\/(ip4|ip6)\/[0-9a-fA-F.:]+\/tcp\/\d{1,5}$/, 'expected such as /ip4/0.0.0.0/tcp/4001')
      .optional(),
    fallback: "this node's link address in the network file; none in a network of one",
    help: 'Multiaddr that this node listens on for links from other nodes.'
  },
  networkFile: {
    env: ['VOLO_NETWORK_FILE'],
    schema: path.optional(),
    fallback: 'network.json in the data folder, made at the first start as a network of this node alone',
    help: 'JSON file with the genesis and the list of nodes of the network.'
  },
  nodeKeyFile: {
    env: ['VOLO_NODE_KEY_FILE'],
    schema: path.optional(),
    fallback: 'node.key in the data folder, made at the first start',
    help: "File with this node's secret key: 64 hex characters, mode 0600."
  },
  operatorKeyFile: {
    env: ['VOLO_OPERATOR_KEY_FILE'],
    schema: path.optional(),
    fallback: 'operator.key in the data folder, made by the command that needs it first',
    help: "File with the operator's secret key, mode 0600, for announce and vouch. The running node never reads it."
  },
  chainUrl: {
    env: ['VOLO_CHAIN_URL'],
    schema: chainUrl.optional(),
    fallback: 'an embedded devnet with emulated ledger rules',
    help: 'Blockfrost-compatible API of the Cardano network.'
  },
  chainProjectId: {
    env: ['VOLO_CHAIN_PROJECT_ID'],
    schema: text.optional(),
    fallback: 'none',
    help: 'Project id for VOLO_CHAIN_URL.',
    secret: true
  },
  chainProjectIdFile: {
    env: ['VOLO_CHAIN_PROJECT_ID_FILE'],
    schema: path.optional(),
    fallback: 'none',
    help: 'File that holds the project id, instead of the setting itself.'
  },
  secondChainUrl: {
    env: ['VOLO_SECOND_CHAIN_URL'],
    schema: chainUrl.optional(),
    fallback: 'none',
    help: 'A second, independent API of the same network, which must agree before a record is believed.'
  },
  secondChainProjectId: {
    env: ['VOLO_SECOND_CHAIN_PROJECT_ID'],
    schema: text.optional(),
    fallback: 'none',
    help: 'Project id for VOLO_SECOND_CHAIN_URL.',
    secret: true
  },
  secondChainProjectIdFile: {
    env: ['VOLO_SECOND_CHAIN_PROJECT_ID_FILE'],
    schema: path.optional(),
    fallback: 'none',
    help: 'File that holds the second project id, instead of the setting itself.'
  },
  walletKeyFile: {
    env: ['VOLO_WALLET_KEY_FILE'],
    schema: path.optional(),
    fallback: 'wallet.key in the data folder, made at the first start',
    help: 'File with the key of the wallet that pays for records, mode 0600. Keep little in it.'
  },
  hourlyBudgetAda: {
    env: ['VOLO_HOURLY_BUDGET_ADA'],
    schema: z.coerce.number().positive().max(1_000_000).default(5),
    fallback: '5',
    help: 'Most ADA that this node spends on records in any hour.'
  },
  demoSignIn: {
    env: ['VOLO_DEMO_SIGN_IN'],
    schema: yesNo.optional(),
    fallback: 'on where no other sign-in is configured',
    help: 'Demo sign-in, where anybody can be anybody. Not for a network with real people.'
  },
  signInProvidersFile: {
    env: ['VOLO_SIGN_IN_PROVIDERS_FILE'],
    schema: path.optional(),
    fallback: 'none',
    help: 'JSON file with the sign-in providers (OpenID Connect or OAuth 2.0), see docs/operating.md.'
  },
  walletSignIn: {
    env: ['VOLO_WALLET_SIGN_IN'],
    schema: yesNo.default(false),
    fallback: 'false',
    help: 'Sign-in with a Cardano wallet of the browser (CIP-30), beside the providers.'
  },
  registrationsPerAddressPerHour: {
    env: ['VOLO_REGISTRATIONS_PER_ADDRESS_PER_HOUR'],
    schema: count.optional(),
    fallback: '30, or 10000 on an emulated devnet',
    help: 'Accounts that may be registered from one address in an hour.'
  },
  registrationsPerIdentityPerDay: {
    env: ['VOLO_REGISTRATIONS_PER_IDENTITY_PER_DAY'],
    schema: count.default(10),
    fallback: '10',
    help: 'Accounts that one social identity may register in a day.'
  },
  httpRequestsPerMinute: {
    env: ['VOLO_HTTP_REQUESTS_PER_MINUTE'],
    schema: count.default(3_000),
    fallback: '3000',
    help: 'API requests that one address may make in a minute.'
  },
  maxClients: {
    env: ['VOLO_MAX_CLIENTS'],
    schema: count.optional(),
    fallback: 'built in',
    help: 'Client connections at once.'
  },
  maxClientsPerAddress: {
    env: ['VOLO_MAX_CLIENTS_PER_ADDRESS'],
    schema: count.optional(),
    fallback: 'built in',
    help: 'Client connections at once from one address.'
  },
  connectionsPerSecond: {
    env: ['VOLO_CONNECTIONS_PER_SECOND'],
    schema: count.optional(),
    fallback: 'built in',
    help: 'New client connections per second from one address.'
  },
  requestsPerSecond: {
    env: ['VOLO_REQUESTS_PER_SECOND'],
    schema: count.optional(),
    fallback: 'built in',
    help: 'Requests per second of one device, on average.'
  },
  requestBurst: {
    env: ['VOLO_REQUEST_BURST'],
    schema: count.optional(),
    fallback: 'built in',
    help: 'Requests that one device may make at once.'
  },
  strangersPerDay: {
    env: ['VOLO_STRANGERS_PER_DAY'],
    schema: count.optional(),
    fallback: 'built in',
    help: 'Messages to people who have not given their token that one account may hand in per day.'
  },
  diskLowWaterMib: {
    env: ['VOLO_DISK_LOW_WATER_MIB'],
    schema: count.optional(),
    fallback: 'built in',
    help: 'Free MiB on the disk below which nothing new is stored.'
  },
  storage: {
    env: ['VOLO_STORAGE'],
    schema: z.enum(['disk', 'iagon', 's3']).default('disk'),
    fallback: 'disk',
    help: 'Where encrypted files and backups are kept: disk (in the data folder), iagon or s3.'
  },
  storageQuotaMib: {
    env: ['VOLO_STORAGE_QUOTA_MIB'],
    schema: count.default(1_024),
    fallback: '1024',
    help: 'MiB of files and backups that one account may keep.'
  },
  storageCapacityMib: {
    env: ['VOLO_STORAGE_CAPACITY_MIB'],
    schema: count.default(10_240),
    fallback: '10240',
    help: 'MiB of files and backups that this node keeps on its disk.'
  },
  storageUrl: {
    env: ['VOLO_STORAGE_URL'],
    schema: origin.optional(),
    fallback: "Iagon's gateway; none for s3",
    help: 'Origin of the storage service.'
  },
  storageRegion: {
    env: ['VOLO_STORAGE_REGION'],
    schema: text.default('us-east-1'),
    fallback: 'us-east-1',
    help: 'Region of the S3 service.'
  },
  storageBucket: {
    env: ['VOLO_STORAGE_BUCKET'],
    schema: z
      .string()
      .regex(/^[a-z0-9.-]{3,63}$/, 'expected the name of a bucket')
      .optional(),
    fallback: 'none',
    help: 'Bucket of the S3 service.'
  },
  storageAccessKeyId: {
    env: ['VOLO_STORAGE_ACCESS_KEY_ID'],
    schema: text.optional(),
    fallback: 'none',
    help: 'Access key id of the S3 service.'
  },
  storageKeyFile: {
    env: ['VOLO_STORAGE_KEY_FILE'],
    schema: path.optional(),
    fallback: 'none',
    help: 'File that holds the API key of Iagon, or the secret access key of S3.'
  },
  webDir: {
    env: ['VOLO_WEB_DIR'],
    schema: path.optional(),
    fallback: 'the app that was built with this node',
    help: 'Folder with the web app.'
  },
  smtpUrl: {
    env: ['VOLO_SMTP_URL'],
    schema: smtpUrl.optional(),
    fallback: 'none: people are invited by link only',
    help: 'Mail server for invitations, such as smtps://user:password@mail.example:465 (percent-encoded).',
    secret: true
  },
  mailFrom: {
    env: ['VOLO_MAIL_FROM'],
    schema: text.optional(),
    fallback: 'no-reply@ the host of the public address',
    help: 'Address that invitations are mailed from.'
  },
  logLevel: {
    env: ['VOLO_LOG_LEVEL'],
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('warn'),
    fallback: 'warn',
    help: 'How much is logged to stderr, as JSON lines: debug, info, warn, error or silent.'
  }
} as const satisfies Record<string, Setting>

/** Name of a setting: `dataDir` is the flag `--data-dir`. */
export type SettingName = keyof typeof SETTINGS
/** The parsed value of each setting. */
export type SettingValues = { [K in SettingName]: z.output<(typeof SETTINGS)[K]['schema']> }

/** All names, in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

/** The command-line flag of a setting. */
export function flagOf(name: SettingName): string {
  return `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

/** The variable that messages name a setting by. */
export function variableOf(name: SettingName): string {
  return SETTINGS[name].env[0]
}
