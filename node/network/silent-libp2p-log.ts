import type { ComponentLogger, Logger } from '@libp2p/interface'

const ignore = (): void => undefined
const silent: Logger = Object.assign(ignore, { error: ignore, trace: ignore, enabled: false, newScope: () => silent })

/**
 * Keeps libp2p quiet. Its own logger makes several functions for every connection and stream, about 5 KB a client, and is
 * called for every piece of data; what matters is logged by the parts that use libp2p.
 */
export const silentLibp2pLog: ComponentLogger = { forComponent: () => silent }
