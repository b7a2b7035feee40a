/**
 * Who may replace the list of nodes. A list decides where everything goes and whose receipts count, so an operator who could
 * replace it alone would own a device for good: two operators of the list in force have to tell the same new one.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { Epoch, ListedNode, OperatorId } from '../../protocol/wire/placement.ts'
import type { Log } from '../ports.ts'
import { isSameEpoch, type NetworkInfo } from './network-info.ts'

/** Operators of the list in force that have to tell a new list, if it has as many. */
export const OPERATORS_FOR_EPOCH = 2
/** Nodes asked about one list at most. */
const MAX_ASKED = 6

export interface EpochSources {
  /** The list that a node tells over HTTP. @throws Error if it cannot be asked: a page may ask its own node only. */
  overHttp: (node: ListedNode) => Promise<Epoch>
  /** The list that a node tells over a stream of its own, or undefined if it cannot be reached. */
  overStream: (node: ListedNode) => Promise<Epoch | undefined>
  log: Log
}

/** The operator of a node whose word counts; undefined for a stranger. */
export function operatorOf(
  info: NetworkInfo,
  told: Epoch,
  isProven: boolean,
  isNode: (node: ListedNode) => boolean
): OperatorId | undefined {
  return countingNodes(info, told, isProven).find(isNode)?.operator
}

/** Nodes of the list in force and, if it is proven, of the new one; a node of both at its new address. */
function countingNodes(info: NetworkInfo, told: Epoch, isProven: boolean): ListedNode[] {
  if (!isProven) return info.epoch.nodes
  const isGone = ({ key }: ListedNode): boolean => !told.nodes.some(node => equalBytes(node.key, key))
  return [...told.nodes, ...info.epoch.nodes.filter(isGone)]
}

/**
 * Whether the operators of the list in force agree on a new one. The only operator of a list is believed as long as it
 * stays in it. Where records prove the new list, its operators count as much as those in force: they were admitted alike,
 * and a list whose operators are gone can be replaced.
 *
 * @param teller - operator that told it; undefined if its node is in no list that counts.
 * @param isProven - whether records prove the new list, see list-check.ts.
 */
export async function isAgreed(
  sources: EpochSources,
  info: NetworkInfo,
  told: Epoch,
  teller: OperatorId | undefined,
  isProven = false
): Promise<boolean> {
  const nodes = countingNodes(info, told, isProven)
  const inForce = new Set(info.epoch.nodes.map(({ operator }) => toHex(operator)))
  if (inForce.size === 1) {
    const isOnly = teller !== undefined && inForce.has(toHex(teller))
    if (isOnly) return told.nodes.some(({ operator }) => equalBytes(operator, teller))
    if (!isProven) return false
  }
  const agreeing = new Set<string>(teller ? [toHex(teller)] : [])
  // The node that the person opened comes first: a page can ask no other over HTTP.
  const isEntry = (node: ListedNode): boolean => node.url === info.entry
  const ordered = [...nodes.filter(isEntry), ...nodes.filter(node => !isEntry(node))]
  for (const node of ordered.filter(({ operator }) => !teller || !equalBytes(operator, teller)).slice(0, MAX_ASKED)) {
    if (agreeing.size >= OPERATORS_FOR_EPOCH) break
    const answer = await ask(sources, node)
    if (answer && isSameEpoch(answer, told)) agreeing.add(toHex(node.operator))
  }
  return agreeing.size >= OPERATORS_FOR_EPOCH
}

/** Another channel than the stream that told the list first, where there is one. */
async function ask({ overHttp, overStream, log }: EpochSources, node: ListedNode): Promise<Epoch | undefined> {
  try {
    return await overHttp(node)
  } catch (error) {
    log.debug('a node was not asked for its list over HTTP', { node: node.url, reason: String(error) })
    return overStream(node)
  }
}
