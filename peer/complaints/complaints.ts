import { equalBytes, toHex } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { complaintKey, judgeComplaint, type Complaint } from '../../protocol/wire/complaint.ts'
import { complaintText, readComplaint } from '../../protocol/wire/complaint-file.ts'
import { custodyLeaf, verifyReceipt, type DeliveryReceipt, type Denial } from '../../protocol/wire/custody.ts'
import {
  decodeCustodyAnswer,
  encodeCustodyQuestion,
  MAX_ANSWER_BYTES,
  MAX_QUESTIONED_DELIVERIES,
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
    const views: PromiseView[] = []
    // One question after another: a message to a large group has hundreds of promises.
    for (const some of questionsOf(promised)) views.push(...(await this.#checkSome(some)))
    return views
  }

  async list(): Promise<ComplaintView[]> {
    const kept = await this.#components.states.all('complaint', complaintEntry)
    const views = await Promise.all(kept.map(({ text }) => this.#view(readComplaint(text))))
    return views.sort((a, b) => b.deniedAt - a.deniedAt)
  }

  /** @param some - promises of one node, about one shard of one list. */
  async #checkSome(some: Promised[]): Promise<PromiseView[]> {
    const { receipt } = some[0]!.proof
    const node = this.#components.context.network().epoch.nodes.find(({ key }) => equalBytes(key, receipt.node))
    const answer = node && (await this.#ask(node, some))
    const denials = new Map(answer?.denied.map(({ index, denial }) => [index, denial]))
    const held = some.filter((_, index) => !denials.has(index))
    const isSigned = answer !== undefined && (await this.#isSignedAgain(held, answer))
    return Promise.all(
      some.map(async (promise, index) => ({
        node: toHex(receipt.node),
        operator: node ? toHex(node.operator) : '',
        mailbox: toHex(promise.mailbox),
        deliveryId: toHex(promise.id),
        promisedAt: promise.proof.receipt.time,
        ...(await this.#judge(promise, denials.get(index), isSigned))
      }))
    )
  }

  /** @returns undefined if the node does not answer as it should: a promise is broken by its own signature only. */
  async #ask({ url }: ListedNode, some: Promised[]): Promise<CustodyAnswer | undefined> {
    const { fetch, context } = this.#components
    const { epoch, shard } = some[0]!.proof.receipt
    const deliveries = some.map(({ mailbox, id, expiry }) => ({ mailbox, id, expiry }))
    const body = Uint8Array.from(encodeCustodyQuestion({ epoch, shard, deliveries }))
    try {
      const answer = await askNode(fetch, url, '/v1/custody', {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body,
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

  async #judge(
    promise: Promised,
    denial: Denial | undefined,
    isSigned: boolean
  ): Promise<Pick<PromiseView, 'state' | 'sentence'>> {
    const { crypto, network, timers } = this.#components.context
    if (denial === undefined) return { state: isSigned ? 'kept' : 'silent', sentence: null }
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

  /** Whether the node signed for exactly these deliveries, in the order of the question. */
  async #isSignedAgain(held: Promised[], { receipt }: CustodyAnswer): Promise<boolean> {
    const { crypto, network } = this.#components.context
    const [first] = held
    if (receipt === null || first === undefined || !equalBytes(receipt.node, first.proof.receipt.node)) return false
    const leaves = held.map(({ id, mailbox, expiry }) => custodyLeaf(id, mailbox, expiry))
    return equalBytes(receipt.root, merkleRoot(crypto, leaves)) && verifyReceipt(crypto, network().id, receipt)
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

/** Promises that one question may be about, as many together as a node answers. */
function questionsOf(promised: Promised[]): Promised[][] {
  const groups = Map.groupBy(promised, ({ proof: { receipt } }) =>
    [toHex(receipt.node), receipt.epoch, receipt.shard].join('/')
  )
  return [...groups.values()].flatMap(group =>
    Array.from({ length: Math.ceil(group.length / MAX_QUESTIONED_DELIVERIES) }, (_, i) =>
      group.slice(i * MAX_QUESTIONED_DELIVERIES, (i + 1) * MAX_QUESTIONED_DELIVERIES)
    )
  )
}
