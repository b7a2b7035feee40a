/**
 * What devices sent that were removed from their account. What a node had before the removal is shown as ever: it was
 * acknowledged to its sender as sent. What came after it is not shown; one line for each device says so, because nothing
 * that is acknowledged may vanish without a sign.
 */
import { equalBytes, toHex } from '../../protocol/bytes.ts'
import type { MessageId } from '../../protocol/conversation/message.ts'
import { labelled } from '../../protocol/labels.ts'
import type { EngineContext } from '../engine-context.ts'
import type { DirectoryClient } from '../directory/directory-client.ts'
import type { MessageLog } from '../history/message-log.ts'
import { slots } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'
import type { Origin } from './inbox.ts'

const MESSAGE_ID_BYTES = 16

export interface RemovedSendersComponents {
  context: EngineContext
  directory: DirectoryClient
  history: MessageLog
}

export class RemovedSenders {
  readonly #components: RemovedSendersComponents

  constructor(components: RemovedSendersComponents) {
    this.#components = components
  }

  /**
   * Whether a node took something of a device after the device was removed. The times that its messages claim are not looked
   * at: a thief's clock proves nothing.
   *
   * @param storedAt - when it was in custody, by the word of the node that handed it out, milliseconds.
   */
  async isAfterRemoval({ senderAccount, senderDevice }: Origin, storedAt: number): Promise<boolean> {
    const account = await this.#components.directory.load(senderAccount)
    const removedSince = account?.view.removedSince(senderDevice)
    return removedSince !== undefined && storedAt > removedSince
  }

  /** Says in a conversation, once for each device, that something is not shown. */
  async tell(unit: UnitOfWork, { conversationId, senderAccount, senderDevice }: Origin): Promise<void> {
    const { context, history } = this.#components
    const conversation = await unit.read(slots.conversation(toHex(conversationId)))
    if (!conversation) return
    // The same id each time, so that the line is there once; of our account, so that the device cannot take the id first.
    const name = labelled('removed-device-line', context.network().id, conversationId, senderDevice)
    context.log.warn('what a removed device sent is not shown', { device: toHex(senderDevice) })
    await history.append(unit, conversation, {
      messageId: context.crypto.sha256(name).slice(0, MESSAGE_ID_BYTES) as MessageId,
      from: context.accountId(),
      device: context.device().deviceId,
      mine: false,
      kind: 'system',
      text: '',
      line: { kind: 'removed-device', mine: equalBytes(senderAccount, context.accountId()) },
      sentAt: context.timers.now(),
      state: null,
      problem: null
    })
  }
}
