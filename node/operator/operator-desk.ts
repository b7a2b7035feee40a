/** What the operator's own commands ask of the running node: who announced what, and to bring records to the chain. */
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts'
import type { Directory } from '../../protocol/directory/directory.ts'
import type { NodeState } from '../../protocol/directory/tables/tables.ts'
import type { NetworkId } from '../../protocol/network.ts'
import type { Epoch } from '../../protocol/wire/placement.ts'
import type { KeyDirectory } from '../key-directory/key-directory.ts'
import { NodeError } from '../errors.ts'
import type { RecordOutbox } from '../key-directory/record-outbox.ts'

/** Records that one request may hand in. */
const MAX_RECORDS = 8
const HEX = /^([0-9a-f]{2})+$/

/** An announced node, ids in lower-case hex. */
export interface AnnouncedNodeFacts {
  node: string
  /** Account of its operator. */
  operator: string
  addresses: string[]
  /** Whether the operator is admitted. */
  admitted: boolean
  /** Accounts of admitted operators that vouched for the operator; empty for one of genesis. */
  vouchers: string[]
  /** Whether the list in force names it. */
  listed: boolean
  /** Blocks since it was announced, that one included; 0 while it waits. */
  confirmations: number
}

/** An operator's account, ids in lower-case hex. */
export interface OperatorAccountFacts {
  account: string
  /** Its last record, which the next one names. */
  head: string
  admitted: boolean
  nodes: { node: string; addresses: string[] }[]
}

/** Answer of `GET /nodes`. */
export interface NodeFacts {
  network: string
  /** Number of the epoch in force. */
  epoch: number
  nodes: AnnouncedNodeFacts[]
}

export interface OperatorDeskComponents {
  network: NetworkId
  keyDirectory: KeyDirectory
  recordOutbox: Pick<RecordOutbox, 'add'>
  epoch(): Epoch
}

export class OperatorDesk {
  readonly #components: OperatorDeskComponents

  constructor(components: OperatorDeskComponents) {
    this.#components = components
  }

  /** All announced nodes, pending ones included. */
  nodes(): NodeFacts {
    const { network, keyDirectory, epoch } = this.#components
    const { number, nodes } = epoch()
    const isListed = (key: Uint8Array): boolean => nodes.some(node => equalBytes(node.key, key))
    return {
      network: toHex(network),
      epoch: number,
      nodes: keyDirectory.current.nodes().map(node => ({
        ...factsOf(keyDirectory.current, node),
        listed: isListed(node.nodeKey),
        confirmations: keyDirectory.confirmations(node.announced)
      }))
    }
  }

  /** The account of a device, or of an account id, whether recorded or waiting. @param id - lower-case hex. */
  account(id: string): OperatorAccountFacts | undefined {
    if (!HEX.test(id)) return undefined
    const { current } = this.#components.keyDirectory
    const bytes = fromHex(id)
    const account = current.device(bytes)?.account ?? current.account(bytes)
    return (
      account && {
        account: toHex(account.accountId),
        head: toHex(account.head),
        admitted: current.isAdmitted(account.accountId),
        nodes: account.nodes.map(({ nodeKey, addresses }) => ({ node: toHex(nodeKey), addresses: [...addresses] }))
      }
    )
  }

  /**
   * Takes records and brings them to the chain.
   *
   * @param body - JSON `{ "records": [hex…] }`.
   * @throws NodeError `malformed`, or what the rules say of a record.
   */
  async publish(body: string): Promise<void> {
    await this.#components.recordOutbox.add(parseRecords(body))
  }
}

function factsOf(
  directory: Directory,
  { nodeKey, operator, addresses }: NodeState
): Omit<AnnouncedNodeFacts, 'listed' | 'confirmations'> {
  return {
    node: toHex(nodeKey),
    operator: toHex(operator),
    addresses: [...addresses],
    admitted: directory.isAdmitted(operator),
    vouchers: directory.vouchersOf(operator).map(toHex)
  }
}

function parseRecords(body: string): Uint8Array[] {
  const malformed = (cause?: unknown): NodeError =>
    new NodeError('malformed', `expected {"records": [1 to ${MAX_RECORDS} records as hex]}`, { cause })
  let records: unknown
  try {
    records = (JSON.parse(body) as { records?: unknown } | null)?.records
  } catch (error) {
    throw malformed(error)
  }
  const isList = Array.isArray(records) && records.length > 0 && records.length <= MAX_RECORDS
  if (!isList) throw malformed()
  return (records as unknown[]).map(record => {
    if (typeof record !== 'string' || !HEX.test(record)) throw malformed()
    return fromHex(record)
  })
}
