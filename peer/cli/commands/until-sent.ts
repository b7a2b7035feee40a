import type { NodePeer } from '../../node-peer.ts'
import type { ChatMessage } from '../../peer-api.ts'

/** Whether no later command can send a message. */
export const isOver = ({ state, problem }: ChatMessage): boolean => state === 'failed' || problem === 'device-removed'

/** Waits until the message is *sent*, cannot be, or the time is over. A message that is late stays in the outbox. */
export async function untilSent(peer: NodePeer, taken: ChatMessage, signal: AbortSignal): Promise<ChatMessage> {
  return new Promise(resolve => {
    let last = taken
    const finish = (): void => {
      stop()
      resolve(last)
    }
    const look = (message: ChatMessage): void => {
      if (message.id !== taken.id) return
      last = message
      if (message.state !== 'waiting' || isOver(message)) finish()
    }
    const stop = peer.on('message', look)
    if (signal.aborted) return finish()
    signal.addEventListener('abort', finish)
    // The message may have been sent before the listener was there.
    void peer.messages.page(taken.conversationId).then(all => look(all.find(({ id }) => id === taken.id) ?? taken))
  })
}
