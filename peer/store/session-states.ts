/** Reading the session states of one conversation within a unit of work. */
import { toHex } from '../../protocol/bytes.ts'
import type { Sequencer } from '../../protocol/conversation/sequencer.ts'
import type { PeerKey } from '../../protocol/session/conversation-keys.ts'
import { eraseInbound, type Inbound } from '../../protocol/session/inbound.ts'
import { eraseDelivery, surplusDeliveries } from '../../protocol/session/open-delivery.ts'
import { slots } from './store-layout.ts'
import type { UnitOfWork } from './state-store.ts'

const PEER_KEY = slots.peerKey('', '').codec
const INBOUND = slots.inbound('', '').codec
const OPEN_DELIVERY = slots.openDelivery('', '').codec
const SEQUENCER = slots.sequencer('', '').codec

/** What is held of the other devices of a conversation. */
export async function peerKeysOf(unit: UnitOfWork, conversationId: string): Promise<PeerKey[]> {
  return (await unit.range('peer-key', conversationId, PEER_KEY)).map(({ value }) => value)
}

/** Sessions of a conversation that may still bring messages. */
export async function inboundsOf(unit: UnitOfWork, conversationId: string): Promise<Inbound[]> {
  return (await unit.range('inbound', conversationId, INBOUND)).map(({ value }) => value)
}

/** Order of every device that sent anything. */
export async function sequencersOf(unit: UnitOfWork, conversationId: string): Promise<Sequencer[]> {
  return (await unit.range('sequencer', conversationId, SEQUENCER)).map(({ value }) => value)
}

/** Ends a session; its secrets are wiped once that is stored. Its id stays: it never starts again. */
export function dropInbound(unit: UnitOfWork, inbound: Inbound): void {
  unit.remove(slots.inbound(toHex(inbound.conversationId), toHex(inbound.sessionId)))
  unit.after(() => eraseInbound(inbound))
}

/** Gives up the oldest Opens past the bound: a device that never acknowledges must not make us keep ever more. */
export async function dropSurplusDeliveries(unit: UnitOfWork, conversationId: string): Promise<void> {
  const deliveries = await unit.range('open-delivery', conversationId, OPEN_DELIVERY)
  for (const delivery of surplusDeliveries(deliveries.map(({ value }) => value))) {
    unit.remove(slots.openDelivery(conversationId, toHex(delivery.sessionId)))
    unit.after(() => eraseDelivery(delivery))
  }
}
