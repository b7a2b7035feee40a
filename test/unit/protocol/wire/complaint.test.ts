import { describe, expect, it } from 'vitest'
import { CLOCK_TOLERANCE_MS } from '../../../../protocol/limits.ts'
import type { NetworkId } from '../../../../protocol/network.ts'
import { judgeComplaint, type Complaint, type ComplaintFault } from '../../../../protocol/wire/complaint.ts'
import { complaintText, readComplaint } from '../../../../protocol/wire/complaint-file.ts'
import type { DeliveryId } from '../../../../protocol/wire/envelope.ts'
import {
  brokenPromise,
  DENIED_AT,
  EXPIRY,
  JUDGED_AT,
  newKey,
  PROMISED_AT,
  type PromiseChanges
} from '../../../support/complaints/broken-promise.ts'
import { crypto, network, random } from '../../../support/network/in-process/fixtures.ts'

const judge = (complaint: Complaint, now = JUDGED_AT) => judgeComplaint(crypto, complaint, { now, expected: network })

async function faultOf(complaint: Complaint, now?: number): Promise<ComplaintFault | undefined> {
  const verdict = await judge(complaint, now)
  expect(verdict.sentence).toMatch(/^\S.+\.$/)
  return verdict.holds ? undefined : verdict.fault
}

describe('a complaint', () => {
  it('holds for a receipt and a later denial of the same node, list and delivery, after any number of copies', async () => {
    const complaint = await brokenPromise()
    expect(await judge(readComplaint(complaintText(complaint)))).toMatchObject({ holds: true })
    const expired = await brokenPromise({ denial: { reason: 'expired' } })
    expect(await faultOf(expired)).toBeUndefined()
  })

  it.each<[string, PromiseChanges, ComplaintFault]>([
    ['a denial before the receipt', { denial: { time: PROMISED_AT - 1 } }, 'denied-too-early'],
    [
      'a denial that a clock set back would explain',
      { denial: { time: PROMISED_AT + CLOCK_TOLERANCE_MS - 1 } },
      'denied-too-early'
    ],
    ['a denial at the expiry', { denial: { time: EXPIRY } }, 'denied-after-expiry'],
    ['a message that was taken', { denial: { reason: 'acknowledged' } }, 'allowed'],
    ['a full mailbox', { denial: { reason: 'evicted' } }, 'allowed'],
    ['a denial of another list of nodes', { denial: { epoch: 4 } }, 'denial-of-another-epoch'],
    ['a denial of another expiry', { denial: { expiry: EXPIRY + 1 } }, 'denial-of-another-delivery'],
    ['a denial of another id', { denial: { id: random(32) as DeliveryId } }, 'denial-of-another-delivery'],
    ['another network', { network: random(32) as NetworkId }, 'wrong-network']
  ])('does not hold for %s', async (_what, changes, fault) => {
    const isLate = fault === 'denied-after-expiry'
    expect(await faultOf(await brokenPromise(changes), isLate ? EXPIRY + 1 : JUDGED_AT)).toBe(fault)
  })

  it('does not hold for words of two nodes, forged words, or words of two complaints', async () => {
    const [one, other, stranger] = [await brokenPromise(), await brokenPromise(), await newKey()]
    const mixed: [Complaint, ComplaintFault][] = [
      [{ ...one, denial: other.denial }, 'denial-of-another-node'],
      [{ ...one, receipt: other.receipt }, 'receipt-of-another-delivery'],
      [{ ...one, mailbox: other.mailbox }, 'receipt-of-another-delivery'],
      [{ ...one, expiry: one.expiry + 1 }, 'receipt-of-another-delivery'],
      [await brokenPromise({ denialKey: stranger }), 'denial-not-signed'],
      [{ ...one, denial: { ...one.denial, time: DENIED_AT + 1 } }, 'denial-not-signed'],
      [{ ...one, receipt: { ...one.receipt, index: 0 } }, 'receipt-of-another-delivery'],
      [
        { ...one, receipt: { ...one.receipt, receipt: { ...one.receipt.receipt, time: PROMISED_AT - 1 } } },
        'receipt-not-signed'
      ]
    ]
    for (const [complaint, fault] of mixed) expect(await faultOf(complaint)).toBe(fault)
    // Signed in one network, told of another: the network is in both signatures.
    const foreign = random(32) as NetworkId
    const verdict = await judgeComplaint(crypto, { ...one, network: foreign }, { now: JUDGED_AT })
    expect(verdict).toMatchObject({ holds: false, fault: 'receipt-not-signed' })
  })

  it('does not hold while it is dated in the future, and a date beyond all calendars breaks nothing', async () => {
    const complaint = await brokenPromise()
    expect(await faultOf(complaint, DENIED_AT - CLOCK_TOLERANCE_MS - 1)).toBe('future')
    expect(await faultOf(complaint, DENIED_AT)).toBeUndefined()
    const beyond = await brokenPromise({ denial: { time: Number.MAX_SAFE_INTEGER } })
    expect(await faultOf(beyond)).toBe('future')
    expect(() => readComplaint(complaintText(beyond))).toThrow('denial.time')
  })

  it('has one spelling: any changed byte of its file makes it malformed or false', async () => {
    const text = complaintText(await brokenPromise())
    let judged = 0
    for (let at = 0; at < text.length; at += 3) {
      const spoilt = text.slice(0, at) + (text[at] === '1' ? '2' : '1') + text.slice(at + 1)
      const complaint = readOr(spoilt)
      if (complaint === undefined || complaintText(complaint) === text) continue
      judged += 1
      expect((await judge(complaint)).holds, spoilt.slice(at - 20, at + 20)).toBe(false)
    }
    expect(judged).toBeGreaterThan(100)
  })

  it.each([
    ['nothing', ''],
    ['no object', '[]'],
    ['another format', '{"format":"x"}'],
    ['a later version', '{"format":"volo-complaint","version":2}'],
    ['too much', `{"format":"${'x'.repeat(9_000)}"}`],
    ['a field of a prototype', '{"__proto__":{"format":"volo-complaint"}}']
  ])('is refused if its file holds %s', (_what, text) => {
    expect(() => readComplaint(text)).toThrow()
  })
})

function readOr(text: string): Complaint | undefined {
  try {
    return readComplaint(text)
  } catch {
    return undefined
  }
}
