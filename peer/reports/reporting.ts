/** Reports of people to the operator of the node in use. They leave the device as the user wrote and chose them, readable for that operator. */
import { equalBytes } from '../../protocol/bytes.ts'
import { encode } from '../../protocol/codec.ts'
import { cutText } from '../../protocol/graphemes.ts'
import { MAX_REPORT_MESSAGES, MAX_REPORT_TEXT_UNITS, reportCodec, type Report } from '../../protocol/reports/report.ts'
import { accountIdFromHex } from '../directory/known-account.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { nodeAt } from '../network/node-in-use.ts'
import { ObjectRefusal, type SignedRequests } from '../objects/signed-requests.ts'
import type { ChatMessage, PersonReport } from '../peer-api.ts'
import type { HttpClient } from '../ports.ts'

export interface ReportingComponents {
  context: EngineContext
  fetch: HttpClient
  requests: SignedRequests
  /** Origin of the node in use: its operator gets the report. */
  network: { readonly entry: string }
  messages: { find(id: string): Promise<ChatMessage | null> }
}

export class Reporting {
  readonly #components: ReportingComponents

  constructor(components: ReportingComponents) {
    this.#components = components
  }

  /**
   * @returns origin of the node whose operator has the report.
   * @throws PeerError `own-account`, `message-too-long`, `too-many-messages`, `no-message`, `offline`, `refused`, `clock`.
   */
  async report(account: string, { text, messages }: PersonReport): Promise<{ origin: string }> {
    const { context, fetch, requests, network } = this.#components
    const about = accountIdFromHex(account)
    if (equalBytes(about, context.accountId())) throw new PeerError('own-account')
    if (text.length > MAX_REPORT_TEXT_UNITS) {
      throw new PeerError('message-too-long', { length: text.length, limit: MAX_REPORT_TEXT_UNITS })
    }
    if (messages.length > MAX_REPORT_MESSAGES) throw new PeerError('too-many-messages', { limit: MAX_REPORT_MESSAGES })
    const said = await Promise.all(messages.map(id => this.#said(id)))
    const body = encode(reportCodec, { version: 1, about, text: text.toWellFormed(), messages: said })
    const origin = network.entry
    const headers = { 'content-type': 'application/cbor' }
    const call = { method: 'POST', path: '/v1/reports', body, headers }
    await requests.ask(await nodeAt(fetch, origin), call).catch((error: unknown) => {
      throw failureOf(error)
    })
    return { origin }
  }

  async #said(id: string): Promise<Report['messages'][number]> {
    const message = await this.#components.messages.find(id)
    if (!message) throw new PeerError('no-message')
    const { from, sentAt, text, file } = message
    const words = [...(file ? [`[${file.name}]`] : []), text].filter(part => part !== '').join(' ')
    return { from: accountIdFromHex(from), sentAt, text: cutText(words.toWellFormed(), MAX_REPORT_TEXT_UNITS) }
  }
}

function failureOf(error: unknown): unknown {
  if (!(error instanceof ObjectRefusal)) return error
  if (error.code === 'expired') return new PeerError('clock', {}, { cause: error })
  const refusal = error.code === 'rate-limited' ? 'rate-limited' : error.code === 'busy' ? 'busy' : 'refused'
  return new PeerError('refused', { refusal }, { cause: error })
}
