/** Opens what one device says to this one alone: acknowledgements, receipts, requests, keys, and messages sent again. */
import { toHex } from '../../protocol/bytes.ts'
import { pairChange, type ConversationChange } from '../../protocol/conversation/conversation-change.ts'
import { decodeMessage } from '../../protocol/conversation/message.ts'
import { deviceOf } from '../../protocol/directory/account.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { fromDevice, fromOpener, openPairPacket } from '../../protocol/session/pair-channel.ts'
import type { MessageFrame } from '../../protocol/session/message-packet.ts'
import type { PairContent, PairPacket } from '../../protocol/session/pair-packet.ts'
import { sessionEnvironment, type EngineContext } from '../engine-context.ts'
import type { ConversationRoster } from '../groups/conversation-roster.ts'
import type { FoundPairing, PairingBook } from '../store/pairing-book.ts'
import { slots } from '../store/store-layout.ts'
import type { UnitOfWork } from '../store/state-store.ts'

export interface PairInboxComponents {
  context: EngineContext
  pairings: PairingBook
  roster: ConversationRoster
}

function isGroupLog({ sequence, content }: MessageFrame): boolean {
  try {
    return sequence === null && decodeMessage(content).body.kind === 'groupLog'
  } catch (error) {
    if (error instanceof ProtocolError) return false
    throw error
  }
}

export class PairInbox {
  readonly #components: PairInboxComponents

  constructor(components: PairInboxComponents) {
    this.#components = components
  }

  /**
   * What one packet changes.
   * @param storedAt - when a node had it, milliseconds.
   * @throws ProtocolError `NOT_FOR_US` for a tag of no pairing that is kept; `INVALID` from a device that never was in the
   * conversation; as `openPairPacket`.
   */
  async changeOf(unit: UnitOfWork, packet: PairPacket, storedAt: number): Promise<ConversationChange> {
    const { context, pairings, roster } = this.#components
    const found = await pairings.find(unit, packet.tag)
    if (!found) throw new ProtocolError('NOT_FOR_US', 'packet of no pairing that is kept')
    const content = this.#open(found, packet)
    const { conversationId, sessionId } = found.pairing
    const key = toHex(conversationId)
    const device = toHex(found.deviceId)
    const conversation = await unit.read(slots.conversation(key))
    const member = conversation && (await roster.loadOwnerOf(conversation, found.deviceId))
    const owner = member ?? (conversation && (await roster.loadFormerOwnerOf(conversation, found.deviceId)))
    if (!owner) throw new ProtocolError('INVALID', 'packet of a device that is not in the conversation')
    const removedSince = owner.view.removedSince(found.deviceId)
    const state = {
      sequencer: await unit.read(slots.sequencer(key, device)),
      peerKey: await unit.read(slots.peerKey(key, device)),
      signingKey: deviceOf(owner.current, found.deviceId)?.keys.signingKey,
      openedSession: found.kind === 'opened' ? sessionId : null,
      ownAccount: context.accountId()
    }
    const origin = { conversationId, senderAccount: owner.accountId, senderDevice: found.deviceId }
    // Who is out by the log that is known here may know more of it: changes of a group are signed, each by itself.
    const heard = member ? content : { ...content, frames: content.frames.filter(isGroupLog) }
    return pairChange(sessionEnvironment(context), origin, state, heard, { storedAt, removedSince })
  }

  #open(found: FoundPairing, packet: PairPacket): PairContent {
    const env = sessionEnvironment(this.#components.context)
    if (found.kind === 'accepted') return openPairPacket(env, fromOpener(found.pairing), packet)
    const end = fromDevice(env, found.pairing, found.deviceId)
    try {
      return openPairPacket(env, end, packet)
    } finally {
      end.secret.erase()
    }
  }
}
