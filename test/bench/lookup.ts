import { rmSync } from 'node:fs'
import { Agent, createServer, get, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ClassicLevel } from 'classic-level'
import fastify from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { directoryRoutes } from '../../node/http/directory-routes.ts'
import { KeyDistributionService } from '../../node/key-directory/key-distribution-service.ts'
import type { TransactionId } from '../../chain/source/chain-source.ts'
import type { DirectoryPort } from '../../node/key-directory/directory-port.ts'
import type { Logger } from '../../node/ports.ts'
import { toHex } from '../../protocol/bytes.ts'
import { historyOf } from '../../protocol/directory/account.ts'
import { bytesKey } from '../../protocol/directory/order.ts'
import { MAX_ACCOUNT_PROOF_BYTES } from '../../protocol/limits.ts'
import type { AccountId } from '../../protocol/identity/device.ts'
import { crypto, network } from '../support/directory/cast.ts'
import { temporaryFolder } from '../support/network/real-processes/node-process.ts'
import { accountIdOf, followMany, tagOf, type LargeDirectory } from './large-directory.ts'
import { percentile, report, reportRounds, type Round } from './report.ts'

/** What the default run builds; `--accounts` says otherwise. */
export const DEFAULT_ACCOUNTS = 20_000
const ROUNDS = 5
/** Lookups of one round, and no more than there are accounts: a run on a few only shows that it works. */
const LOOKUPS = 1_000
const HTTP_LOOKUPS = 300
const BYTES_PER_ACCOUNT_AT_MOST = 600

const SILENT: Logger = {
  forComponent: () => SILENT,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined
}

/** An account that is looked up, with all that is worked out before the clock starts. */
interface Subject {
  accountId: AccountId
  tag: Uint8Array
  tagKey: string
  transactions: TransactionId[]
}

/** A lookup, and what it stands beside. */
interface Pair {
  metric: string
  peer: string
  lookups: number
  ours: (subject: Subject) => Promise<unknown> | unknown
  bare: (subject: Subject) => Promise<unknown> | unknown
}

