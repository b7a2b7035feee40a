import { toHex } from '../../protocol/bytes.ts'
import type { MessageBody } from '../../protocol/conversation/message.ts'
import type { DueControls } from '../store/store-layout.ts'

/** Ids that one receipt or acknowledgement names. */
const MAX_TARGETS = 256

/** The messages that say all that one device waits for: sessions accepted, messages delivered and read. */
export function controlBodies({ opened, delivered, read }: DueControls): MessageBody[] {
  // A message that was read needs no word that it has arrived.
  const readIds = new Set(read.map(toHex))
  const arrived = delivered.filter(id => !readIds.has(toHex(id)))
  return [
    ...chunks(opened).map((sessions): MessageBody => ({ kind: 'openedAck', sessions })),
    ...chunks(arrived).map((targets): MessageBody => ({ kind: 'receipt', state: 'delivered', targets })),
    ...chunks(read).map((targets): MessageBody => ({ kind: 'receipt', state: 'read', targets }))
  ]
}

function chunks<T>(items: T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / MAX_TARGETS) }, (_, i) =>
    items.slice(i * MAX_TARGETS, (i + 1) * MAX_TARGETS)
  )
}
