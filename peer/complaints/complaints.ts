import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { complaintKey, judgeComplaint, type Complaint } from '../../protocol/wire/complaint.ts'
import { complaintText, readComplaint } from '../../protocol/wire/complaint-file.ts'
import { custodyLeaf, verifyReceipt, type DeliveryReceipt } from '../../protocol/wire/custody.ts'
import {
  decodeCustodyAnswer,
  encodeCustodyQuestion,
  MAX_ANSWER_BYTES,
  type CustodyAnswer
} from '../../protocol/wire/custody-question.ts'
import type { DeliveryReference } from '../../protocol/wire/node-frames.ts'
import { merkleRoot } from '../../protocol/wire/merkle.ts'
import type { ListedNode } from '../../protocol/wire/placement.ts'
import type { EngineContext } from '../engine-context.ts'
import { PeerError } from '../errors.ts'
import { askNode } from '../network/node-http.ts'
import type { ComplaintsApi, ComplaintView, PromiseView } from '../peer-api.ts'
import type { HttpClient } from '../ports.ts'
import type { ShownId } from '../store/conversation-entries.ts'
import { complaintEntry, receiptsEntry, slots } from '../store/store-layout.ts'
import type { StateStore } from '../store/state-store.ts'

const TIMEOUT_MS = 10_000
/** Nodes that a complaint is handed to: each publishes it to everybody. */
const PUBLISHED_AT = 4

export interface ComplaintsComponents {
  context: Pick<EngineContext, 'crypto' | 'network' | 'timers' | 'log'>
  states: StateStore
  fetch: HttpClient
}

interface Promised extends DeliveryReference {
  proof: DeliveryReceipt
}

/** Asks nodes about what they signed for, and keeps the proof of those that broke their word. */
export class Complaints implements ComplaintsApi {
  readonly #components: ComplaintsComponents

  constructor(components: ComplaintsComponents) {
    this.#components = components
  }

  async check(messageId: string): Promise<PromiseView[]> {
    const entries = await this.#components.states.range('receipts', messageId as ShownId, receiptsEntry)
    const promised: Promised[] = entries
      .flatMap(({ value }) => value)
      // Earlier versions did not keep the expiry, without which nothing can be asked.
      .flatMap(({ mailbox, id, expiry, receipts }) =>
        expiry === null ? [] : receipts.map(proof => ({ mailbox, id, expiry, proof }))
      )
    return Promise.all(promised.map(promise => this.#checkOne(promise)))
  }

  async list(): Promise<ComplaintView[]> {
    const kept = await this.#components.states.all('complaint', complaintEntry)
    const views = await Promise.all(kept.map(({ text }) => this.#view(readComplaint(text))))
    return views.sort((a, b) => b.deniedAt - a.deniedAt)
  }

  async #checkOne(promise: Promised): Promise<PromiseView> {
    const { receipt } = promise.proof
    const node = this.#components.context.network().epoch.nodes.find(({ key }) => equalBytes(key, receipt.node))
    const view = {
      node: toHex(receipt.node),
      operator: node ? toHex(node.operator) : '',
      mailbox: toHex(promise.mailbox),
      deliveryId: toHex(promise.id),
      promisedAt: receipt.time
    }
    const answer = node && (await this.#ask(node, promise))
    return { ...view, ...(await this.#judge(promise, answer)) }
  }

  /** @returns undefined if the node does not answer as it should: a promise is broken by its own signature only. */
  async #ask({ url }: ListedNode, { mailbox, id, expiry, proof }: Promised): Promise<CustodyAnswer | undefined> {
    const { fetch, context } = this.#components
    const { epoch, shard } = proof.receipt
    const question = encodeCustodyQuestion({ epoch, shard, deliveries: [{ mailbox, id, expiry }] })
    try {
      const init = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: Uint8Array.from(question) }
      const answer = await askNode(fetch, url, '/v1/custody', {
        ...init,
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_ANSWER_BYTES
      })
      return answer.ok ? decodeCustodyAnswer(answer.bytes) : undefined
    } catch (error) {
      if (!(error instanceof PeerError || error instanceof ProtocolError)) throw error
      context.log.debug('a node does not say whether it holds a message', { node: url, reason: error.message })
      return undefined
    }
  }

  async #judge(promise: Promised, answer: CustodyAnswer | undefined): Promise<Pick<PromiseView, 'state' | 'sentence'>> {
    const { crypto, network, timers } = this.#components.context
    const denial = answer?.denied[0]?.denial
    if (answer === undefined || denial === undefined) {
      return { state: answer && (await this.#isSignedAgain(promise, answer)) ? 'kept' : 'silent', sentence: null }
    }
    const { mailbox, id, expiry, proof } = promise
    const complaint: Complaint = { network: network().id, mailbox, id, expiry, receipt: proof, denial }
    const verdict = await judgeComplaint(crypto, complaint, { now: timers.now() })
    if (verdict.holds) {
      await this.#keep(complaint)
      return { state: 'broken', sentence: verdict.sentence }
    }
    const isEnded = verdict.fault === 'allowed' || verdict.fault === 'denied-after-expiry'
    return { state: isEnded ? 'ended' : 'unclear', sentence: verdict.sentence }
  }

  async #isSignedAgain({ mailbox, id, expiry, proof }: Promised, { receipt }: CustodyAnswer): Promise<boolean> {
    const { crypto, network } = this.#components.context
    if (receipt === null || !equalBytes(receipt.node, proof.receipt.node)) return false
    if (!equalBytes(receipt.root, merkleRoot(crypto, [custodyLeaf(id, mailbox, expiry)]))) return false
    return verifyReceipt(crypto, network().id, receipt)
  }

  /** On disk first: what is published and lost here could not be shown again. */
  async #keep(complaint: Complaint): Promise<void> {
    const { states, context, fetch } = this.#components
    const text = complaintText(complaint)
    await states.unit(async unit => unit.write(slots.complaint(complaintKey(complaint)), { text }))
    const accused = complaint.receipt.receipt.node
    const others = context.network().epoch.nodes.filter(({ key }) => !equalBytes(key, accused))
    const init = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: text, timeoutMs: TIMEOUT_MS }
    await Promise.all(
      others.slice(0, PUBLISHED_AT).map(({ url }) =>
        askNode(fetch, url, '/v1/complaints', init).catch((error: Error) => {
          context.log.debug('a complaint was not published', { node: url, reason: error.message })
        })
      )
    )
  }

  async #view(complaint: Complaint): Promise<ComplaintView> {
    const { crypto, timers } = this.#components.context
    const { sentence } = await judgeComplaint(crypto, complaint, { now: timers.now() })
    const { receipt, denial, mailbox, id } = complaint
    return {
      node: toHex(receipt.receipt.node),
      mailbox: toHex(mailbox),
      deliveryId: toHex(id),
      promisedAt: receipt.receipt.time,
      deniedAt: denial.time,
      sentence,
      text: complaintText(complaint)
    }
  }
}
