import { concatBytes, equalBytes, fromHex, toHex, utf8 } from '../../protocol/bytes.ts'
import { decode } from '../../protocol/codec.ts'
import {
  isLinkedAccount,
  linkedAccountCodec,
  MAX_LINKED_ACCOUNT_BYTES,
  MAX_LINKED_ACCOUNTS,
  type LinkedAccount
} from '../../protocol/identity/linked-account.ts'
import { MAX_SIGN_IN_CODE_LENGTH } from '../../protocol/identity/registration.ts'
import { signInAddress } from '../account/registration.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { askNode, jsonOf } from '../network/node-http.ts'
import { nodeAt } from '../network/node-in-use.ts'
import { ObjectRefusal, type ObjectNode, type SignedRequests } from '../objects/signed-requests.ts'
import type { OwnLinkedAccount } from '../sending/profile.ts'
import type { HttpClient } from '../ports.ts'

const TIMEOUT_MS = 15_000
const MAX_ANSWER_BYTES = 4_096
const SECRET_BYTES = 32
/** Of the sign-in that was begun last: a code that comes back counts with it only. */
const SECRET = { space: 'account-linking' }

export interface AccountLinkingComponents {
  context: EngineContext
  fetch: HttpClient
  requests: SignedRequests
  /** Origin of the node in use: the sign-in begins and ends there. */
  network: { readonly entry: string }
  /** The own accounts elsewhere, and what changes them on all devices and for those who have the profile. */
  own: { accounts(): OwnLinkedAccount[]; change(accounts: OwnLinkedAccount[]): Promise<void> }
}

/** Links accounts elsewhere: signs in there through the node, as for a registration, and keeps the node's word. */
export class AccountLinking {
  readonly #components: AccountLinkingComponents

  constructor(components: AccountLinkingComponents) {
    this.#components = components
  }

  /** @returns the address to send the browser to. @throws PeerError `offline`, `refused`, `bad-answer`, `sign-in-unsafe`. */
  async start(provider: string, returnTo: string): Promise<string> {
    const { context, fetch, network } = this.#components
    const { signingKey, messagingKeyHash } = context.device().publicKeys
    const secret = context.random(SECRET_BYTES)
    await context.store.batch([{ ...SECRET, value: secret }])
    const begun = {
      signingKey: toHex(signingKey),
      messagingKeyHash: toHex(messagingKeyHash),
      returnTo,
      // The keys are public: without this anybody could begin a sign-in for this device, and send its owner the code.
      binding: toHex(context.crypto.sha256(secret))
    }
    const answer = await askNode(fetch, network.entry, `/v1/auth/${encodeURIComponent(provider)}/start`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(begun),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES
    })
    if (answer.status === 404) throw new PeerError('no-provider', { provider })
    if (!answer.ok) throw new PeerError('refused', { refusal: answer.status === 429 ? 'rate-limited' : 'internal' })
    const { url } = (jsonOf(answer) ?? {}) as { url?: unknown }
    if (typeof url !== 'string') throw new PeerError('bad-answer')
    return signInAddress(url, network.entry)
  }

  /** @throws PeerError `sign-in-failed`, `sign-in-elsewhere`, `too-many-accounts`, `offline`, `bad-answer`, `refused`. */
  async finish(code: string, isShown: boolean): Promise<void> {
    const { context, own, fetch, network } = this.#components
    if (code === '' || code.length > MAX_SIGN_IN_CODE_LENGTH) throw new PeerError('sign-in-failed')
    const secret = await context.store.get(SECRET)
    if (!secret) throw new PeerError('sign-in-elsewhere')
    const linked = await this.#wordOf(await nodeAt(fetch, network.entry), code, secret)
    await context.store.batch([{ ...SECRET, value: null }])
    const others = own.accounts().filter(each => each.linked.provider !== linked.provider)
    if (others.length >= MAX_LINKED_ACCOUNTS) throw new PeerError('too-many-accounts', { limit: MAX_LINKED_ACCOUNTS })
    await own.change([...others, { linked, isShown }])
  }

  async show(provider: string, isShown: boolean): Promise<void> {
    const { own } = this.#components
    await own.change(own.accounts().map(each => (each.linked.provider === provider ? { ...each, isShown } : each)))
  }

  async unlink(provider: string): Promise<void> {
    const { own } = this.#components
    await own.change(own.accounts().filter(({ linked }) => linked.provider !== provider))
  }

  /** Asks the node that began the sign-in for its word, which has to hold for this account. */
  async #wordOf(node: ObjectNode, code: string, secret: Uint8Array): Promise<LinkedAccount> {
    const { context, requests } = this.#components
    const headers = { 'content-type': 'application/octet-stream' }
    const call = {
      method: 'POST',
      path: '/v1/links',
      body: concatBytes(secret, utf8(code)),
      headers,
      maxBytes: MAX_ANSWER_BYTES
    }
    const answer = await requests.ask(node, call).catch((error: unknown) => {
      throw failureOf(error)
    })
    const { statement } = (jsonOf(answer) ?? {}) as { statement?: unknown }
    const linked = statementOf(statement)
    const { crypto, network, accountId } = context
    const isOurs = equalBytes(linked.nodeKey, node.key)
    if (isOurs && (await isLinkedAccount(crypto, network().id, accountId(), linked))) return linked
    throw new PeerError('bad-answer')
  }
}

function statementOf(statement: unknown): LinkedAccount {
  try {
    return decode(linkedAccountCodec, fromHex(statement as string), { maxBytes: MAX_LINKED_ACCOUNT_BYTES })
  } catch (cause) {
    throw new PeerError('bad-answer', {}, { cause })
  }
}

function failureOf(error: unknown): unknown {
  if (!(error instanceof ObjectRefusal)) return error
  if (error.code === 'bad-code') return new PeerError('sign-in-failed', {}, { cause: error })
  if (error.code === 'expired') return new PeerError('clock', {}, { cause: error })
  const refusal = error.code === 'rate-limited' ? 'rate-limited' : 'refused'
  return new PeerError('refused', { refusal }, { cause: error })
}
