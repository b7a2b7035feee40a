/**
 * Decides whether a run kept promises P1–P3 and P6: nothing acknowledged is lost, nothing is shown twice or out of its
 * sender's order, holes are visible, receipts are true, and what was let go of does not come back.
 *
 * It knows nothing of how the network works, only what was promised, so that it can be tested against histories of
 * broken networks (see test/unit/support/custody-checker.test.ts).
 */
import type {
  AcknowledgeEvent,
  DisplayEvent,
  GapEvent,
  History,
  ReceiptFact,
  RemovalEvent,
  SentEvent,
  SubmitEvent
} from './custody-history.ts'

export type Rule =
  | 'lost'
  | 'shown-twice'
  | 'shown-unsent'
  | 'out-of-order'
  | 'silent-gap'
  | 'shown-after-expiry'
  | 'too-few-receipts'
  | 'invalid-receipt'
  | 'receipt-without-custody'
  | 'returned-after-acknowledgement'
  | 'replicas-diverge'

export interface Violation {
  rule: Rule
  detail: string
}

export interface Verdict {
  violations: Violation[]
  /** What was checked, so that an empty run does not pass for a good one. */
  counts: { submitted: number; sent: number; displayed: number; acknowledged: number; faults: number; receipts: number }
}

/** Checks a finished run. */
export function checkHistory(history: History): Verdict {
  const index = new HistoryIndex(history)
  const violations = [
    ...checkCustody(history, index),
    ...checkDisplays(index),
    ...checkOrder(index),
    ...checkReceipts(history, index),
    ...checkAcknowledged(history, index),
    ...checkConvergence(history)
  ]
  return {
    violations,
    counts: {
      submitted: index.submits.size,
      sent: index.sent.size,
      displayed: index.displays.length,
      acknowledged: index.acknowledged.length,
      faults: history.events.filter(event => event.kind === 'fault').length,
      receipts: [...index.sent.values()].reduce((sum, event) => sum + event.receipts.length, 0)
    }
  }
}

/** The history's events by what they speak of. */
class HistoryIndex {
  readonly submits = new Map<string, SubmitEvent>()
  readonly sent = new Map<string, SentEvent>()
  readonly displays: DisplayEvent[] = []
  readonly gaps: GapEvent[] = []
  readonly acknowledged: AcknowledgeEvent[] = []
  readonly removals: RemovalEvent[] = []

  constructor(history: History) {
    for (const event of history.events) {
      if (event.kind === 'submit') this.submits.set(event.message, event)
      else if (event.kind === 'sent') this.sent.set(event.message, event)
      else if (event.kind === 'display') this.displays.push(event)
      else if (event.kind === 'gap') this.gaps.push(event)
      else if (event.kind === 'acknowledge') this.acknowledged.push(event)
      else if (event.kind === 'refused' || event.kind === 'evicted') this.removals.push(event)
    }
  }
}

/** Every *sent* message is shown once on every device, unless its time passed or a signed removal explains it. */
function checkCustody(history: History, index: HistoryIndex): Violation[] {
  const violations: Violation[] = []
  const shown = new Set(index.displays.map(event => `${event.message} ${event.device}`))
  for (const [message, sent] of index.sent) {
    const submit = index.submits.get(message)
    if (!submit) continue
    for (const device of submit.devices) {
      if (shown.has(`${message} ${device}`)) continue
      if (submit.expiry <= history.end) continue
      const ids = new Set(sent.receipts.filter(receipt => receipt.device === device).map(r => r.deliveryId))
      if (index.removals.some(removal => removal.device === device && ids.has(removal.deliveryId))) continue
      violations.push({ rule: 'lost', detail: `${message} was sent and never shown on ${device}` })
    }
  }
  return violations
}

function checkDisplays(index: HistoryIndex): Violation[] {
  const violations: Violation[] = []
  const seen = new Set<string>()
  for (const { message, device, at } of index.displays) {
    const submit = index.submits.get(message)
    if (!submit || !(submit.devices.includes(device) || submit.sender === device)) {
      violations.push({ rule: 'shown-unsent', detail: `${device} shows ${message}, which nobody sent to it` })
      continue
    }
    if (seen.has(`${message} ${device}`)) {
      violations.push({ rule: 'shown-twice', detail: `${device} shows ${message} more than once` })
    }
    seen.add(`${message} ${device}`)
    if (at > submit.expiry)
      violations.push({ rule: 'shown-after-expiry', detail: `${device} shows ${message} too late` })
  }
  return violations
}

