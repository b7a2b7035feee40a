/**
 * Ends devices of the own account.
 *
 *     signed, on disk ── handed in ──▶ pending (counts already) ── block ──▶ recorded ── 15 blocks ──▶ settled: forgotten here
 *            ▲                            │
 *            └──── no block has it ◀──────┘  (rolled back, or the node lost it: handed in again, to whichever node is in use)
 *
 * A device that removes itself is let in by no node afterwards, so it hands its record to two operators while it can, and
 * follows what comes of it over HTTP.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { bytesBetween, decode, encode, struct, type TypeOf } from '../../protocol/codec.ts'
import { deviceOf, isLive, type AccountState, type DeviceState } from '../../protocol/directory/account.ts'
import { buildRevoke } from '../../protocol/identity/build-record.ts'
import { deviceIdCodec, type DeviceId, type RecordId } from '../../protocol/identity/device.ts'
import { decodeRecord, encodeRecord, recordIdOf } from '../../protocol/identity/record.ts'
import { MAX_RECORD_BYTES, SETTLED_CONFIRMATIONS } from '../../protocol/limits.ts'
import { PeerError } from '../errors.ts'
import { ConnectionLost, NodeRefusal, type NodeConnection } from '../network/node-connection.ts'
import type { EngineContext } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { KnownAccount } from '../directory/known-account.ts'

/** A removal that is on its way is looked after this often. */
const LOOK_MS = 3_000
/** Nodes take a record twice without harm, so one that waits is handed in again this often. */
const HAND_IN_AGAIN_MS = 30_000
const SPACE = 'device-removal'

const removalCodec = struct({ deviceId: deviceIdCodec, record: bytesBetween(1, MAX_RECORD_BYTES) })
type Removal = TypeOf<typeof removalCodec>

export interface DeviceRemovalComponents {
  context: EngineContext
  directory: DirectoryClient
  connection: () => NodeConnection | undefined
  /** A short connection to a node of another operator, or undefined if there is none. */
  otherOperator: () => Promise<NodeConnection | undefined>
}

export class DeviceRemoval {
  readonly #components: DeviceRemovalComponents
  readonly #underway = new Map<string, Removal>()
  readonly #handedInAt = new Map<string, number>()
  #cancelLook: (() => void) | undefined
  #looking: Promise<void> | undefined
  #stopped = true

  constructor(components: DeviceRemovalComponents) {
    this.#components = components
  }

  /** Goes on with what an earlier process began. */
  async start(): Promise<void> {
    this.#stopped = false
    for (const bytes of await this.#components.context.store.all(SPACE)) {
      const removal = decode(removalCodec, bytes, { maxBytes: 2 * MAX_RECORD_BYTES })
      this.#underway.set(toHex(removal.deviceId), removal)
    }
    this.kick()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelLook?.()
    await this.#looking
  }

  /**
   * Removes a device of the own account.
   * @returns once a node has taken the record and it counts here.
   * @throws PeerError `removal-offline`, `no-device`, `removal-waits`, `removal-refused`, `bad-answer`.
   */
  async remove(deviceId: DeviceId): Promise<void> {
    const { context, directory, connection } = this.#components
    const online = connection()
    if (!online) throw new PeerError('removal-offline')
    const own = await directory.account(context.accountId(), 0)
    const target = own && deviceOf(own.current, deviceId)
    if (!own || !target) throw new PeerError('no-device')
    if (!isLive(target)) return
    const removal = { deviceId, record: await this.#sign(own.checked.account, target) }
    await context.store.batch([{ space: SPACE, id: toHex(deviceId), value: encode(removalCodec, removal) }])
    this.#underway.set(toHex(deviceId), removal)
    try {
      await this.#handIn(online, removal)
    } catch (error) {
      if (error instanceof NodeRefusal) await this.#forget(removal)
      throw asPeerError(error)
    }
    await this.checkSelf()
    this.#schedule()
  }

  /** `prev` is the record that brought the younger of both devices: whatever else a rollback undoes, the removal holds. */
  async #sign(account: AccountState, target: DeviceState): Promise<Uint8Array> {
    const { context } = this.#components
    const { signingKey, deviceId } = context.device()
    const signer = deviceOf(account, deviceId)
    if (!signer || !isLive(signer)) throw new PeerError('held', { reason: 'device-removed', username: null })
    const prev: RecordId = (signer.seniority > target.seniority ? signer : target).added.recordId
    const by = { key: signingKey, deviceId, prev, time: context.timers.now() }
    const isSelf = equalBytes(deviceId, target.deviceId)
    return encodeRecord(
      await buildRevoke(context.network().id, by, target.deviceId, isSelf ? 'replaced' : 'unspecified')
    )
  }

