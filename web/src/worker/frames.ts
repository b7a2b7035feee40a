import type { PeerFailure } from '../../../peer/errors.ts'
import type { PeerApi, PeerEvents } from '../../../peer/peer-api.ts'

/** A call that a tab may make. Listening is not a call: every event goes to every tab. */
export type PeerMethod = Exclude<keyof PeerApi, 'on'>

/** What happens to a call whose host went away before it answered. */
type Repeat = 'repeat' | 'give-up'

/** Every call, and whether it may be made twice. The host refuses names that are not listed here. */
export const PEER_METHODS: Record<PeerMethod, Repeat> = {
  snapshot: 'repeat',
  providers: 'repeat',
  startSignIn: 'repeat',
  finishSignIn: 'repeat',
  forgetSignIn: 'repeat',
  checkName: 'repeat',
  register: 'give-up',
  claimName: 'give-up',
  findPerson: 'repeat',
  openConversation: 'repeat',
  messages: 'repeat',
  sendText: 'give-up',
  retry: 'repeat',
  markRead: 'repeat',
  saveDraft: 'repeat',
  receipts: 'repeat',
  refreshPerson: 'repeat',
  publicRecord: 'repeat',
  acceptAlert: 'repeat',
  safetyNumber: 'repeat',
  markVerified: 'repeat',
  clearVerified: 'repeat',
  devices: 'repeat',
  // Removing a device twice does the same as removing it once.
  revokeDevice: 'repeat',
  reconnect: 'repeat'
}

/** One call of a tab; `id` names it in the answer. */
export interface CallFrame {
  kind: 'call'
  id: number
  method: PeerMethod
  args: unknown[]
}

/** From a tab to the host. `knock` asks to be taken in, `bye` to be forgotten. */
export type TabFrame = CallFrame | { kind: 'knock' } | { kind: 'bye' }

/** One event of the peer, for every tab. */
export type EventFrame = {
  [K in keyof PeerEvents]: { kind: 'event'; event: K; value: PeerEvents[K] }
}[keyof PeerEvents]

/**
 * From the host to a tab. `hello` comes first, and again when another host took over; `life` names a lock that the host holds
 * for as long as it lives.
 */
export type HostFrame =
  | { kind: 'hello'; life?: string }
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'failure'; id: number; failure: PeerFailure }
  | EventFrame

/** The part of a MessagePort that both sides use, so that a BroadcastChannel can stand in for one. */
export interface FramePort<Out, In> {
  send(frame: Out): void
  /** Sets the one listener and starts the flow. @param onLost - told that nothing sent arrives until the next `hello`. */
  listen(onFrame: (frame: In) => void, onLost?: () => void): void
}

/** Wraps a MessagePort. */
export function portFrames<Out, In>(port: MessagePort): FramePort<Out, In> {
  return {
    send: frame => port.postMessage(frame),
    listen(onFrame) {
      port.onmessage = event => onFrame(event.data as In)
    }
  }
}
