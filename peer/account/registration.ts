/**
 * Sign-in and registration over HTTP (docs/http-api).
 *
 *     welcome ── startSignIn, finishSignIn ──▶ choose-name ── register ──▶ ready
 *
 * Keys are made before the sign-in, which is bound to them. The CREATE record is stored before it is handed in: an
 * answer that got lost is asked for again with the same record, and the same account comes back.
 */
import { deviceNameOf, UNNAMED_DEVICE } from '../../protocol/identity/device-name.ts'
import { fromHex, toHex } from '../../protocol/bytes.ts'
import { decode, encode, nullable, struct, text, type TypeOf } from '../../protocol/codec.ts'
import { cutText } from '../../protocol/graphemes.ts'
import { encodeBundle } from '../../protocol/identity/bundle.ts'
import { buildCreate, buildNameCommit } from '../../protocol/identity/build-record.ts'
import type { AccountId, RecordId } from '../../protocol/identity/device.ts'
import { displayNameOrEmpty, parseDisplayName } from '../../protocol/identity/display-name.ts'
import { NAME_SALT_BYTES, nameCommitment } from '../../protocol/identity/name-commitment.ts'
import { decodeRecord, encodeRecord, recordIdOf } from '../../protocol/identity/record.ts'
import {
  encodeRegistration,
  MAX_SIGN_IN_CODE_LENGTH,
  signDeviceChallenge
} from '../../protocol/identity/registration.ts'
import { nameTagOf, type Username } from '../../protocol/identity/username.ts'
import { PeerError } from '../errors.ts'
import type { SignInProvider, WalletAnswer, WalletChallenge } from '../peer-api.ts'
import type { HttpClient } from '../ports.ts'
import { isLoopback } from '../network/node-address.ts'
import { askNode, jsonOf, type NodeAnswer } from '../network/node-http.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import { loadOwnAccount, ownAccountChange, type OwnAccount } from '../store/own-account.ts'

const HTTP_TIMEOUT_MS = 10_000
const SIGN_IN = { space: 'sign-in' }
const MAX_SUGGESTED_NAME = 64
/** Longest text that a wallet is asked to sign. */
const MAX_WALLET_TEXT = 2_000
const signInCodec = struct({ code: text(MAX_SIGN_IN_CODE_LENGTH), suggestedName: nullable(text(MAX_SUGGESTED_NAME)) })

/** A sign-in that the node has taken and that no registration has used yet. */
export type FinishedSignIn = TypeOf<typeof signInCodec>

/** What a person chose for a new account. */
interface Choice {
  username: Username
  displayName: string
  deviceName: string
}

export class Registration {
  readonly #context: EngineContext
  readonly #fetch: HttpClient
  readonly #origin: () => string
  #registering: Promise<OwnAccount> | undefined

  constructor(context: EngineContext, fetch: HttpClient, origin: () => string) {
    this.#context = context
    this.#fetch = fetch
    this.#origin = origin
  }