/** How long it takes to look up a name, a device and an account's proof among many accounts, and what each takes in memory. */
export async function benchLookup({ accounts = DEFAULT_ACCOUNTS }: { accounts?: number } = {}): Promise<void> {
  const folder = temporaryFolder()
  const level = new ClassicLevel(join(folder, 'chain'))
  try {
    const collect = collector()
    const before = collect()
    const begin = process.cpuUsage()
    const directory = await followMany(level, accounts)
    const { user, system } = process.cpuUsage(begin)
    const note = `${accounts} accounts of 3 records, signatures neither made nor checked`
    const taken = collect() - before
    report('directory-memory-per-account', 'bytes', taken / accounts, {
      target: { atMost: BYTES_PER_ACCOUNT_AT_MOST },
      note: `heap and buffers after collection; ${note}`
    })
    report('directory-load', 'us CPU/record', (user + system) / (3 * accounts), { note })
    await measureLookups(directory, note)
  } finally {
    await level.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns a function that collects garbage and tells the bytes in use. */
function collector(): () => number {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  return () => {
    gc()
    gc()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
}

async function measureLookups({ view, store, accounts }: LargeDirectory, note: string): Promise<void> {
  // Only what answers lookups is used; the rest would take in records.
  const unused = {} as never
  const service = new KeyDistributionService(
    {
      ...{ crypto, clock: Date.now, logger: SILENT, keyDirectory: view },
      ...{ keyStore: unused, recordOutbox: unused, relay: unused },
      transactions: { transactionBytes: id => store.bytes(id) }
    },
    { network }
  )
  const names = new Map<string, number>()
  for (let account = 0; account < accounts; account++) names.set(bytesKey(tagOf(account)), account)
  const subjectOf = (account: number): Subject => {
    const [accountId, tag] = [accountIdOf(account), tagOf(account)]
    const orders = historyOf(view.current.account(accountId)!).map(({ order }) => order!)
    return { accountId, tag, tagKey: bytesKey(tag), transactions: orders.map(order => view.transactionAt(order)!.id) }
  }
  const proofOf = async (accountId: AccountId): Promise<Uint8Array> =>
    (await service.accountProof(accountId, MAX_ACCOUNT_PROOF_BYTES)) ?? missing()
  await using web = await Web.start(service, await proofOf(accountIdOf(0)))
  const nameUrl = ({ tag }: Subject): string => `/v1/names/${toHex(tag)}`
  const proofUrl = ({ accountId }: Subject): string => `/v1/accounts/${toHex(accountId)}/proof`
  const pairs: Pair[] = [
    {
      metric: 'lookup-name',
      peer: 'Map.get of the same tags',
      lookups: Math.min(LOOKUPS, accounts),
      ours: async ({ tag }) => (await service.names(tag)).matches[0] ?? missing(),
      bare: ({ tagKey }) => names.get(tagKey) ?? missing()
    },
    {
      metric: 'lookup-account-proof',
      peer: 'three LevelDB gets of such transactions',
      lookups: Math.min(LOOKUPS, accounts),
      ours: ({ accountId }) => proofOf(accountId),
      bare: async ({ transactions }) => {
        for (const id of transactions) if (!(await store.bytes(id))) missing()
      }
    },
    {
      metric: 'lookup-name-http',
      peer: 'node:http with a constant answer',
      lookups: Math.min(HTTP_LOOKUPS, accounts),
      ours: subject => web.fetch(nameUrl(subject)),
      bare: subject => web.fetchBare(nameUrl(subject))
    },
    {
      metric: 'lookup-account-proof-http',
      peer: 'node:http with a constant answer',
      lookups: Math.min(HTTP_LOOKUPS, accounts),
      ours: subject => web.fetch(proofUrl(subject)),
      bare: subject => web.fetchBare(proofUrl(subject))
    }
  ]
  for (const pair of pairs) await measurePair(pair, () => subjectOf(Math.floor(Math.random() * accounts)), note)
}

const missing = (): never => {
  throw new Error('what is in the directory was not found')
}

async function measurePair({ metric, peer, lookups, ours, bare }: Pair, pick: () => Subject, note: string) {
  const rounds: { ours: number[]; bare: number[] }[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const times = { ours: [] as number[], bare: [] as number[] }
    for (let i = 0; i < lookups; i++) {
      times.ours.push(await timed(ours, pick()))
      times.bare.push(await timed(bare, pick()))
    }
    // The first round compiles.
    if (round > 0) rounds.push(times)
  }
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99]
  ] as const) {
    const pairs = rounds.map((times): Round => [percentile(times.ours, share), percentile(times.bare, share)])
    reportRounds(`${metric}-${name}`, 'us', pairs, { peer, note })
  }
}

/** @returns microseconds. */
async function timed(run: Pair['ours'], subject: Subject): Promise<number> {
  const begin = performance.now()
  const answer = run(subject)
  if (answer instanceof Promise) await answer
  return 1000 * (performance.now() - begin)
}

/** The routes that answer lookups, and beside them a server that only answers. */
class Web {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #app = fastify({ forceCloseConnections: true })
  readonly #bare: Server

  private constructor(directory: DirectoryPort, answer: Uint8Array) {
    this.#app.setValidatorCompiler(validatorCompiler)
    this.#app.setSerializerCompiler(serializerCompiler)
    directoryRoutes(this.#app, directory)
    this.#bare = createServer((_request, response) => response.end(answer))
  }

  static async start(directory: DirectoryPort, answer: Uint8Array): Promise<Web> {
    const web = new Web(directory, answer)
    await web.#app.listen({ host: '127.0.0.1', port: 0 })
    await new Promise<void>(resolve => web.#bare.listen(0, '127.0.0.1', resolve))
    return web
  }

  fetch(path: string): Promise<void> {
    return this.#fetch(this.#app.server, path)
  }

  fetchBare(path: string): Promise<void> {
    return this.#fetch(this.#bare, path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy()
    this.#bare.close()
    await this.#app.close()
  }

  #fetch(server: Server, path: string): Promise<void> {
    const { port } = server.address() as AddressInfo
    return new Promise((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, path, agent: this.#agent }, response => {
        response.resume()
        response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`${path}: no answer`))))
      })
      request.once('error', reject)
    })
  }
}
