/**
 * The old device's side of a linking: it shows a code, asks its person, and signs.
 *
 *     code shown ── request ──▶ asking ── yes ──▶ draft, signed, approval ── registered, or seen on the record ──▶ done
 *
 * docs/linking.md says which message is which step.
 */
import { deviceOf, isLive, type AccountState } from '../../protocol/directory/account.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { draftAdd, signRecord } from '../../protocol/identity/build-record.ts'
import { deviceIdOf, type DeviceId } from '../../protocol/identity/device.ts'
import { recordSigningBytes, type RecordOf } from '../../protocol/identity/record.ts'
import { LinkChannel } from '../../protocol/linking/link-channel.ts'
import { checkWords, shareCommitment, verifyLinkRequest, type CheckShare } from '../../protocol/linking/link-check.ts'
import { createLinkSecret, formatLinkAddress, formatLinkWords } from '../../protocol/linking/link-code.ts'
import { LINK_NONCE_BYTES, type LinkMessageOf } from '../../protocol/linking/link-messages.ts'
import { LINK_TOKEN_TTL_MS, signLinkToken } from '../../protocol/linking/link-token.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { candidateNodes } from '../network/network-info.ts'
import type { LinkingState } from '../peer-api.ts'
import type { HttpClient, Timers } from '../ports.ts'
import type { OwnAccount } from '../store/own-account.ts'
import { LinkBoxes } from './link-boxes.ts'
import { LinkLine, STEP_MS } from './link-line.ts'
import { pause } from './pause.ts'

/** A code is good for this long. */
export const LINK_CODE_TTL_MS = 10 * 60 * 1000
/** Nodes that are tried for the messages. */
const MAX_NODES = 8
/** The new device is on the record within this after its last message. */
const REGISTERED_MS = 60_000
const LOOK_MS = 2_000

export interface AddingDeviceComponents {
  context: EngineContext
  fetch: HttpClient
  directory: Pick<DirectoryClient, 'refresh'>
  account: () => OwnAccount
  /** Fires when the person ends it. */
  signal: AbortSignal
  /** The person's answer. */
  answer: Promise<boolean>
  onStep: (change: Partial<LinkingState>) => void
  /** Called before the last signature leaves this device. */
  onApproving: (device: { deviceId: DeviceId }) => Promise<void>
}

/** A new device, as it asked. */
interface Newcomer {
  request: LinkMessageOf<'request'>
  deviceId: DeviceId
}

export class AddingDevice {
  readonly #components: AddingDeviceComponents
  readonly #channel: LinkChannel
  readonly #share: CheckShare
  readonly #secret
  readonly #expiresAt: number
  readonly #deadline: number
  /** Once the first message is at a node. */
  line: LinkLine | undefined

  constructor(components: AddingDeviceComponents) {
    const { crypto, network, random, timers } = components.context
    this.#components = components
    this.#secret = createLinkSecret(random)
    this.#share = { keys: components.context.device().publicKeys, nonce: random(LINK_NONCE_BYTES) }
    this.#channel = new LinkChannel(crypto, network().id, this.#secret, 'old')
    this.#expiresAt = timers.now() + LINK_CODE_TTL_MS
    this.#deadline = timers.monotonic() + LINK_CODE_TTL_MS
  }

