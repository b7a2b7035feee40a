/** What the old device approved, until a node has taken it: on disk, so that a process that ends in between goes on with it. */
import { bytesBetween, decode, encode, struct, uint, type TypeOf } from '../../protocol/codec.ts'
import { decodeBundle } from '../../protocol/identity/bundle.ts'
import { deviceIdCodec } from '../../protocol/identity/device.ts'
import { CLOCK_TOLERANCE_MS } from '../../protocol/limits.ts'
import { decodeDeviceRegistration, MAX_DEVICE_REGISTRATION_BYTES } from '../../protocol/linking/device-registration.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { askNode, jsonOf } from '../network/node-http.ts'
import type { HttpClient } from '../ports.ts'
import { ownAccountChange, ownAccountCodec, type OwnAccount } from '../store/own-account.ts'
import type { EntryChange } from '../store/sealed-store.ts'
import { pause } from './pause.ts'

const HTTP_TIMEOUT_MS = 10_000
/** A node that does not know the account's last record yet is asked again, and others are, for this long. */
const PATIENCE_MS = 30_000
const RETRY_MS = 1_500
const MAX_NODES = 4
const NAME = { space: 'approved-join' }

const approvedJoinCodec = struct({
  account: ownAccountCodec,
  /** An encoded `DeviceRegistration`. */
  registration: bytesBetween(1, MAX_DEVICE_REGISTRATION_BYTES),
  /** The device that added this one. */
  by: deviceIdCodec,
  /** End of the token. */
  expiresAt: uint()
})

/** See {@link handInJoin}. */
export type ApprovedJoin = TypeOf<typeof approvedJoinCodec>

export interface ApprovedJoinComponents {
  context: EngineContext
  fetch: HttpClient
  /** Fires when the person ends it. */
  signal: AbortSignal
  /** Stored together with the account: the device begins with it, also where its process ends right after. */
  joined: EntryChange[]
}

/** What an earlier process was about to hand in; undefined if there is nothing, or its token is over. */
export async function loadApprovedJoin({ store, timers }: EngineContext): Promise<ApprovedJoin | undefined> {
  const stored = await store.get(NAME)
  const join = stored && decode(approvedJoinCodec, stored, { maxBytes: 4 * MAX_DEVICE_REGISTRATION_BYTES })
  return join && join.expiresAt + CLOCK_TOLERANCE_MS > timers.now() ? join : undefined
}

/**
 * Hands an approved join to a node, another one if the first does not answer.
 *
 * @returns the account, stored as registered.
 * @throws PeerError `link-not-accepted` if nodes refuse it, `link-expired` if all find it too old: it is forgotten; `link-lost` if none answers: it stays on disk.
 */
export async function handInJoin(components: ApprovedJoinComponents, join: ApprovedJoin): Promise<OwnAccount> {
  const { store } = components.context
  await store.batch([{ ...NAME, value: encode(approvedJoinCodec, join) }])
  try {
    await handInAnywhere(components, join.registration)
  } catch (error) {
    const isRefused = error instanceof PeerError && ['link-not-accepted', 'link-expired'].includes(error.code)
    if (isRefused) await store.batch([{ ...NAME, value: null }])
    throw error
  }
  await store.batch([ownAccountChange(join.account), ...components.joined, { ...NAME, value: null }])
  const { bundle } = decodeDeviceRegistration(join.registration)
  await components.context.device().notePublished(decodeBundle(bundle))
  return join.account
}

async function handInAnywhere(components: ApprovedJoinComponents, registration: Uint8Array): Promise<void> {
  const { context, signal } = components
  const { timers } = context
  const deadline = timers.monotonic() + PATIENCE_MS
  const { entry, epoch } = context.network()
  const origins = [...new Set([entry, ...epoch.nodes.map(({ url }) => url)])].slice(0, MAX_NODES)
  const expired = new Set<string>()
  for (let attempt = 0; ; attempt++) {
    const origin = origins[attempt % origins.length]!
    const outcome = await post(components, origin, registration)
    if (outcome === 'taken') return
    if (outcome === 'refused') throw new PeerError('link-not-accepted')
    if (outcome === 'expired') expired.add(origin)
    // One node's clock may be wrong: the others are asked as well.
    if (expired.size === origins.length) throw new PeerError('link-expired')
    if (signal.aborted || timers.monotonic() + RETRY_MS >= deadline) throw new PeerError('link-lost')
    await pause(timers, RETRY_MS)
  }
}

/** `later`: no answer, or the node does not know the account's last record yet. `expired`: the token is over, or a clock is wrong. */
async function post(
  { fetch }: ApprovedJoinComponents,
  origin: string,
  registration: Uint8Array
): Promise<'taken' | 'refused' | 'expired' | 'later'> {
  try {
    const answer = await askNode(fetch, origin, '/v1/devices', {
      method: 'POST',
      headers: { 'content-type': 'application/cbor' },
      body: registration as Uint8Array<ArrayBuffer>,
      timeoutMs: HTTP_TIMEOUT_MS
    })
    const said = jsonOf(answer) as { deviceId?: unknown; error?: unknown } | null
    if (answer.ok && typeof said?.deviceId === 'string') return 'taken'
    if (said?.error === 'expired') return 'expired'
    return answer.status === 404 || answer.status === 429 || answer.status >= 500 ? 'later' : 'refused'
  } catch (error) {
    if (error instanceof PeerError) return 'later'
    throw error
  }
}
