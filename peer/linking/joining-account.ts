/**
 * The new device's side of a linking: it uses a code, signs its keys, and hands both signatures to a node.
 *
 *     code ── offer found ── request ──▶ check words ── draft, signed, approval ──▶ on disk ── a node takes it ──▶ joined
 *
 * What the old device approved is on disk before it is handed in: a process that ends in between goes on with it. docs/linking.md
 * says which message is which step.
 */
import { deviceNameOf, UNNAMED_DEVICE } from '../../protocol/identity/device-name.ts'
import { equalBytes } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { draftAdd, signRecord } from '../../protocol/identity/build-record.ts'
import { encodeBundle } from '../../protocol/identity/bundle.ts'
import { deviceIdOf } from '../../protocol/identity/device.ts'
import { encodeRecord } from '../../protocol/identity/record.ts'
import { CLOCK_TOLERANCE_MS } from '../../protocol/limits.ts'
import {
  encodeDeviceRegistration,
  verifyDeviceRegistration,
  type DeviceRegistration
} from '../../protocol/linking/device-registration.ts'
import { LinkChannel } from '../../protocol/linking/link-channel.ts'
import { checkWords, requireCommitted, signLinkRequest, type CheckShare } from '../../protocol/linking/link-check.ts'
import { parseLinkCode, type LinkCode } from '../../protocol/linking/link-code.ts'
import { LINK_NONCE_BYTES, type LinkMessageOf } from '../../protocol/linking/link-messages.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { candidateNodes, type NetworkInfo } from '../network/network-info.ts'
import type { LinkingState } from '../peer-api.ts'
import type { HttpClient } from '../ports.ts'
import { LinkBoxes } from './link-boxes.ts'
import { LinkLine } from './link-line.ts'
import type { ApprovedJoin } from './approved-join.ts'

/** Nodes that are asked for the offer. */
const MAX_NODES = 8
/** The old device's person has this long to answer, if the offer does not end before. */
const MAX_ANSWER_MS = 10 * 60 * 1000

export interface JoiningAccountComponents {
  context: EngineContext
  fetch: HttpClient
  /** Fires when the person ends it. */
  signal: AbortSignal
  onStep: (change: Partial<LinkingState>) => void
}

/** A found offer: where, and what it says. */
interface FoundOffer {
  line: LinkLine
  offer: LinkMessageOf<'offer'>
}

export class JoiningAccount {
  readonly #components: JoiningAccountComponents
  readonly #channel: LinkChannel
  readonly #deviceName: string
  readonly #code: LinkCode
  /** Once the offer is found. */
  line: LinkLine | undefined

  /** @throws PeerError `link-code`, `link-expired`, `other-network`. */
  constructor(components: JoiningAccountComponents, typed: string, deviceName: string) {
    const { crypto, network, timers } = components.context
    const info = network()
    this.#components = components
    this.#code = readCode(typed)
    this.#deviceName = deviceNameOf(deviceName) || UNNAMED_DEVICE
    const { network: begin, expiresAt, secret } = this.#code
    if (begin && !equalBytes(begin, info.id.slice(0, begin.length))) {
      throw new PeerError('other-network', { origin: info.entry })
    }
    if (expiresAt !== null && expiresAt + CLOCK_TOLERANCE_MS < timers.now()) throw new PeerError('link-expired')
    this.#channel = new LinkChannel(crypto, info.id, secret, 'new')
  }