  async providers(): Promise<SignInProvider[]> {
    const { providers } = (await this.#get('/v1/auth/providers')) as { providers?: unknown }
    if (!Array.isArray(providers)) throw this.#unexpected()
    return providers.slice(0, 20).map((item: Record<string, unknown>) => ({
      id: String(item['id']),
      name: String(item['name']),
      demo: item['demo'] === true,
      kind: item['kind'] === 'wallet' ? 'wallet' : 'page'
    }))
  }

  /** @returns the address to send the browser to. */
  async startSignIn(provider: string, returnTo: string): Promise<string> {
    const body = { ...this.#keys(), returnTo }
    const { url } = (await this.#post(`/v1/auth/${encodeURIComponent(provider)}/start`, body)) as { url?: unknown }
    if (typeof url !== 'string') throw this.#unexpected()
    return signInAddress(url, this.#origin())
  }

  /** @param address - raw address of the wallet, hex. */
  async startWalletSignIn(address: string): Promise<WalletChallenge> {
    const body = { ...this.#keys(), address }
    const answer = (await this.#post('/v1/auth/wallet/challenge', body)) as { nonce?: unknown; payload?: unknown }
    const { nonce, payload } = answer
    const isText = typeof payload === 'string' && payload.length <= MAX_WALLET_TEXT
    if (typeof nonce !== 'string' || !isText) throw this.#unexpected()
    return { nonce, payload }
  }

  /** @returns the one-time code of the sign-in. */
  async finishWalletSignIn(answer: WalletAnswer): Promise<string> {
    const body = { ...this.#keys(), ...answer }
    const { code } = (await this.#post('/v1/auth/wallet/finish', body).catch((error: unknown) => {
      const isRefused = error instanceof PeerError && error.code === 'refused' && error.facts['refusal'] === 'refused'
      throw isRefused ? new PeerError('sign-in-failed', {}, { cause: error }) : error
    })) as { code?: unknown }
    if (typeof code !== 'string') throw this.#unexpected()
    return code
  }

  #keys(): { signingKey: string; messagingKeyHash: string } {
    const { signingKey, messagingKeyHash } = this.#context.device().publicKeys
    return { signingKey: toHex(signingKey), messagingKeyHash: toHex(messagingKeyHash) }
  }

  /**
   * Believes a code only once the node says that it is good for this device: an address with any other code, which anybody
   * can write into a link, must not leave a half-finished sign-in behind.
   */
  async finishSignIn(code: string): Promise<FinishedSignIn> {
    if (code === '' || code.length > MAX_SIGN_IN_CODE_LENGTH) {
      throw new PeerError('sign-in-failed')
    }
    const body = { ...this.#keys(), code }
    const { suggestedName } = (await this.#post('/v1/auth/codes', body)) as { suggestedName?: unknown }
    const name = typeof suggestedName === 'string' ? cutText(suggestedName.toWellFormed(), MAX_SUGGESTED_NAME) : null
    const finished = { code, suggestedName: name }
    await this.#context.store.batch([{ ...SIGN_IN, value: encode(signInCodec, finished) }])
    return finished
  }

  /** A finished sign-in that was not used yet. What cannot be read counts as none: signing in again replaces it. */
  async finishedSignIn(): Promise<FinishedSignIn | undefined> {
    const bytes = await this.#context.store.get(SIGN_IN)
    try {
      return bytes && decode(signInCodec, bytes, { maxBytes: 1024 })
    } catch {
      return undefined
    }
  }

  /** Back to the beginning of a sign-in. */
  async forgetSignIn(): Promise<void> {
    await this.#context.store.batch([{ ...SIGN_IN, value: null }])
  }

  /** Hands in account, device and the commitment to a name. @returns the account, stored as registered. */
  register(choice: Choice): Promise<OwnAccount> {
    // Twice at once is once: a second salt would be stored over the one that the first commitment needs.
    this.#registering ??= this.#register(choice).finally(() => (this.#registering = undefined))
    return this.#registering
  }

  async #register(choice: Choice): Promise<OwnAccount> {
    // Before anything is handed in: a name that others would refuse is refused here, with the reason.
    ownDisplayName(choice)
    const signIn = await this.finishedSignIn()
    if (signIn === undefined) throw new PeerError('sign-in-failed')
    const context = this.#context
    const env = sessionEnvironment(context)
    const { id } = context.network()
    const device = context.device()
    const prepared = await this.#prepare(choice)
    const create = decodeRecord(prepared.create)
    const recordId = recordIdOf(context.crypto, id, create)
    const { tag, salt } = prepared.name!
    const commitment = nameCommitment(context.crypto, id, tag, prepared.accountId, salt)
    const signer = { key: device.signingKey, deviceId: device.deviceId, prev: recordId, time: context.timers.now() }
    const nameCommit = encodeRecord(await buildNameCommit(id, signer, commitment))
    const bundle = await device.bundle(env)
    const { nonce, nodeKey } = await this.#challenge()
    const body = encodeRegistration({
      nonce,
      signature: await signDeviceChallenge(id, device.signingKey, {
        nodeKey,
        nonce,
        deviceId: device.deviceId,
        recordId
      }),
      record: prepared.create,
      bundle: encodeBundle(bundle),
      signInCode: signIn.code,
      nameCommit
    })
    try {
      await this.#handIn(body, prepared.accountId)
    } catch (error) {
      // A used or outdated code never works again: back to the sign-in.
      if (error instanceof PeerError && error.code === 'sign-in-failed') await this.forgetSignIn()
      throw error
    }
    const registered = { ...prepared, registered: true }
    await context.store.batch([ownAccountChange(registered), { ...SIGN_IN, value: null }])
    await device.notePublished(bundle)
    return registered
  }

  /** The account to be, with its CREATE record: made once, kept over failures. */
  async #prepare(choice: Choice): Promise<OwnAccount & { create: Uint8Array }> {
    const { crypto, store, timers, random, ...context } = this.#context
    const { id, genesis } = context.network()
    const existing = await loadOwnAccount(store)
    const { signingKey, publicKeys } = context.device()
    const create =
      existing?.create ??
      encodeRecord(
        await buildCreate(id, signingKey, {
          messagingKeyHash: publicKeys.messagingKeyHash,
          recoveryKey: null,
          time: timers.now()
        })
      )
    const accountId = recordIdOf(crypto, id, decodeRecord(create)) as RecordId as Uint8Array as AccountId
    const tag = await nameTagOf(crypto, id, genesis, choice.username)
    const account: OwnAccount & { create: Uint8Array } = {
      accountId,
      create,
      registered: false,
      displayName: ownDisplayName(choice),
      deviceName: deviceNameOf(choice.deviceName) || UNNAMED_DEVICE,
      name: { username: choice.username, tag, salt: random(NAME_SALT_BYTES), state: 'reserving' }
    }
    await store.batch([ownAccountChange(account)])
    return account
  }

  async #challenge(): Promise<{ nonce: Uint8Array; nodeKey: Uint8Array }> {
    const [challenge, network] = (await Promise.all([
      this.#post('/v1/device-challenge', {}),
      this.#get('/v1/network')
    ])) as [{ nonce?: unknown }, { node?: unknown }]
    if (typeof challenge.nonce !== 'string' || typeof network.node !== 'string') throw this.#unexpected()
    return { nonce: fromHex(challenge.nonce, 32), nodeKey: fromHex(network.node, 32) }
  }

  async #handIn(body: Uint8Array, accountId: AccountId): Promise<void> {
    const answer = await this.#send('/v1/registrations', {
      method: 'POST',
      headers: { 'content-type': 'application/cbor' },
      body: body as Uint8Array<ArrayBuffer>
    })
    const json = factsOf(answer)
    if (answer.ok && json['accountId'] === toHex(accountId)) return
    // Our own earlier attempt: the answer was lost, the registration was not.
    if (answer.status === 409 && (json['accountId'] === toHex(accountId) || json['error'] === 'already-registered'))
      return
    throw failureOf(answer.status, json)
  }