  /** Leaves the offer at a node. @returns the code. @throws PeerError `offline` if no node takes it, `refused`. */
  async offer(): Promise<NonNullable<LinkingState['code']>> {
    const { context, fetch, signal } = this.#components
    const { crypto, timers } = context
    const info = context.network()
    const commitment = shareCommitment(crypto, info.id, this.#share)
    const sealed = this.#channel.seal({ kind: 'offer', version: 1, commitment, expiresAt: this.#expiresAt })
    const box = this.#channel.box('old')
    let failure: unknown = new PeerError('offline', { origin: null })
    for (const { url } of candidateNodes(crypto, info, box).slice(0, MAX_NODES)) {
      const boxes = new LinkBoxes({ fetch, timers }, url)
      try {
        await boxes.put(box, 0, sealed, signal)
      } catch (error) {
        failure = error
        continue
      }
      this.line = new LinkLine({ channel: this.#channel, boxes, timers, signal }, 'old', [sealed])
      return this.#code([info.entry, url])
    }
    throw failure
  }

  #code(origins: string[]): NonNullable<LinkingState['code']> {
    const { context } = this.#components
    const code = { secret: this.#secret, expiresAt: this.#expiresAt, origins: [...new Set(origins)] }
    const words = formatLinkWords(this.#secret)
    return { words, address: formatLinkAddress(context.network().id, code), expiresAt: this.#expiresAt }
  }

  /** Everything after the code is shown. @returns the device that was added. @throws PeerError. */
  async run(): Promise<{ deviceId: DeviceId; name: string }> {
    const line = this.line!
    const newcomer = await this.#newcomer(line)
    const { context, onStep } = this.#components
    await line.send({ kind: 'reveal', ...this.#share })
    const { request, deviceId } = newcomer
    const shares = { old: this.#share, added: request }
    const words = checkWords(context.crypto, context.network().id, this.#channel.checkKey, shares)
    onStep({ step: 'asking', deviceName: request.deviceName, checkWords: words })
    // Listened for from now on: the new device may give up while the person looks.
    const signed = line.receive('signed', this.#left())
    signed.catch(() => undefined)
    if (!(await Promise.race([this.#answered(), rejectionOf(signed)]))) throw new PeerError('link-refused')
    onStep({ step: 'adding' })
    await this.#sign(line, newcomer, signed)
    await this.#seen(line, deviceId)
    return { deviceId, name: request.deviceName }
  }

  /** Erases the keys. */
  wipe(): void {
    this.#channel.wipe()
    this.#secret.fill(0)
  }

  #left(): number {
    return Math.max(0, this.#deadline - this.#components.context.timers.monotonic())
  }

  async #newcomer(line: LinkLine): Promise<Newcomer> {
    const { crypto, network } = this.#components.context
    const { transcript } = this.#channel
    const request = await expiring(line.receive('request', this.#left()))
    try {
      await verifyLinkRequest(crypto, network().id, transcript, request)
    } catch (error) {
      if (error instanceof ProtocolError) throw new PeerError('link-broken', {}, { cause: error })
      throw error
    }
    return { request, deviceId: deviceIdOf(crypto, network().id, request.keys) }
  }

  async #answered(): Promise<boolean> {
    const { answer, context, signal } = this.#components
    const over = Promise.withResolvers<never>()
    const cancel = context.timers.after(this.#left(), () => over.reject(new PeerError('link-expired')))
    const onAbort = (): void => over.reject(new PeerError('link-cancelled', { by: 'this' }))
    signal.addEventListener('abort', onAbort)
    try {
      return await Promise.race([answer, over.promise])
    } finally {
      cancel()
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** The ADD record, first under the new key, then under this device's. */
  async #sign(
    line: LinkLine,
    { request, deviceId }: Newcomer,
    signed: Promise<LinkMessageOf<'signed'>>
  ): Promise<void> {
    const { context, account, onApproving } = this.#components
    const { id } = context.network()
    const { signingKey, deviceId: by } = context.device()
    const { head } = await this.#ownAccount()
    const time = context.timers.now()
    const { accountId, displayName, name } = account()
    await line.send({ kind: 'draft', accountId, prev: head, time, displayName, name })
    const { newDeviceSignature } = await Promise.race([signed, lostAfter(context.timers, STEP_MS)])
    const add = { ...draftAdd(request.keys, { prev: head, deviceId: by, time }), newDeviceSignature }
    await this.#requireSigned(add)
    const { deviceSignature } = await signRecord(id, add, 'deviceSignature', signingKey)
    const expiresAt = context.timers.now() + LINK_TOKEN_TTL_MS
    const token = await signLinkToken(id, signingKey, { accountId, deviceId, by, expiresAt })
    await onApproving({ deviceId })
    await line.send({ kind: 'approval', deviceSignature, token })
  }

  async #requireSigned(add: RecordOf<'add'>): Promise<void> {
    const { crypto, network } = this.#components.context
    const isSigned = await crypto.verify(
      add.device.signingKey,
      recordSigningBytes(network().id, add),
      add.newDeviceSignature
    )
    if (!isSigned) throw new PeerError('link-broken')
  }

  /** The own record as it is now. @throws PeerError `held` on a device that was removed, `offline`. */
  async #ownAccount(): Promise<AccountState> {
    const { context, directory } = this.#components
    const own = await directory.refresh(context.accountId())
    if (!own) throw new PeerError('no-account')
    const self = deviceOf(own.current, context.device().deviceId)
    if (self && isLive(self)) return own.checked.account
    throw new PeerError('held', { reason: 'device-removed', username: null })
  }

  /** Waits until the record shows the new device, whether its last message comes or not. @throws PeerError `link-lost`. */
  async #seen(line: LinkLine, deviceId: DeviceId): Promise<void> {
    const { context, directory, signal } = this.#components
    const { timers } = context
    const told = line.receive('registered', REGISTERED_MS)
    // An end after the approval: the record says whether it was too late.
    const isOver = told.then(
      () => false,
      () => true
    )
    const deadline = timers.monotonic() + REGISTERED_MS
    let isLast = false
    for (;;) {
      const own = await directory.refresh(context.accountId()).catch(() => undefined)
      const device = own && deviceOf(own.current, deviceId)
      if (device && isLive(device)) return
      if (isLast) await told
      if (timers.monotonic() >= deadline || signal.aborted) throw new PeerError('link-lost')
      isLast = await Promise.race([isOver, pause(timers, LOOK_MS).then(() => false)])
    }
  }
}

/** Waiting for a newcomer ends with the code. */
async function expiring<T>(received: Promise<T>): Promise<T> {
  try {
    return await received
  } catch (error) {
    if (error instanceof PeerError && error.code === 'link-lost') throw new PeerError('link-expired')
    throw error
  }
}

/** @throws PeerError `link-lost`, always. */
async function lostAfter(timers: Timers, ms: number): Promise<never> {
  await pause(timers, ms)
  throw new PeerError('link-lost')
}

/** Rejects as the promise does; never resolves. */
function rejectionOf(promise: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => void promise.catch(reject))
}
