/** How account states, and references to accounts, are written into the tables of the directory. */
import { equalBytes } from '../../bytes.ts'
import { DEVICE_ID_BYTES, type AccountId, type DeviceId, type RecordId } from '../../identity/device.ts'
import { SIGNATURE_COUNT, type RecordKind } from '../../identity/record.ts'
import type {
  AccountState,
  AnnouncedNode,
  DeviceState,
  HistoryEntry,
  NameClaim,
  NameCommitment,
  RecordMark,
  Revocation,
  WaitingRecoveryKey
} from '../account.ts'
import { historyOf } from '../account.ts'
import { bytesKey, type OrderKey } from '../order.ts'
import type { PackedMap } from './packed-map.ts'
import type { Packing, PackReader, PackWriter } from './packing.ts'

const KINDS = Object.keys(SIGNATURE_COUNT) as RecordKind[]
const REASONS: Revocation['reason'][] = ['unspecified', 'lost', 'stolen', 'replaced', 'recovered']
const HASH_BYTES = 32
/** The empty list of most accounts: shared. */
const NONE: readonly never[] = []

/** Writes what may be `null`. */
function writeNullable<T>(writer: PackWriter, value: T | null, write: (value: T) => void): void {
  writer.byte(value === null ? 0 : 1)
  if (value !== null) write(value)
}

function readNullable<T>(reader: PackReader, read: () => T): T | null {
  return reader.byte() === 0 ? null : read()
}

/** Writes a list that is mostly empty. */
function writeList<T>(writer: PackWriter, values: readonly T[], write: (value: T) => void): void {
  writer.number(values.length)
  for (const value of values) write(value)
}

function readList<T>(reader: PackReader, read: () => T): readonly T[] {
  const values = reader.list(read)
  return values.length === 0 ? NONE : values
}

/** Writes a place in the chain. */
export function writeOrder(writer: PackWriter, order: OrderKey | null): void {
  writeNullable(writer, order, ({ blockHeight, txIndex, recordIndex }) => {
    writer.number(blockHeight)
    writer.number(txIndex)
    writer.number(recordIndex)
  })
}

/** Reads what {@link writeOrder} wrote. */
export function readOrder(reader: PackReader): OrderKey | null {
  return readNullable(reader, () => ({
    blockHeight: reader.number(),
    txIndex: reader.number(),
    recordIndex: reader.number()
  }))
}

/**
 * An account under its id. Whatever a record brought about names that record by its index in the history, which starts
 * with the account's CREATE and ends with its head.
 */
export const accountPacking: Packing<AccountState> = {
  write(writer, account) {
    const history = historyOf(account)
    history.forEach(({ recordId, order, blockTime, kind }, index) => {
      writer.byte(1 + KINDS.indexOf(kind))
      if (index > 0) writer.bytes(recordId)
      writeOrder(writer, order)
      writer.number(blockTime)
    })
    writer.byte(0)
    new AccountWriter(writer, history, account.devices).write(account)
  },
  read(reader, key) {
    const history: HistoryEntry[] = []
    for (let kind = reader.byte(); kind > 0; kind = reader.byte()) {
      const previous = history.at(-1) ?? null
      const recordId = (previous ? reader.bytes(HASH_BYTES) : key) as RecordId
      const [order, blockTime] = [readOrder(reader), reader.number()]
      history.push({ recordId, order, blockTime, kind: KINDS[kind - 1]!, previous })
    }
    return new AccountReader(reader, history).read(key as AccountId)
  }
}

/** Numbers ids by their position. An id that is passed on is the same object, as a rule: then nothing is compared. */
class IdIndex {
  readonly #ids: readonly Uint8Array[]
  readonly #known: Map<Uint8Array, number>

  constructor(ids: readonly Uint8Array[]) {
    this.#ids = ids
    this.#known = new Map(ids.map((id, index) => [id, index]))
  }

  of(id: Uint8Array): number {
    return this.#known.get(id) ?? this.#ids.findIndex(other => equalBytes(other, id))
  }
}

class AccountWriter {
  readonly #writer: PackWriter
  readonly #records: IdIndex
  readonly #devices: IdIndex

  constructor(writer: PackWriter, history: readonly HistoryEntry[], devices: readonly DeviceState[]) {
    this.#writer = writer
    this.#records = new IdIndex(history.map(({ recordId }) => recordId))
    this.#devices = new IdIndex(devices.map(({ deviceId }) => deviceId))
  }

  write(account: AccountState): void {
    const writer = this.#writer
    writer.number(account.limitedCount)
    writer.number(account.recoveryCount)
    writeNullable(writer, account.recoveryKey, key => writer.bytes(key))
    writer.number(account.devices.length)
    for (const { keys, deviceId } of account.devices) {
      writer.bytes(deviceId)
      writer.bytes(keys.signingKey)
      writer.bytes(keys.messagingKeyHash)
    }
    for (const device of account.devices) this.#device(device)
    writeNullable(writer, account.waitingRecovery, waiting => {
      writer.bytes(waiting.key)
      this.#deviceIndex(waiting.by)
      writer.number(waiting.from)
      this.#mark(waiting)
    })
    writeList(writer, account.commitments, commitment => {
      writer.bytes(commitment.commitment)
      this.#mark(commitment)
    })
    writeList(writer, account.names, name => {
      writer.bytes(name.nameTag)
      this.#mark(name)
      writeOrder(writer, name.commitOrder)
    })
    writeList(writer, account.nodes, node => {
      writer.bytes(node.nodeKey)
      this.#mark(node)
      writeList(writer, node.addresses, address => writer.text(address))
    })
  }

