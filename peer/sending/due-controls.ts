import type { MessageBody } from '../../protocol/conversation/message.ts'
import type { DueControls } from '../store/store-layout.ts'

/** Ids that one receipt or acknowledgement names. */
const MAX_TARGETS = 256

/** The messages that say all that is due: sessions opened here, messages delivered and read. */
export function controlBodies(due: DueControls | undefined): MessageBody[] {
  if (!due) return []
  return [
    ...chunks(due.opened, MAX_TARGETS).map((sessions): MessageBody => ({ kind: 'openedAck', sessions })),
    ...chunks(due.delivered, MAX_TARGETS).map((targets): MessageBody => ({
      kind: 'receipt',
      state: 'delivered',
      targets
    })),
    ...chunks(due.read, MAX_TARGETS).map((targets): MessageBody => ({ kind: 'receipt', state: 'read', targets }))
  ]
}

function chunks<T>(items: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
