import type { PeerFailure } from '../../../peer/errors.ts'
import type { PeerEvents } from '../../../peer/peer-api.ts'

/** One call of a tab, by area and name; `id` names it in the answer. The host refuses calls that the peer does not list. */
export interface CallFrame {
  kind: 'call'
  id: number
  area: string
  method: string
  args: unknown[]
}

/** Asks for the snapshot, which also makes the host open the peer. */
export interface SnapshotFrame {
  kind: 'snapshot'
  id: number
}

/** A call about the lock of this browser; see `lock-api.ts`. The only ones that a locked browser answers. */
export interface LockFrame {
  kind: 'lock'
  id: number
  method: string
  args: unknown[]
}

/** What a tab asks; the host answers each one. */
export type AskFrame = CallFrame | SnapshotFrame | LockFrame

/** From a tab to the host. `knock` asks to be taken in, `bye` to be forgotten. */
export type TabFrame = AskFrame | { kind: 'knock' } | { kind: 'bye' }

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
