import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Crypto, SigningKey } from '../../protocol/crypto/crypto.ts'
import type { ListedNode, NodeKey, OperatorId } from '../../protocol/wire/placement.ts'
import { ConfigError } from './config-error.ts'
import type { NodeConfig } from './config.ts'
import { createNetwork, networkFileText, readNetworkFile, type NetworkDefinition } from './network-file.ts'

/** The file of this node's own key. */
export function nodeKeyFile({ nodeKeyFile, dataDir }: Pick<NodeConfig, 'nodeKeyFile' | 'dataDir'>): string {
  return nodeKeyFile ?? join(dataDir, 'node.key')
}

/**
 * The network of the configured file. Without a file it is a network of this node alone, made once and kept in the data
 * folder.
 * @throws ConfigError if the file cannot be used.
 */
export function loadNetwork(
  crypto: Crypto,
  config: NodeConfig,
  nodeKey: SigningKey,
  publicUrl: string
): NetworkDefinition {
  if (config.networkFile !== undefined) return readNetworkFile(config.networkFile)
  if (config.chainUrl !== undefined) {
    throw new ConfigError('VOLO_CHAIN_URL needs VOLO_NETWORK_FILE: the file says which network of that chain this is.')
  }
  const key = nodeKey.publicKey as NodeKey
  const self: ListedNode = { key, operator: key as Uint8Array as OperatorId, url: publicUrl, link: '' }
  const file = join(config.dataDir, 'network.json')
  if (!existsSync(file)) writeFileSync(file, networkFileText(createNetwork(crypto, [self])))
  const { genesis, epochs } = readNetworkFile(file)
  // A node alone may listen elsewhere than when the file was made.
  return { genesis, epochs: epochs.map(epoch => ({ ...epoch, nodes: [self] })) }
}
