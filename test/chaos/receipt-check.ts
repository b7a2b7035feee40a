import { fromHex, toHex } from '../../protocol/bytes.ts'
import type { NodeKey } from '../../protocol/wire/placement.ts'
import { createNodeCrypto } from '../../protocol/crypto/backends/node-crypto.ts'
import { networkIdOf } from '../../protocol/network.ts'
import { replicaSet, shardOf } from '../../protocol/wire/placement.ts'
import { verifyReceipt } from '../../protocol/wire/custody.ts'
import type { NetworkDefinition } from '../../node/config/network-file.ts'
import type { SentReceipt } from '../../peer/peer-api.ts'
import type { ReceiptFact } from '../support/custody-history.ts'

const crypto = createNodeCrypto()

/** Checks a receipt as a stranger would: from its own fields and the network's list of nodes, without any node. */
export async function judgeReceipt({ genesis, epochs }: NetworkDefinition, receipt: SentReceipt): Promise<ReceiptFact> {
  const network = networkIdOf(crypto, genesis)
  const epoch = epochs.find(({ number }) => number === receipt.epoch)
  const mailbox = fromHex(receipt.mailbox)
  const replicas = epoch ? replicaSet(crypto, network, genesis, epoch, shardOf(crypto, network, genesis, mailbox)) : []
  const listed = replicas.find(({ key }) => toHex(key) === receipt.node)
  const valid = await verifyReceipt(crypto, network, {
    version: 1,
    node: fromHex(receipt.node) as NodeKey,
    epoch: receipt.epoch,
    shard: receipt.shard,
    time: receipt.time,
    root: fromHex(receipt.root),
    count: receipt.count,
    signature: fromHex(receipt.signature)
  })
  return {
    node: receipt.node,
    operator: listed ? toHex(listed.operator) : 'unlisted',
    epoch: receipt.epoch,
    device: receipt.mailbox,
    deliveryId: receipt.deliveryId,
    valid,
    replica: listed !== undefined
  }
}
