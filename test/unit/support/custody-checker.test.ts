import { describe, expect, it } from 'vitest'
import { checkHistory, type Rule } from '../../support/custody-checker.ts'
import type {
  DisplayEvent,
  History,
  HistoryEvent,
  ReceiptFact,
  SentEvent,
  StoreDump
} from '../../support/custody-history.ts'

const NODES = ['n1', 'n2', 'n3']
const BOB = 'bob-phone'

/** Three messages of Ada to Bob's one device, each held by two operators, shown once, acknowledged. */
function goodRun(): History {
  const events: HistoryEvent[] = []
  for (let sequence = 1; sequence <= 3; sequence++) {
    const message = `m${sequence}`
    const at = sequence * 10
    events.push({
      kind: 'submit',
      at,
      message,
      sender: 'ada-laptop',
      conversation: 'c',
      sequence,
      devices: [BOB],
      expiry: 9e9
    })
    events.push({ kind: 'sent', at: at + 1, message, receipts: [receipt('n1', sequence), receipt('n2', sequence)] })
    events.push({ kind: 'display', at: at + 2, device: BOB, message })
    events.push({ kind: 'acknowledge', at: at + 3, device: BOB, deliveryId: `d${sequence}` })
  }
  const everHeld = ['d1', 'd2', 'd3']
  const stores = NODES.map((node): StoreDump => ({ node, held: [], tombstones: everHeld, everHeld }))
  return { events, stores, operators: 3, receiptsRequired: 2, epoch: 0, end: 1000 }
}

function receipt(node: string, sequence: number): ReceiptFact {
  return { node, operator: `op-${node}`, epoch: 0, device: BOB, deliveryId: `d${sequence}`, valid: true, replica: true }
}

const rulesBroken = (history: History): Rule[] => [...new Set(checkHistory(history).violations.map(v => v.rule))]
const sentOf = (history: History, message: string): SentEvent =>
  history.events.find((e): e is SentEvent => e.kind === 'sent' && e.message === message)!
const without = (history: History, drop: (event: HistoryEvent) => boolean): History => ({
  ...history,
  events: history.events.filter(event => !drop(event))
})
const isDisplay = (message: string) => (event: HistoryEvent) => event.kind === 'display' && event.message === message

describe('the custody checker', () => {
  it('passes a run that kept every promise, and says how much it saw', () => {
    const verdict = checkHistory(goodRun())
    expect(verdict.violations).toEqual([])
    expect(verdict.counts).toEqual({ submitted: 3, sent: 3, displayed: 3, acknowledged: 3, faults: 0, receipts: 6 })
  })

  it('catches a network that is content with one receipt', () => {
    const history = goodRun()
    sentOf(history, 'm2').receipts.pop()
    expect(rulesBroken(history)).toEqual(['too-few-receipts'])
  })

  it('does not count two receipts of one operator as two', () => {
    const history = goodRun()
    sentOf(history, 'm2').receipts[1]!.operator = 'op-n1'
    expect(rulesBroken(history)).toEqual(['too-few-receipts'])
  })

  it('accepts one receipt where the network lists one operator', () => {
    const history = { ...goodRun(), operators: 1 }
    sentOf(history, 'm2').receipts.pop()
    expect(rulesBroken(history)).toEqual([])
  })

  it('catches a message that was acknowledged to its sender before it was kept, and lost', () => {
    const history = without(goodRun(), isDisplay('m3'))
    expect(rulesBroken(history)).toEqual(['lost'])
  })

  it('catches a receipt of a node whose disk never held the message, as an unsynced write leaves it', () => {
    const history = goodRun()
    history.stores[1]!.everHeld = ['d1', 'd3']
    expect(rulesBroken(history)).toEqual(['receipt-without-custody'])
  })

  it('catches an acknowledged message that a node still holds', () => {
    const history = goodRun()
    history.stores[2]!.held.push({ device: BOB, deliveryId: 'd1' })
    expect(rulesBroken(history)).toEqual(['returned-after-acknowledgement'])
  })

  it('catches a message shown twice', () => {
    const history = goodRun()
    const again = history.events.find(isDisplay('m1')) as DisplayEvent
    history.events.push({ ...again, at: 500 })
    expect(rulesBroken(history)).toContain('shown-twice')
  })

  it('catches a message shown after a later one of the same sender', () => {
    const history = goodRun()
    const late = history.events.find(isDisplay('m1')) as DisplayEvent
    const reordered = without(history, isDisplay('m1'))
    reordered.events.push({ ...late, at: 500 })
    expect(rulesBroken(reordered)).toEqual(['out-of-order'])
  })

  it('lets a late message fill a gap that was visible', () => {
    const history = goodRun()
    const late = history.events.find(isDisplay('m1')) as DisplayEvent
    const reordered = without(history, isDisplay('m1'))
    reordered.events.push({ kind: 'gap', at: 20, device: BOB, sender: 'ada-laptop', conversation: 'c' })
    reordered.events.push({ ...late, at: 500 })
    expect(rulesBroken(reordered)).toEqual([])
  })

  it('catches a hole that nobody can see, even if the message was never acknowledged as sent', () => {
    const history = without(
      goodRun(),
      event => isDisplay('m2')(event) || (event.kind === 'sent' && event.message === 'm2')
    )
    expect(rulesBroken(history)).toEqual(['silent-gap'])
  })

  it('catches something shown that nobody sent', () => {
    const history = goodRun()
    history.events.push({ kind: 'display', at: 99, device: BOB, message: 'forged' })
    expect(rulesBroken(history)).toEqual(['shown-unsent'])
  })

  it('catches a message shown after its time', () => {
    const history = goodRun()
    for (const event of history.events) if (event.kind === 'submit') event.expiry = 11
    expect(rulesBroken(history)).toContain('shown-after-expiry')
  })

  it('excuses a missing message only with a signed removal of that delivery', () => {
    const history = without(goodRun(), isDisplay('m3'))
    history.events.push({ kind: 'evicted', at: 60, node: 'n1', device: BOB, deliveryId: 'd3' })
    expect(rulesBroken(history)).toEqual([])
  })

  it('catches receipts that do not verify, name another epoch, or come from no replica', () => {
    for (const fault of [{ valid: false }, { epoch: 7 }, { replica: false }]) {
      const history = goodRun()
      Object.assign(sentOf(history, 'm1').receipts[0]!, fault)
      expect(rulesBroken(history)).toEqual(['too-few-receipts', 'invalid-receipt'])
    }
  })

  it('catches replicas that hold different messages for one device', () => {
    const history = goodRun()
    history.stores[0]!.held.push({ device: 'carol', deliveryId: 'x1' })
    history.stores[1]!.held.push({ device: 'carol', deliveryId: 'x2' })
    expect(rulesBroken(history)).toEqual(['replicas-diverge'])
  })
})
