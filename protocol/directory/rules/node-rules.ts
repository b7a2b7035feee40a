/** The rule of NODE records, which announce a node of the network. */
import { equalBytes } from '../../bytes.ts'
import type { RecordOf } from '../../identity/record.ts'
import type { AnnouncedNode } from '../account.ts'
import { accept, reject, signedBy, type Plan, type SignedStep } from './plan.ts'

const isPrintable = (byte: number): boolean => byte > 0x20 && byte < 0x7f

/** Joins the pieces of an address; `null` unless all is printable ASCII without spaces. */
function addressOf(pieces: Uint8Array[]): string | null {
  let address = ''
  for (const piece of pieces) {
    if (!piece.every(isPrintable)) return null
    address += String.fromCharCode(...piece)
  }
  return address
}

/** NODE announces a node, or withdraws it if the record has no addresses. */
export function planNode(step: SignedStep<RecordOf<'node'>>): Plan {
  const { account, record, mark } = step
  const { nodeKey } = record
  const addresses = record.addresses.map(addressOf)
  if (addresses.includes(null)) return reject('BAD_ADDRESS', account)
  const nodes: AnnouncedNode[] = account.nodes.filter(node => !equalBytes(node.nodeKey, nodeKey))
  if (addresses.length > 0) nodes.push({ ...mark, nodeKey, addresses: addresses as string[] })
  return accept(step, { nodes }, [{ index: 0, publicKey: nodeKey }, signedBy(step, 1)])
}
