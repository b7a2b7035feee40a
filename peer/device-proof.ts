import { signPeerAuthentication } from '../protocol/identity/peer-authentication.ts'
import type { Authenticate } from './network/node-connection.ts'
import type { Core } from './engine-context.ts'

/** Proves this device to whichever node says hello. */
export function deviceProof(core: Core): Authenticate {
  return async ({ nonce }, { node, client }) => {
    const { deviceId, publicKeys, signingKey } = core.device()
    const time = core.timers.now()
    const proof = { nodeKey: node, clientPeerKey: client, nonce, deviceId, time }
    const signature = await signPeerAuthentication(core.network().id, signingKey, proof)
    return { kind: 'authenticate', version: 1, keys: publicKeys, time, signature }
  }
}