  async #get(path: string): Promise<unknown> {
    return this.#json(path, {})
  }

  async #post(path: string, body: object): Promise<unknown> {
    return this.#json(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
  }

  async #json(path: string, init: Omit<RequestInit, 'signal'>): Promise<unknown> {
    const answer = await this.#send(path, init)
    if (!answer.ok) throw failureOf(answer.status, factsOf(answer))
    const json = jsonOf(answer)
    if (json === undefined || json === null) throw this.#unexpected()
    return json
  }

  #send(path: string, init: Omit<RequestInit, 'signal'>): Promise<NodeAnswer> {
    return askNode(this.#fetch, this.#origin(), path, { ...init, timeoutMs: HTTP_TIMEOUT_MS })
  }

  /** The node answers, but with something else: it may be of another version. */
  #unexpected(): PeerError {
    return new PeerError('not-a-node', { origin: this.#origin() })
  }
}

/** What an answer says, empty if it says nothing that can be read. */
function factsOf(answer: NodeAnswer): Record<string, unknown> {
  return (jsonOf(answer) ?? {}) as Record<string, unknown>
}

/** A node's refusal of an HTTP request, by its stable code. Its text is left out: a hostile node writes what it likes. */
function failureOf(status: number, json: Record<string, unknown>): PeerError {
  const code = json['error']
  if (code === 'bad-code') return new PeerError('sign-in-failed')
  if (code === 'already-registered') return new PeerError('already-registered')
  if (code === 'expired') return new PeerError('clock')
  const isBusy = code === 'rate-limited' || status === 429
  return new PeerError('refused', { refusal: isBusy ? 'rate-limited' : status >= 500 ? 'internal' : 'refused' })
}

/**
 * The page to sign in at: anywhere over https, over http only at the node itself or on this machine, and never a script.
 * @throws PeerError `sign-in-unsafe`.
 */
export function signInAddress(url: string, origin: string): string {
  const node = new URL(origin)
  const address = URL.canParse(url, origin) ? new URL(url, origin) : undefined
  const isNear =
    address?.origin === node.origin || (address && isLoopback(address.hostname) && isLoopback(node.hostname))
  if (address?.protocol === 'https:' || (address?.protocol === 'http:' && isNear)) return address.href
  throw new PeerError('sign-in-unsafe')
}

/** The name in its normal form. Without one, people see the username. @throws PeerError `display-name` if the rule refuses it. */
function ownDisplayName({ username, displayName }: { username: Username; displayName: string }): string {
  if (displayName.trim() === '' || displayName === username) return displayNameOrEmpty(username)
  const { name, fault } = parseDisplayName(displayName)
  if (fault !== null) throw new PeerError('display-name', { fault })
  return name
}
