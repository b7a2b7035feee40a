import { afterEach, beforeEach } from 'vitest'
import { DEFAULT_MAILBOX_LIMITS } from '../../../../node/pending-messages/mailbox-room.ts'
import type { MailboxLimits } from '../../../../node/ports.ts'
import { PendingMessageStore } from '../../../../node/pending-messages/pending-message-store.ts'
import { toHex } from '../../../../protocol/bytes.ts'
import type { DeviceId } from '../../../../protocol/identity/device.ts'
import type { Delivery, DeliveryId } from '../../../../protocol/wire/envelope.ts'
import { crypto, network, quietLogger, temporaryFolder } from './fixtures.ts'

const ALL = { count: 100_000, bytes: 1e9 }

/** A pending store on disk, a clock that only the test moves, and the reports of the store to its node. New for every test of the file. */
export class TestStore {
  store!: PendingMessageStore
  /** Milliseconds since 1970. */
  now = Date.now()
  evictions: { mailbox: DeviceId; ids: DeliveryId[] }[] = []
  corrupt: DeliveryId[] = []
  fatal: Error[] = []
  #folder!: Awaited<ReturnType<typeof temporaryFolder>>

  /** Call it once at the top of a test file. */
  static forEachTest(): TestStore {
    const held = new TestStore()
    beforeEach(() => held.#start())
    afterEach(() => held.#end())
    return held
  }

  /** Of the database's files. */
  get directory(): string {
    return `${this.#folder.path}/db`
  }

  /** A second one over the same files is refused while the first is open. */
  async open(limits: MailboxLimits = DEFAULT_MAILBOX_LIMITS): Promise<void> {
    const opened = new PendingMessageStore(
      {
        crypto,
        network,
        clock: () => this.now,
        logger: quietLogger,
        shardOf: mailbox => mailbox[0]! % 4,
        events: {
          signEviction: async (mailbox, ids) => {
            this.evictions.push({ mailbox, ids })
            return Uint8Array.of(this.evictions.length)
          },
          onEvicted: () => undefined,
          onCorrupt: (_, ids) => this.corrupt.push(...ids),
          onFatal: error => this.fatal.push(error)
        }
      },
      { directory: this.#folder.path, limits }
    )
    await opened.open()
    this.store = opened
  }

  async reopen(limits?: MailboxLimits): Promise<void> {
    await this.store.close()
    await this.open(limits)
  }

  /** Another store with nothing in it. */
  async openEmpty(limits?: MailboxLimits): Promise<void> {
    await this.store.close()
    await this.#folder.remove()
    this.#folder = await temporaryFolder()
    await this.open(limits)
  }

  readonly put = (mailbox: DeviceId, ...deliveries: Delivery[]) =>
    this.store.store(deliveries.map(delivery => ({ mailbox, delivery, origin: 0 })))

  /** In order of arrival, as hex. */
  readonly idsOf = async (mailbox: DeviceId): Promise<string[]> =>
    (await this.store.pendingAfter(mailbox, 0, ALL)).map(({ delivery }) => toHex(delivery.id))

  async #start(): Promise<void> {
    this.#folder = await temporaryFolder()
    this.now = Date.now()
    this.evictions = []
    this.corrupt = []
    this.fatal = []
    await this.open()
  }

  async #end(): Promise<void> {
    await this.store.close()
    await this.#folder.remove()
  }
}