  #device({ keys, messagingKeyHash, added, addedBy, revocation, countered }: DeviceState): void {
    const writer = this.#writer
    const isRotated = !equalBytes(messagingKeyHash, keys.messagingKeyHash)
    writeNullable(writer, isRotated ? messagingKeyHash : null, hash => writer.bytes(hash))
    this.#mark(added)
    writeNullable(writer, addedBy, id => this.#deviceIndex(id))
    writeNullable(writer, revocation, ended => {
      this.#mark(ended)
      writeNullable(writer, ended.by, id => this.#deviceIndex(id))
      writer.byte(REASONS.indexOf(ended.reason))
      writeNullable(writer, ended.counterUntil, until => writer.number(until))
    })
    writeList(writer, countered, id => this.#deviceIndex(id))
  }

  #mark({ recordId }: RecordMark): void {
    this.#writer.number(this.#records.of(recordId))
  }

  #deviceIndex(id: DeviceId): void {
    this.#writer.number(this.#devices.of(id))
  }
}

class AccountReader {
  readonly #reader: PackReader
  readonly #history: readonly HistoryEntry[]

  constructor(reader: PackReader, history: readonly HistoryEntry[]) {
    this.#reader = reader
    this.#history = history
  }

  read(accountId: AccountId): AccountState {
    const reader = this.#reader
    const history = this.#history.at(-1)!
    const [limitedCount, recoveryCount] = [reader.number(), reader.number()]
    const recoveryKey = readNullable(reader, () => reader.bytes(HASH_BYTES))
    const known = reader.list(() => ({
      deviceId: reader.bytes(DEVICE_ID_BYTES) as DeviceId,
      keys: { signingKey: reader.bytes(HASH_BYTES), messagingKeyHash: reader.bytes(HASH_BYTES) }
    }))
    const deviceId = (): DeviceId => known[reader.number()]!.deviceId
    const devices = known.map((device, seniority) => this.#device(device, seniority, deviceId))
    const waitingRecovery = readNullable(reader, (): WaitingRecoveryKey => {
      const key = reader.bytes(HASH_BYTES)
      const [by, from] = [deviceId(), reader.number()]
      return { ...this.#mark(), key, by, from }
    })
    return {
      accountId,
      head: history.recordId,
      history,
      devices,
      recoveryKey,
      waitingRecovery,
      recordCount: this.#history.length,
      limitedCount,
      recoveryCount,
      commitments: readList(reader, (): NameCommitment => {
        const commitment = reader.bytes(HASH_BYTES)
        return { ...this.#mark(), commitment }
      }),
      names: readList(reader, (): NameClaim => {
        const nameTag = reader.bytes(HASH_BYTES)
        return { ...this.#mark(), nameTag, commitOrder: readOrder(reader) }
      }),
      nodes: readList(reader, (): AnnouncedNode => {
        const nodeKey = reader.bytes(HASH_BYTES)
        return { ...this.#mark(), nodeKey, addresses: reader.list(() => reader.text()) }
      })
    }
  }

  #device(
    { deviceId, keys }: Pick<DeviceState, 'deviceId' | 'keys'>,
    seniority: number,
    otherId: () => DeviceId
  ): DeviceState {
    const reader = this.#reader
    const messagingKeyHash = readNullable(reader, () => reader.bytes(HASH_BYTES)) ?? keys.messagingKeyHash
    const added = this.#mark()
    const addedBy = readNullable(reader, otherId)
    const revocation = readNullable(reader, (): Revocation => ({
      ...this.#mark(),
      by: readNullable(reader, otherId),
      reason: REASONS[reader.byte()]!,
      counterUntil: readNullable(reader, () => reader.number())
    }))
    const countered = readList(reader, otherId)
    return { deviceId, keys, messagingKeyHash, seniority, added, addedBy, revocation, countered }
  }

  #mark(): RecordMark {
    const { recordId, order, blockTime } = this.#history[this.#reader.number()]!
    return { recordId, order, blockTime }
  }
}

/** An account that is in `accounts`, named by its number there. An empty id means no account. */
export function accountReferencePacking(accounts: PackedMap<AccountState>): Packing<AccountId> {
  return {
    write(writer, accountId) {
      writer.number(accountId.length === 0 ? 0 : accounts.entryOf(bytesKey(accountId))! + 1)
    },
    read(reader) {
      const number = reader.number()
      return (number === 0 ? new Uint8Array(0) : accounts.keyAt(number - 1)) as AccountId
    }
  }
}
