/**
 * A complaint: a node's receipt for a delivery beside its own later word that it does not hold it. A person who has both can
 * show to anybody, offline, that the node broke its promise. complaint-file.ts has the form in which people keep and send it.
 */
import { equalBytes, toHex } from '../bytes.ts'
import type { Crypto } from '../crypto/crypto.ts'
import type { DeviceId } from '../identity/device.ts'
import { CLOCK_TOLERANCE_MS } from '../limits.ts'
import type { NetworkId } from '../network.ts'
import { custodyLeaf, verifyDenial, verifyReceipt, type DeliveryReceipt, type Denial } from './custody.ts'
import type { DeliveryId } from './envelope.ts'
import { rootFromPath } from './merkle.ts'

/** Both words of the node, about one delivery of one network. */
export interface Complaint {
  network: NetworkId
  mailbox: DeviceId
  id: DeliveryId
  /** Milliseconds since 1970: until then the node had to keep the delivery. */
  expiry: number
  receipt: DeliveryReceipt
  denial: Denial
}

/** Why a complaint does not hold; stable, for programs. */
export type ComplaintFault =
  | 'wrong-network'
  | 'receipt-not-signed'
  | 'receipt-of-another-delivery'
  | 'denial-not-signed'
  | 'denial-of-another-node'
  | 'denial-of-another-delivery'
  | 'denial-of-another-epoch'
  | 'future'
  | 'denied-too-early'
  | 'denied-after-expiry'
  | 'allowed'

/** What a complaint comes to, and a sentence that says so to people. */
export type ComplaintVerdict =
  { holds: true; sentence: string } | { holds: false; fault: ComplaintFault; sentence: string }

const day = (time: number): string => new Date(time).toISOString()

/**
 * Judges a complaint by what is in it alone.
 *
 * The denial has to be {@link CLOCK_TOLERANCE_MS} later than the receipt: both times are of the node's own clock, and one that
 * was set back in between must not make a liar of an honest node, which denies what it is about to take. It has to name the
 * same list of nodes: a node that leaves a shard hands over what it holds, and rightly denies it afterwards.
 *
 * @param expected - the network that the judge means; undefined for the one that the complaint names.
 * @param now - milliseconds since 1970, of the judge.
 */
export async function judgeComplaint(
  crypto: Crypto,
  complaint: Complaint,
  { now, expected }: { now: number; expected?: NetworkId | undefined }
): Promise<ComplaintVerdict> {
  const { network, receipt, denial } = complaint
  const node = toHex(receipt.receipt.node)
  const fault =
    (expected !== undefined && !equalBytes(expected, network) && WRONG_NETWORK) ||
    (await signatureFault(crypto, complaint)) ||
    timeFault(complaint, now)
  if (fault) return { holds: false, fault: fault[0], sentence: `This complaint does not hold: ${fault[1]}.` }
  const sentence = `Node ${node} signed on ${day(receipt.receipt.time)} that it keeps delivery ${toHex(complaint.id)} until ${day(complaint.expiry)}, and on ${day(denial.time)} that it does not (${denial.reason}): it broke its promise.`
  return { holds: true, sentence }
}

type Fault = [fault: ComplaintFault, why: string]
const WRONG_NETWORK: Fault = ['wrong-network', 'it is of another network']

async function signatureFault(crypto: Crypto, complaint: Complaint): Promise<Fault | undefined> {
  const { network, mailbox, id, expiry, receipt, denial } = complaint
  const { receipt: word, index, path } = receipt
  if (!(await verifyReceipt(crypto, network, word))) {
    return ['receipt-not-signed', 'the node did not sign this receipt, or not in this network']
  }
  const root = rootFromPath(crypto, custodyLeaf(id, mailbox, expiry), index, word.count, path)
  if (root === undefined || !equalBytes(root, word.root)) {
    return ['receipt-of-another-delivery', 'the receipt does not cover this delivery with this expiry']
  }
  if (!equalBytes(denial.node, word.node)) return ['denial-of-another-node', 'the denial is of another node']
  if (!(await verifyDenial(crypto, network, denial))) {
    return ['denial-not-signed', 'the node did not sign this denial, or not in this network']
  }
  const isSame = equalBytes(denial.id, id) && equalBytes(denial.mailbox, mailbox) && denial.expiry === expiry
  if (!isSame) return ['denial-of-another-delivery', 'the denial is about another delivery']
  if (denial.epoch === word.epoch) return undefined
  return ['denial-of-another-epoch', 'the list of nodes changed between the two, so the node may have handed it over']
}

function timeFault({ expiry, receipt, denial }: Complaint, now: number): Fault | undefined {
  const promised = receipt.receipt.time
  if (Math.max(promised, denial.time) > now + CLOCK_TOLERANCE_MS) return ['future', 'it is dated in the future']
  if (denial.time >= expiry) return ['denied-after-expiry', 'the delivery had expired, and nodes forget it then']
  if (denial.time < promised + CLOCK_TOLERANCE_MS) {
    const minutes = CLOCK_TOLERANCE_MS / 60_000
    return ['denied-too-early', `the denial is not ${minutes} minutes later than the receipt, so clocks may explain it`]
  }
  if (denial.reason === 'unknown' || denial.reason === 'expired') return undefined
  const why =
    denial.reason === 'evicted' ? 'newer messages may push old ones out of a full mailbox' : 'its device took it'
  return ['allowed', `the node says "${denial.reason}", which the rules allow: ${why}`]
}

/** What must not be counted twice: one node and one delivery, whatever receipts and denials there are of them. */
export const complaintKey = ({ receipt, mailbox, id }: Complaint): string =>
  [receipt.receipt.node, mailbox, id].map(toHex).join('-')
