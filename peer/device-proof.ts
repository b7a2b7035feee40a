import { signPeerAuthentication } from '../protocol/identity/peer-authentication.ts'
import type { Authenticate } from './network/node-connection.ts'
import type { EngineContext } from './engine-context.ts'

/** Proves this device to whichever node says hello. */
export function deviceProof(context: EngineContext): Authenticate {
  return async ({ nonce }, { node, client }) => {
    const { deviceId, publicKeys, signingKey } = context.device()
    const time = context.timers.now()
    const proof = { nodeKey: node, clientPeerKey: client, nonce, deviceId, time }
    const signature = await signPeerAuthentication(context.network().id, signingKey, proof)
    return { kind: 'authenticate', version: 1, keys: publicKeys, time, signature }
  }
}
