/**
 * Stores deliveries as a node does and prints the id of each once the store says that it is safe.
 * Usage: power-cut-writer.js <store folder> <sync: true|false>
 */
import { randomBytes } from 'node:crypto'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import type { DeviceId } from '../../protocol/identity/device.ts'
import type { NetworkId } from '../../protocol/network.ts'
import { deliveryIdOf, envelopeIdOf, type Delivery } from '../../protocol/wire/envelope.ts'
import { toHex } from '../../protocol/bytes.ts'
import { PendingMessageStore } from '../../node/pending-messages/pending-message-store.ts'
import type { Write } from '../../node/pending-messages/store-transaction.ts'
import { silentLogger } from '../support/silent-logger.ts'

const PAYLOAD_BYTES = 512
const BATCH = 16
const HOUR_MS = 3_600_000

/** The network that the store under test is of. */
export const POWER_CUT_NETWORK = new Uint8Array(32).fill(9) as NetworkId
/** The one mailbox it fills. */
export const POWER_CUT_MAILBOX = new Uint8Array(16).fill(1) as DeviceId

const crypto = createNodeCrypto()

/** A store that believes a write before it is on the disk, to show what fsync is for. */
class UnsyncedStore extends PendingMessageStore {
  protected override write(writes: Write[]): Promise<void> {
    return this.database.batch(writes, { sync: false })
  }
}

/** The store as a node builds it; limits and eviction play no part here. @param onFatal - told once when it fails. */
export function storeAt(directory: string, syncWrites: boolean, onFatal: (error: Error) => void): PendingMessageStore {
  const Store = syncWrites ? PendingMessageStore : UnsyncedStore
  return new Store(
    {
      crypto,
      network: POWER_CUT_NETWORK,
      clock: Date.now,
      logger: silentLogger,
      shardOf: () => 0,
      events: {
        signEviction: () => Promise.resolve(new Uint8Array()),
        onEvicted: () => undefined,
        onCorrupt: () => undefined,
        onFatal
      }
    },
    { directory }
  )
}

function makeDelivery(): Delivery {
  const fields = {
    version: 1 as const,
    expiry: Date.now() + HOUR_MS,
    class: 'contact' as const,
    payload: randomBytes(PAYLOAD_BYTES)
  }
  const part = new Uint8Array()
  const id = deliveryIdOf(crypto, POWER_CUT_NETWORK, envelopeIdOf(crypto, POWER_CUT_NETWORK, fields), {
    mailbox: POWER_CUT_MAILBOX,
    part,
    proof: part
  })
  return {
    id,
    expiry: fields.expiry,
    class: fields.class,
    part,
    proof: part,
    payload: fields.payload,
    storedAt: Date.now()
  }
}

async function writeForEver(directory: string, syncWrites: boolean): Promise<never> {
  const store = storeAt(directory, syncWrites, () => process.exit(1))
  await store.open()
  for (;;) {
    const deliveries = Array.from({ length: BATCH }, makeDelivery)
    await store.store(deliveries.map(delivery => ({ mailbox: POWER_CUT_MAILBOX, delivery, origin: 0 })))
    process.stdout.write(deliveries.map(({ id }) => `${toHex(id)}\n`).join(''))
  }
}

const [, file, directory, sync] = process.argv
if (file === import.meta.filename && directory) await writeForEver(directory, sync === 'true')