  async #handIn(online: NodeConnection, { deviceId, record }: Removal): Promise<void> {
    const { context, otherOperator } = this.#components
    this.#handedInAt.set(toHex(deviceId), context.timers.monotonic())
    const isSelf = equalBytes(deviceId, context.device().deviceId)
    // Opened first: afterwards nobody lets this device in.
    const other = isSelf ? await otherOperator() : undefined
    const records = [record]
    try {
      await online.request({ kind: 'publishRecords', records }, 'done')
      await other?.request({ kind: 'publishRecords', records }, 'done').catch((error: unknown) => {
        context.log.debug('a removal was handed in once only', { reason: String(error) })
      })
    } finally {
      other?.close('handed in')
    }
  }

  /** Looks after removals now, and asks whether this device was removed. Never rejects. */
  kick(): void {
    if (this.#stopped || this.#looking) return
    this.#cancelLook?.()
    this.#looking = this.#look()
      .catch((error: unknown) => this.#components.context.log.debug('a removal waits', { reason: String(error) }))
      .finally(() => {
        this.#looking = undefined
        this.#schedule()
      })
  }

  #schedule(): void {
    this.#cancelLook?.()
    if (this.#stopped || this.#underway.size === 0) return
    this.#cancelLook = this.#components.context.timers.after(LOOK_MS, () => this.kick())
  }

  async #look(): Promise<void> {
    if (this.#underway.size === 0) return
    const own = await this.#lookAtOwn()
    if (!own) return
    for (const removal of this.#underway.values()) await this.#advance(removal, own)
  }

  /** The own record, over HTTP where no node lets this device in. */
  async #lookAtOwn(): Promise<KnownAccount | undefined> {
    const { context, directory, connection } = this.#components
    try {
      if (connection()) return await directory.refresh(context.accountId())
    } catch (error) {
      context.log.debug('the own record is asked for over HTTP', { reason: String(error) })
    }
    return directory.refreshOverHttp(context.accountId())
  }

  /** This device is told that it was removed: whether that is so, its record says. Never rejects. */
  async checkSelf(): Promise<void> {
    try {
      await this.#lookAtOwn()
    } catch (error) {
      this.#components.context.log.debug('the own record could not be had', { reason: String(error) })
    }
  }

  async #advance(removal: Removal, own: KnownAccount): Promise<void> {
    const { context, directory, connection } = this.#components
    const recordId = recordIdOf(context.crypto, context.network().id, decodeRecord(removal.record))
    const place = own.checked.places.find(({ recordId: id }) => equalBytes(id, recordId))
    // One node's height alone does not end a removal: it would not be handed in again.
    const depth = place ? directory.confirmationsOf(own, place) : 0
    if (depth >= SETTLED_CONFIRMATIONS) return this.#forget(removal)
    const online = connection()
    const handedInAt = this.#handedInAt.get(toHex(removal.deviceId)) ?? -Infinity
    const isDue = context.timers.monotonic() - handedInAt >= HAND_IN_AGAIN_MS
    if (depth === 0 && online && isDue) await this.#handIn(online, removal)
  }

  async #forget({ deviceId }: Removal): Promise<void> {
    this.#underway.delete(toHex(deviceId))
    await this.#components.context.store.batch([{ space: SPACE, id: toHex(deviceId), value: null }])
  }
}

function asPeerError(error: unknown): unknown {
  if (error instanceof ConnectionLost) {
    return new PeerError('removal-waits', {}, { cause: error })
  }
  if (error instanceof NodeRefusal) {
    return new PeerError('removal-refused', { refusal: error.code }, { cause: error })
  }
  return error
}