  /** @returns what the old device approved; nothing is stored yet. @throws PeerError. */
  async run(): Promise<ApprovedJoin> {
    const { line, offer } = await this.#find()
    this.line = line
    const own: CheckShare = {
      keys: this.#components.context.device().publicKeys,
      nonce: this.#components.context.random(LINK_NONCE_BYTES)
    }
    if (!(await line.send(await this.#request(own)))) throw new PeerError('link-used')
    const reveal = await line.receive('reveal')
    this.#showWords(offer, reveal, own)
    const draft = await line.receive('draft', MAX_ANSWER_MS)
    this.#components.onStep({ step: 'adding' })
    return this.#sign(line, reveal, draft)
  }

  /** Tells the old device that a node has taken the record. Never rejects. */
  async tellRegistered(): Promise<void> {
    await this.line?.send({ kind: 'registered' }).catch(() => undefined)
  }

  /** Erases the keys. */
  wipe(): void {
    this.#channel.wipe()
    this.#code.secret.fill(0)
  }

  /** A node may answer with anything: the offer is what opens. @throws PeerError `link-unknown`, `offline`. */
  async #find(): Promise<FoundOffer> {
    const { context, fetch, signal } = this.#components
    const { timers } = context
    const box = this.#channel.box('old')
    const nodes = this.#origins(context.network(), box).map(origin => new LinkBoxes({ fetch, timers }, origin))
    const answers = await Promise.allSettled(nodes.map(boxes => boxes.get(box, 0, 0, signal)))
    if (signal.aborted) throw new PeerError('link-cancelled', { by: 'this' })
    for (const [at, answer] of answers.entries()) {
      const offer = answer.status === 'fulfilled' && answer.value && this.#opened(answer.value)
      if (!offer) continue
      const line = new LinkLine({ channel: this.#channel, boxes: nodes[at]!, timers, signal }, 'new')
      return { line, offer }
    }
    const isAnswered = answers.some(({ status }) => status === 'fulfilled')
    throw isAnswered ? new PeerError('link-unknown') : new PeerError('offline', { origin: context.network().entry })
  }

  /** Listed nodes only, those that the code names first. */
  #origins(info: NetworkInfo, box: Uint8Array): string[] {
    const listed = candidateNodes(this.#components.context.crypto, info, box).map(({ url }) => url)
    const named = this.#code.origins.filter(origin => listed.includes(origin))
    return [...new Set([...named, ...listed])].slice(0, MAX_NODES)
  }

  #opened(sealed: Uint8Array): LinkMessageOf<'offer'> | undefined {
    try {
      const message = this.#channel.open(sealed)
      return message.kind === 'offer' ? message : undefined
    } catch (error) {
      if (error instanceof ProtocolError) return undefined
      throw error
    }
  }

  #request({ keys, nonce }: CheckShare): Promise<LinkMessageOf<'request'>> {
    const { context } = this.#components
    const request = { kind: 'request' as const, keys, nonce, deviceName: this.#deviceName }
    return signLinkRequest(context.network().id, context.device().signingKey, this.#channel.transcript, request)
  }

  /** @throws PeerError `link-broken` if the old device shows other keys or another nonce than it committed to. */
  #showWords({ commitment }: LinkMessageOf<'offer'>, old: CheckShare, added: CheckShare): void {
    const { context, onStep } = this.#components
    const { id } = context.network()
    notBroken(() => requireCommitted(context.crypto, id, commitment, old))
    const words = checkWords(context.crypto, id, this.#channel.checkKey, { old, added })
    onStep({ step: 'asking', checkWords: words, deviceName: this.#deviceName })
  }

  /** Both signatures, checked: the device that adds is the one whose keys are in the check words. */
  async #sign(line: LinkLine, old: CheckShare, draft: LinkMessageOf<'draft'>): Promise<ApprovedJoin> {
    const { context } = this.#components
    const { crypto, timers } = context
    const { id } = context.network()
    const { signingKey, publicKeys } = context.device()
    const by = deviceIdOf(crypto, id, old.keys)
    const unsigned = draftAdd(publicKeys, { prev: draft.prev, deviceId: by, time: draft.time })
    const add = await signRecord(id, unsigned, 'newDeviceSignature', signingKey)
    await line.send({ kind: 'signed', newDeviceSignature: add.newDeviceSignature })
    const { deviceSignature, token } = await line.receive('approval')
    const bundle = await context.device().bundle(sessionEnvironment(context))
    const registration: DeviceRegistration = {
      record: encodeRecord({ ...add, deviceSignature }),
      bundle: encodeBundle(bundle),
      token
    }
    const isForAccount = equalBytes(token.accountId, draft.accountId)
    if (!isForAccount) throw new PeerError('link-broken')
    await verifyDeviceRegistration(crypto, id, { registration, signer: old.keys.signingKey, now: timers.now() }).catch(
      brokenBy
    )
    const { accountId, displayName, name } = draft
    const account = { accountId, create: null, registered: true, displayName, deviceName: this.#deviceName, name }
    return { account, registration: encodeDeviceRegistration(registration), by, expiresAt: token.expiresAt }
  }
}

/** @throws PeerError `link-code` with what is wrong. */
function readCode(typed: string): LinkCode {
  try {
    return parseLinkCode(typed)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new PeerError('link-code', { fault: error.code === 'INVALID' ? 'word' : 'form' }, { cause: error })
  }
}

function notBroken(check: () => void): void {
  try {
    check()
  } catch (error) {
    brokenBy(error)
  }
}

function brokenBy(error: unknown): never {
  if (error instanceof ProtocolError) throw new PeerError('link-broken', {}, { cause: error })
  throw error
}
