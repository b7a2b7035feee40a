/**
 * The list of nodes that the records make: what a placement epoch is drawn from. Every node and every client that holds
 * the same records reaches the same list.
 */
import { compareBytes, equalBytes } from '../bytes.ts'
import { MAX_LISTED_NODES, MAX_NODES_PER_OPERATOR } from '../limits.ts'
import { isNodeOrigin } from '../node-origin.ts'
import { MAX_ADDRESS_LENGTH, type ListedNode, type NodeKey } from '../wire/placement.ts'
import type { Directory } from './directory.ts'
import { bytesKey, compareOrder } from './order.ts'
import type { NodeState } from './tables/tables.ts'

const LINK = /^\/(?:ip4|ip6|dns|dns4|dns6)\/[a-zA-Z0-9.:-]+\/tcp\/[1-9]\d{0,4}$/

/** Whether an address of a NODE record is one for links between nodes. */
export function isNodeLink(address: string): boolean {
  return LINK.test(address) && address.length <= MAX_ADDRESS_LENGTH
}

/**
 * Announced nodes of admitted operators with an origin and a link address among their addresses (the first of each
 * counts), by rising key. Of one operator at most {@link MAX_NODES_PER_OPERATOR} and of all at most
 * {@link MAX_LISTED_NODES}, those that were announced first, so that late nodes cannot crowd out the others.
 */
export function nodeListOf(directory: Directory): ListedNode[] {
  const perOperator = new Map<string, number>()
  return directory
    .nodes()
    .sort((a, b) => compareOrder(a.announced, b.announced) || compareBytes(a.nodeKey, b.nodeKey))
    .flatMap(node => listedNodeOf(directory, node) ?? [])
    .filter(({ operator }) => {
      const count = (perOperator.get(bytesKey(operator)) ?? 0) + 1
      perOperator.set(bytesKey(operator), count)
      return count <= MAX_NODES_PER_OPERATOR
    })
    .slice(0, MAX_LISTED_NODES)
    .sort((a, b) => compareBytes(a.key, b.key))
}

/** An announced node as a list names it; undefined if its operator is not admitted, or its address cannot be reached. */
export function listedNodeOf(
  directory: Directory,
  { nodeKey, operator, addresses }: NodeState
): ListedNode | undefined {
  const account = directory.account(operator)
  const url = addresses.find(isNodeOrigin)
  const link = addresses.find(isNodeLink)
  if (account === undefined || !directory.isAdmitted(operator)) return undefined
  if (url === undefined || link === undefined) return undefined
  return { key: nodeKey as NodeKey, operator: directory.operatorIdOf(account), url, link }
}

/** Whether two lists name the same nodes, of the same operators, at the same addresses, in the same order. */
export function isSameList(a: readonly ListedNode[], b: readonly ListedNode[]): boolean {
  return (
    a.length === b.length &&
    a.every((x, index) => {
      const y = b[index]!
      return equalBytes(x.key, y.key) && equalBytes(x.operator, y.operator) && x.url === y.url && x.link === y.link
    })
  )
}

/** How many different operators a list names. */
export function operatorsOf(nodes: readonly Pick<ListedNode, 'operator'>[]): number {
  return new Set(nodes.map(({ operator }) => bytesKey(operator))).size
}
