/**
 * State that a node keeps, changed by many at once, with random waits at each access of a disk: nothing that was answered is
 * lost, the newest counts, what was acknowledged stays away, and the next process finds what this one told.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PublisherStore } from '../../../chain/publish/publisher-store.ts'
import { RecordQueue } from '../../../chain/publish/record-queue.ts'
import type { TransactionWatch } from '../../../chain/publish/transaction-watch.ts'
import { AppDatabase } from '../../../node/app-database.ts'
import { KeyStore } from '../../../node/key-directory/key-store.ts'
import { MailboxTokens } from '../../../node/messages/mailbox-tokens.ts'
import { DEFAULT_MAILBOX_LIMITS } from '../../../node/pending-messages/mailbox-room.ts'
import { PendingMessageStore } from '../../../node/pending-messages/pending-message-store.ts'
import { toHex } from '../../../protocol/bytes.ts'
import { buildCreate } from '../../../protocol/identity/build-record.ts'
import { decodeBundle, encodeBundle } from '../../../protocol/identity/bundle.ts'
import type { AccountId, DeviceId } from '../../../protocol/identity/device.ts'
import { encodeRecord } from '../../../protocol/identity/record.ts'
import { signMailboxToken, type MailboxToken } from '../../../protocol/wire/delivery-token.ts'
import { crypto, makeDelivery, network, newMailbox, quietLogger } from '../../support/network/in-process/fixtures.ts'
import { TestClient } from '../../support/network/in-process/test-client.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { slowLevels, someTurns } from '../../support/storage/slow-levels.ts'

const CALLS = 24
const DAY_MS = 24 * 60 * 60_000
const ALL = { count: 100_000, bytes: 1e9 }

export interface NodeRacesReport {
  runs: number
  calls: number
  failures: string[]
}

/** @param runs - races of all kinds of state. */
export async function runNodeRaces(init: { seed: number; runs: number; budgetMs?: number }): Promise<NodeRacesReport> {
  const deadline = performance.now() + (init.budgetMs ?? Infinity)
  const report: NodeRacesReport = { runs: 0, calls: 0, failures: [] }
  for (; report.runs < init.runs && performance.now() < deadline; report.runs++) {
    const seed = init.seed + report.runs
    const folder = mkdtempSync(join(tmpdir(), 'volo-node-races-'))
    const race = new Race(new SeededRandom(seed), folder, report, `seed ${seed}`)
    try {
      for (const kind of [race.registrations, race.publishing, race.bundles, race.mailbox]) await kind.call(race)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  return report
}

class Race {
  readonly #random: SeededRandom
  readonly #folder: string
  readonly #report: NodeRacesReport
  readonly #name: string

  constructor(random: SeededRandom, folder: string, report: NodeRacesReport, name: string) {
    this.#random = random
    this.#folder = folder
    this.#report = report
    this.#name = name
  }

  /** Runs calls that nobody waits for, until all have ended. */
  async #atOnce(calls: (() => Promise<unknown>)[]): Promise<void> {
    const restore = slowLevels(this.#random)
    try {
      const started = this.#random.shuffled(calls).map(async call => {
        await someTurns(this.#random)
        await call()
      })
      this.#report.calls += calls.length
      await Promise.all(started)
    } finally {
      restore()
    }
  }

  #expect(what: string, found: unknown, wanted: unknown): void {
    const [is, should] = [JSON.stringify(found), JSON.stringify(wanted)]
    if (is !== should) this.#report.failures.push(`${this.#name}: ${what} is ${is}, not ${should}`)
  }

  /** Each registration of a sign-in counts, also while those of the day before are forgotten. */
  async registrations(): Promise<void> {
    const database = new AppDatabase(join(this.#folder, 'app'))
    await database.open()
    const now = Date.now()
    const people = ['ada', 'bob']
    for (const person of people) await database.addRegistration('demo', person, now - 2 * DAY_MS)
    const register = Array.from(
      { length: CALLS / 2 },
      (_, i) => () => database.addRegistration('demo', people[i % 2]!, now)
    )
    const forget = Array.from({ length: 4 }, () => () => database.forgetIdentities(now))
    await this.#atOnce([...register, ...forget])
    for (const person of people) {
      this.#expect(`registrations of ${person}`, await database.registrationsOf('demo', person, now), CALLS / 4)
    }
    await database.close()
  }

  /** A record that is handed in by many is queued once, and is on the disk. */
  async publishing(): Promise<void> {
    const database = new AppDatabase(join(this.#folder, 'publisher'))
    await database.open()
    const records = await Promise.all(Array.from({ length: 4 }, () => this.#record()))
    const store = new PublisherStore(database.storeFor('publisher'))
    // Nothing is under way to the chain.
    const watch = { transactionOf: () => undefined, recordCount: 0 } as unknown as TransactionWatch
    const queue = new RecordQueue({ store, watch, crypto, clock: Date.now }, network)
    const added: string[] = []
    const add = async (bytes: Uint8Array): Promise<void> => {
      const { added: record } = await queue.add(bytes)
      if (record) added.push(record.id)
    }
    await this.#atOnce(Array.from({ length: CALLS }, (_, i) => () => add(records[i % records.length]!)))
    this.#expect('records that were new', new Set(added).size, records.length)
    const kept = (await store.load()).records.map(({ id }) => id)
    this.#expect(
      'records on the disk',
      kept.sort(),
      queue
        .waiting()
        .map(({ id }) => id)
        .sort()
    )
    this.#expect('numbers given twice', new Set(queue.waiting().map(({ sequence }) => sequence)).size, records.length)
    await database.close()
  }

  async #record(): Promise<Uint8Array> {
    const key = await crypto.signingKeyFromSeed(this.#random.bytes(32))
    const messagingKeyHash = this.#random.bytes(32)
    return encodeRecord(await buildCreate(network, key, { messagingKeyHash, recoveryKey: null, time: 1 }))
  }

  /** The newest bundle of each device stays. */
  async bundles(): Promise<void> {
    const keys = new KeyStore(join(this.#folder, 'keys'))
    await keys.open()
    const accountId = this.#random.bytes(32) as AccountId
    const devices = [newMailbox(), newMailbox()]
    const puts = Array.from({ length: CALLS }, (_, i) => {
      const deviceId = devices[i % 2]!
      return () => keys.put(accountId, deviceId, bundleOf(deviceId, i), () => true)
    })
    await this.#atOnce(puts)
    const newest = (await keys.get(accountId)).map(bytes => decodeBundle(bytes).weeklyIndex)
    this.#expect(
      'bundles kept',
      newest.sort((a, b) => a - b),
      [CALLS - 2, CALLS - 1]
    )
    await keys.close()
  }

  /** What a device acknowledged does not come back; its newest token counts, in memory and on the disk. */
  async mailbox(): Promise<void> {
    const owner = await TestClient.create()
    const mailbox = owner.deviceId
    const store = await this.#openPending()
    const tokens = new MailboxTokens({ crypto, network, store })
    const signed = await Promise.all(Array.from({ length: 4 }, (_, i) => tokenOf(owner, i + 1)))
    const deliveries = Array.from({ length: CALLS / 2 }, () => makeDelivery(mailbox))
    const gone = deliveries.filter(() => this.#random.chance(0.5))
    await this.#atOnce([
      ...[...deliveries, ...deliveries].map(delivery => () => store.store([{ mailbox, delivery, origin: 0 }])),
      ...gone.map(
        ({ id }) =>
          () =>
            store.acknowledge(mailbox, [id], new Uint8Array(1))
      ),
      ...signed.map(token => () => tokens.keep(mailbox, token)),
      ...Array.from({ length: 4 }, () => () => tokens.forget(mailbox)),
      ...Array.from({ length: 4 }, () => () => tokens.of(mailbox))
    ])
    const left = deliveries.filter(delivery => !gone.includes(delivery)).map(({ id }) => toHex(id))
    const held = async (from: PendingMessageStore): Promise<string[]> =>
      (await from.pendingAfter(mailbox, 0, ALL)).map(({ delivery }) => toHex(delivery.id)).sort()
    this.#expect('deliveries held', await held(store), left.sort())
    const told = (await tokens.of(mailbox))?.revision ?? null
    await store.close()
    const next = await this.#openPending()
    this.#expect('deliveries of the next process', await held(next), left)
    const found = await new MailboxTokens({ crypto, network, store: next }).of(mailbox)
    this.#expect('the token of the next process', found?.revision ?? null, told)
    await next.close()
  }

  async #openPending(): Promise<PendingMessageStore> {
    const fatal = (error: Error): void => void this.#report.failures.push(`${this.#name}: ${error.message}`)
    const events = {
      signEviction: async () => new Uint8Array(1),
      onEvicted: () => undefined,
      onCorrupt: () => undefined
    }
    const components = { crypto, network, clock: Date.now, logger: quietLogger, shardOf: () => 0 }
    const store = new PendingMessageStore(
      { ...components, events: { ...events, onFatal: fatal } },
      { directory: join(this.#folder, 'pending'), limits: DEFAULT_MAILBOX_LIMITS }
    )
    await store.open()
    return store
  }
}

const tokenOf = ({ key, keys }: TestClient, revision: number): Promise<MailboxToken> =>
  signMailboxToken(crypto, network, key, { keys, revision, token: new Uint8Array(32).fill(revision) })

const bundleOf = (deviceId: DeviceId, weeklyIndex: number): Uint8Array =>
  encodeBundle({
    deviceId,
    keys: { signingKey: new Uint8Array(32), messagingKeyHash: new Uint8Array(32) },
    registeredKey: new Uint8Array(1216),
    weeklyIndex,
    weeklyKey: new Uint8Array(1216),
    weeklyExpiry: 1,
    deviceSignature: new Uint8Array(64)
  })
