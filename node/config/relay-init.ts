import { join } from 'node:path'
import type { Epoch, ListedNode } from '../../protocol/wire/placement.ts'
import type { MessageRelayInit } from '../ports.ts'
import { ConfigError } from './config-error.ts'
import type { NodeConfig } from './config.ts'

const MIB = 1024 * 1024

/** What the settings say to the message relay. @param listed - this node in the current list, if it is there. */
export function relayInit(config: NodeConfig, epochs: Epoch[], listed: ListedNode | undefined): MessageRelayInit {
  const isAlone = epochs.every(({ nodes }) => nodes.length === 1)
  const limits = {
    maxClients: config.maxClients,
    maxClientsPerAddress: config.maxClientsPerAddress,
    connectionsPerSecond: config.connectionsPerSecond,
    requestsPerSecond: config.requestsPerSecond,
    requestBurst: config.requestBurst,
    strangersPerDay: config.strangersPerDay,
    diskLowWaterBytes: config.diskLowWaterMib && config.diskLowWaterMib * MIB
  }
  return {
    dataDirectory: join(config.dataDir, 'messages'),
    listenTcp: config.linkListen ?? (isAlone ? undefined : listed?.link),
    epochs,
    trustForwardedFor: config.trustProxy,
    limits: Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
  }
}

/** If the port for links cannot be bound, reports a configuration error; anything else is a bug and is thrown as it is. */
export function throwLinkProblem(cause: Error, config: NodeConfig, listed: ListedNode | undefined): never {
  const code = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/.exec(cause.message)?.[1]
  if (code === undefined) throw cause
  const address = config.linkListen ?? listed?.link
  throw new ConfigError(
    `Cannot listen for links on ${address} (${code}): choose another address with --link-listen, or stop what uses it.`,
    { cause }
  )
}
