import { toHex } from '../../protocol/bytes.ts'
import type { InviteHash, InviteToken } from '../../protocol/invite/invite-link.ts'
import { PeerError } from '../errors.ts'
import { askNode, jsonOf, type NodeAnswer, type NodeQuestion } from '../network/node-http.ts'
import type { HttpClient } from '../ports.ts'

const TIMEOUT_MS = 15_000
/** The node waits for a mail server. */
const MAIL_TIMEOUT_MS = 45_000

/** Asks a node about invitations; docs/http-api.md has the routes. */
export class InviteClient {
  readonly #fetch: HttpClient

  constructor(fetch: HttpClient) {
    this.#fetch = fetch
  }

  /** @param statement - encoded. @throws PeerError `offline`, `refused`. */
  async publish(origin: string, statement: Uint8Array): Promise<void> {
    await this.#ask(origin, '/v1/invites', cbor(statement, TIMEOUT_MS))
  }

  /** @param mail - encoded. @throws PeerError `invite-no-mail`, `mail-address`, `offline`, `refused`. */
  async mail(origin: string, mail: Uint8Array): Promise<void> {
    await this.#ask(origin, '/v1/invites/mail', cbor(mail, MAIL_TIMEOUT_MS))
  }

  /** @throws PeerError `offline`, `bad-answer`, `refused`. */
  async canMail(origin: string): Promise<boolean> {
    const { offered } = (jsonOf(await this.#ask(origin, '/v1/invites/mail', get)) ?? {}) as { offered?: unknown }
    if (typeof offered === 'boolean') return offered
    throw new PeerError('bad-answer')
  }

  /** When an invitation ends. @throws PeerError `invite-over`, `offline`, `bad-answer`, `refused`. */
  async look(origin: string, hash: InviteHash): Promise<number> {
    const answer = jsonOf(await this.#ask(origin, `/v1/invites/${toHex(hash)}`, get))
    const { expiresAt } = (answer ?? {}) as { expiresAt?: unknown }
    if (Number.isSafeInteger(expiresAt)) return expiresAt as number
    throw new PeerError('bad-answer')
  }

  /** @param attempt - the same again counts once. @throws PeerError `invite-over`, `offline`, `refused`. */
  async accept(origin: string, hash: InviteHash, token: InviteToken, attempt: Uint8Array): Promise<void> {
    await this.#ask(origin, `/v1/invites/${toHex(hash)}/accept`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: toHex(token), attempt: toHex(attempt) }),
      timeoutMs: TIMEOUT_MS
    })
  }

  async #ask(origin: string, path: string, question: NodeQuestion): Promise<NodeAnswer> {
    const answer = await askNode(this.#fetch, origin, path, question)
    if (!answer.ok) throw failureOf(answer)
    return answer
  }
}

const get = { timeoutMs: TIMEOUT_MS }

const cbor = (body: Uint8Array, timeoutMs: number): NodeQuestion => ({
  method: 'POST',
  headers: { 'content-type': 'application/cbor' },
  body: body as Uint8Array<ArrayBuffer>,
  timeoutMs
})

/** A node's refusal by its stable code. Its text is left out: a hostile node writes what it likes. */
function failureOf(answer: NodeAnswer): PeerError {
  const { error } = (jsonOf(answer) ?? {}) as { error?: unknown }
  if (error === 'not-found') return new PeerError('invite-over')
  if (error === 'no-mail') return new PeerError('invite-no-mail')
  if (error === 'malformed') return new PeerError('mail-address')
  const refusal = answer.status === 429 ? 'rate-limited' : answer.status >= 500 ? 'internal' : 'refused'
  return new PeerError('refused', { refusal })
}