/** Per device, sender and conversation: shown in the sender's order, and a hole only behind a visible gap. */
function checkOrder(index: HistoryIndex): Violation[] {
  const violations: Violation[] = []
  const threads = new Map<string, { submit: SubmitEvent; display: DisplayEvent }[]>()
  for (const display of index.displays) {
    const submit = index.submits.get(display.message)
    if (!submit || submit.sender === display.device) continue
    const key = `${display.device} ${submit.sender} ${submit.conversation}`
    threads.set(key, [...(threads.get(key) ?? []), { submit, display }])
  }
  for (const [key, entries] of threads) {
    const [device, sender, conversation] = key.split(' ') as [string, string, string]
    const gaps = index.gaps.filter(g => g.device === device && g.sender === sender && g.conversation === conversation)
    const present = new Set(entries.map(entry => entry.submit.sequence))
    let highest = 0
    for (const { submit, display } of entries) {
      // A late message fills its visible gap in place; without a gap it is out of order.
      if (submit.sequence < highest && !gaps.some(gap => gap.at <= display.at)) {
        violations.push({
          rule: 'out-of-order',
          detail: `${device} shows ${submit.message} after a later message of ${sender}`
        })
      }
      highest = Math.max(highest, submit.sequence)
    }
    for (let sequence = 1; sequence < highest; sequence++) {
      if (!present.has(sequence) && gaps.length === 0) {
        violations.push({
          rule: 'silent-gap',
          detail: `${device} misses message ${sequence} of ${sender} and shows no gap`
        })
      }
    }
  }
  return violations
}

function checkReceipts(history: History, index: HistoryIndex): Violation[] {
  const violations: Violation[] = []
  const everHeld = new Map(history.stores.map(store => [store.node, new Set(store.everHeld)]))
  const wiped = new Set(history.events.flatMap(e => (e.kind === 'fault' && e.fault === 'wipe' ? [e.node] : [])))
  const needed = Math.min(history.receiptsRequired, history.operators)
  for (const [message, { receipts }] of index.sent) {
    const submit = index.submits.get(message)
    for (const device of submit?.devices ?? []) {
      const own = receipts.filter(receipt => receipt.device === device)
      const operators = new Set(own.filter(receipt => isTrue(receipt, history)).map(receipt => receipt.operator))
      if (operators.size < needed) {
        const detail = `${message} counts as sent to ${device} on the word of ${operators.size} operators, ${needed} are needed`
        violations.push({ rule: 'too-few-receipts', detail })
      }
    }
    for (const receipt of receipts) {
      if (!isTrue(receipt, history)) {
        violations.push({ rule: 'invalid-receipt', detail: `${message}: receipt of ${receipt.node} does not verify` })
      } else if (!wiped.has(receipt.node) && everHeld.get(receipt.node)?.has(receipt.deliveryId) === false) {
        const detail = `${message}: ${receipt.node} signed a receipt and its disk never held the message`
        violations.push({ rule: 'receipt-without-custody', detail })
      }
    }
  }
  return violations
}

const isTrue = (receipt: ReceiptFact, history: History): boolean =>
  receipt.valid && receipt.replica && receipt.epoch === history.epoch

/** After healing no node may hold what its device has let go of. */
function checkAcknowledged(history: History, index: HistoryIndex): Violation[] {
  const gone = new Set(index.acknowledged.map(event => event.deliveryId))
  return history.stores.flatMap(store =>
    store.held
      .filter(item => gone.has(item.deliveryId))
      .map(item => ({
        rule: 'returned-after-acknowledgement' as const,
        detail: `${store.node} still holds ${item.deliveryId} of ${item.device}`
      }))
  )
}

/** Nodes that hold anything of a mailbox hold the same of it. */
function checkConvergence(history: History): Violation[] {
  const byDevice = new Map<string, Map<string, Set<string>>>()
  for (const store of history.stores) {
    for (const { device, deliveryId } of store.held) {
      const nodes = byDevice.get(device) ?? new Map<string, Set<string>>()
      byDevice.set(device, nodes)
      nodes.set(store.node, (nodes.get(store.node) ?? new Set()).add(deliveryId))
    }
  }
  const violations: Violation[] = []
  for (const [device, nodes] of byDevice) {
    const sizes = new Set([...nodes.values()].map(ids => [...ids].sort().join()))
    if (sizes.size > 1)
      violations.push({ rule: 'replicas-diverge', detail: `replicas of ${device} hold different messages` })
  }
  return violations
}
